"""The figures a second time: from the delivered files and the rulebook, in plain Python.

Nothing here reads a model's SQL. A figure that builds on another one (a score on a margin, a
worklist on a risk) takes that as the run holds it, and that one has its own comparison.
Slow and literal on purpose: every rule is written the way the rulebook says it.
"""

"""The figures a second time: from the delivered files and the rulebook, in plain Python.

Nothing here reads a model's SQL or the warehouse on the way to a figure; the published marts
are only what the figures are compared with. Slow and literal on purpose: every rule is
written the way the rulebook says it.
"""

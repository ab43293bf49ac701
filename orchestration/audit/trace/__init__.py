"""From a published row to the delivered rows, files and rule tables behind it.

Keys are followed and nothing is decided anew: which bills count for whom stands in the
publication, which of two deliveries counts in the order that the run's manifest gives.
What is computed here is arithmetic, to show that the rows add up to the figure.
"""

from orchestration.audit.trace.follow import trace
from orchestration.audit.trace.plans import PLANS
from orchestration.audit.trace.show import print_trace
from orchestration.audit.trace.traced import Trace, trace_as_json

__all__ = ["PLANS", "Trace", "print_trace", "trace", "trace_as_json"]

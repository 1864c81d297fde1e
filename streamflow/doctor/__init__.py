"""``streamflow doctor``: what is wrong with a namespace, its log and this machine, with the command that mends each.

    examining    the quick look: brokers, topics, groups, positions, clock, disk, libraries    -> findings
    verifying    reads every history: chains of events, the fold of each run, positions        -> a report of each queue

Nothing is changed by it, but for one small record in the topic of answers, whose time says how far the clocks are apart.
What makes a worker refuse to start is in `streamflow.topology.safety`, and is the same here.
"""

from streamflow.doctor.chains import Break, BrokenRun
from streamflow.doctor.examining import examine
from streamflow.doctor.findings import Finding, Severity
from streamflow.doctor.verifying import Verification, repair, verify

__all__ = [
    "Break",
    "BrokenRun",
    "Finding",
    "Severity",
    "Verification",
    "examine",
    "repair",
    "verify",
]

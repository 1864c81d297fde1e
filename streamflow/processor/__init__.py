"""The processor: takes commands from its partitions of an inbox, steps runs, and commits what follows, exactly once.

A record's way: `inbound` (sorted by workflow) -> `stepper` (decided, activated) -> `recorder` (gathered) -> `commit` (one
transaction, then the store) . Beside it: `ownership` and `restore` (partitions come and go), `speculation` (local
activities), `watchdog` (steps that never end), `retention` (runs that may be forgotten).
"""

from streamflow.processor.local import LocalActivities
from streamflow.processor.options import ProcessorOptions
from streamflow.processor.service import Processor

__all__ = ["LocalActivities", "Processor", "ProcessorOptions"]

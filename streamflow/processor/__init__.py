"""The processor: takes commands from its partitions of an inbox, steps runs, and commits what follows, exactly once.

Folders, each importing only from those below it (import contract):

    service.py             one thread: the loop, and what a commit's outcome means
    partitions/   turns/   taking, restoring and giving away partitions; records in, one transaction out
    commands/              what each command asks of a run
    steps/                 one run's step: code runs, facts are recorded
    state/                 what a partition has in hand: rows, drafts, waiters, the batch
    host/                  what surrounds it: process, neighbours, watchdog
    payloads/              the codec at its edge
"""

from streamflow.processor.options import ProcessorOptions
from streamflow.processor.service import Processor
from streamflow.processor.turns.local import LocalActivities

__all__ = ["LocalActivities", "Processor", "ProcessorOptions"]

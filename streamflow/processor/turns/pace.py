"""How much a turn takes, and when the next is due."""

from __future__ import annotations

from collections.abc import Iterable

from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.state.partition import Partition
from streamflow.processor.turns.inbound import Inbound

SKEW_LOOK_MS = 1_000
"""How often a processor that fires no timers, for its clock is behind, looks whether it still is."""


def room(partitions: Iterable[Partition], around: Surroundings) -> int:
    """How many records to ask for: fewer while some are held over from the last batch."""
    held = sum(len(partition.held) for partition in partitions)
    return max(1, around.options.batch_records_max - held)


def earliest_due_ms(active: Iterable[Partition], inbound: Inbound, around: Surroundings) -> int:
    """When a timer is due next; 0 is never."""
    if inbound.behind_ms > around.options.skew_stop_ms:
        return around.clock.now_ms() + SKEW_LOOK_MS
    dues = [p.earliest_due_ms for p in active if p.earliest_due_ms]
    return min(dues, default=0)

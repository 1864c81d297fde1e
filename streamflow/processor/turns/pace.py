"""How much a turn takes, and when the next is due."""

from __future__ import annotations

from collections.abc import Iterable

from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.state.partition import Partition
from streamflow.processor.turns.inbound import Inbound

HELD_MAX = 2_000
"""Records that wait in memory for their turn. Each is named in its partition's position."""

HELD_BYTES_MAX = 16_000_000

SKEW_LOOK_MS = 1_000
"""How often a processor that fires no timers, for its clock is behind, looks whether it still is."""


def room(partitions: Iterable[Partition], around: Surroundings) -> int:
    """How many records to ask for: few while much is held over from earlier turns."""
    held = [record for partition in partitions for record in partition.held]
    most = around.options.batch_records_max
    if not held:
        return most
    full = sum(len(record.value or b"") for record in held) > HELD_BYTES_MAX
    return 1 if full else max(1, min(HELD_MAX - len(held), most))


def earliest_due_ms(active: Iterable[Partition], inbound: Inbound, around: Surroundings) -> int:
    """When a timer is due next; 0 is never."""
    if inbound.behind_ms > around.options.skew_stop_ms:
        return around.clock.now_ms() + SKEW_LOOK_MS
    dues = [p.earliest_due_ms for p in active if p.earliest_due_ms]
    return min(dues, default=0)

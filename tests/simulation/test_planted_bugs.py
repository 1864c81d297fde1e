"""Logs whose fences are not those of exactly-once: each must be found within 200 seeds, or the simulation proves nothing.

Bugs of our own code are `tests/mutants`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from streamflow.memory.source import MemorySource
from streamflow.memory.transactions import Lease
from streamflow.memory.transactor import MemoryTransactor
from streamflow.ports import Committed, Fenced, OutRecord, Source, TopicPartition
from tests.simulation.many import failure
from tests.simulation.processes import Plant

SEEDS = 200
Offsets = Mapping[TopicPartition, Committed]


class OffsetsOutside(MemoryTransactor):
    """Commits the records first and the offsets afterwards, on their own."""

    def commit(self, records: Sequence[OutRecord], offsets: Offsets, source: Source) -> None:
        super().commit(records, offsets, source)
        source.commit(offsets)

    def _stage(
        self, lease: Lease, records: Sequence[OutRecord], offsets: Offsets, source: MemorySource
    ) -> None:
        self._append(lease, records)

    def _append(self, lease: Lease, records: Sequence[OutRecord]) -> None:
        for record in records:
            partition = self._connection.broker.partition_for(record)
            self._coordinator.append(lease, partition, record)
        self._connection.enter("commit.staged")


class ReplyFirst(MemoryTransactor):
    """Lets answers go before the transaction is known to be committed."""

    def commit(self, records: Sequence[OutRecord], offsets: Offsets, source: Source) -> None:
        for record in records:
            if record.topic.endswith(".replies"):
                self._connection.broker.append(record)
        super().commit(records, offsets, source)


class FenceIgnored(OffsetsOutside):
    """Takes its ids back when it is fenced, and commits without asking the group."""

    _blind = False

    def commit(self, records: Sequence[OutRecord], offsets: Offsets, source: Source) -> None:
        try:
            MemoryTransactor.commit(self, records, offsets, source)
        except Fenced:
            self.reopen()
            self._blind = True
            MemoryTransactor.commit(self, records, offsets, source)
        finally:
            self._blind = False

    def _stage(
        self, lease: Lease, records: Sequence[OutRecord], offsets: Offsets, source: MemorySource
    ) -> None:
        if not self._blind:
            MemoryTransactor._stage(self, lease, records, offsets, source)
            return
        self._append(lease, records)
        stamp = source.group.positions.stage(offsets)
        self._coordinator._open(lease).staged.append((source.group, stamp))


class OffsetsEmpty(OffsetsOutside):
    """Sends no offsets where the position has not moved, as for timers: such a transaction is fenced by nobody."""

    def commit(self, records: Sequence[OutRecord], offsets: Offsets, source: Source) -> None:
        MemoryTransactor.commit(self, records, offsets, source)

    def _stage(
        self, lease: Lease, records: Sequence[OutRecord], offsets: Offsets, source: MemorySource
    ) -> None:
        before = source.group.positions.decided(offsets)
        if all((was := before[p]) and was.offset == now.offset for p, now in offsets.items()):
            self._append(lease, records)
        else:
            MemoryTransactor._stage(self, lease, records, offsets, source)


PLANTS = {
    "offsets outside the transaction": Plant(transactor=OffsetsOutside),
    "reply before commit": Plant(transactor=ReplyFirst),
    "fence ignored": Plant(transactor=FenceIgnored),
    "offsets empty": Plant(transactor=OffsetsEmpty),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("bug", PLANTS)
def test_a_planted_bug_is_found(bug: str) -> None:
    """By some seed under which the code without it is right."""
    found = (seed for seed in range(SEEDS) if failure(seed, PLANTS[bug]) is not None)

    seed = next(found, None)

    assert seed is not None, f"{bug}: not found by {SEEDS} seeds"
    assert failure(seed) is None

"""A processor's ring of transactional producers on the memory log, with every way in which a commit can end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from streamflow.memory.connection import Connection
from streamflow.memory.faults import CommitFate
from streamflow.memory.source import MemorySource
from streamflow.memory.transactions import Lease
from streamflow.ports import (
    Aborted,
    Committed,
    Fenced,
    LogError,
    OutcomeUnknown,
    OutRecord,
    Source,
    TopicPartition,
)

RING = 2


class MemoryTransactor:
    """Between its begin and its end a transaction of a live process is not seen by anyone: a commit is one call."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._coordinator = connection.broker.coordinator
        self._ids = tuple(f"{name}-{number}" for number in range(RING))
        self._leases: list[Lease] = []
        self._turn = 0

    @property
    def ids(self) -> tuple[str, ...]:
        return self._ids

    def open(self) -> None:
        self._connection.enter("transactor.open")
        self._leases = [self._coordinator.init(id) for id in self._ids]

    def reopen(self) -> None:
        self._connection.enter("transactor.reopen")
        self._leases = [self._coordinator.init(id) for id in self._ids]

    def fence(self, ids: Sequence[str]) -> None:
        self._connection.enter("transactor.fence")
        for id in ids:
            self._coordinator.init(id)

    def commit(
        self,
        records: Sequence[OutRecord],
        offsets: Mapping[TopicPartition, Committed],
        source: Source,
    ) -> None:
        assert offsets, (
            "Expected offsets in every transaction, found none: it would be fenced by nobody"
        )
        assert self._leases, (
            "Expected an open transactor; open it, or reopen it after an unknown outcome"
        )
        assert isinstance(source, MemorySource), "Expected a source of this log"
        self._connection.enter("commit")
        lease = self._leases[self._turn % len(self._leases)]
        self._turn += 1
        self._coordinator.begin(lease)
        self._stage(lease, records, offsets, source)
        self._end(lease, self._connection.broker.faults.commit_fate())
        self._connection.enter("commit.ended")

    def close(self) -> None:
        self._leases = []

    def _stage(
        self,
        lease: Lease,
        records: Sequence[OutRecord],
        offsets: Mapping[TopicPartition, Committed],
        source: MemorySource,
    ) -> None:
        """Passing `enter` in between gives a process the chance to die with the transaction open."""
        try:
            for record in records:
                partition = self._connection.broker.partition_for(record)
                self._coordinator.append(lease, partition, record)
            self._connection.enter("commit.appended")
            self._coordinator.add_offsets(lease, source.group, source.member, offsets)
            self._connection.enter("commit.staged")
        except LogError as error:
            self._coordinator.end(lease, commit=False)
            if isinstance(error, Fenced):
                self._leases = []  # used up: nothing may be committed before `reopen`
            raise

    def _end(self, lease: Lease, fate: CommitFate) -> None:
        match fate:
            case CommitFate.COMMITTED:
                self._coordinator.end(lease, commit=True)
            case CommitFate.ABORTED:
                self._coordinator.end(lease, commit=False)
                raise Aborted("The transaction was aborted (a planned fault); replay")
            case CommitFate.UNKNOWN_COMMITTED:
                self._coordinator.end(lease, commit=True)
                self._doubt()
            case CommitFate.UNKNOWN_OPEN:
                self._doubt()
            case CommitFate.UNKNOWN_LATE:
                self._end_late(lease)
                self._doubt()
            case _:
                assert_never(fate)

    def _end_late(self, lease: Lease) -> None:
        """The request to commit is still under way; it does nothing once the id was taken again."""
        broker = self._connection.broker

        def arrive() -> None:
            if self._coordinator.is_open(lease):
                self._coordinator.end(lease, commit=True)

        broker.clock.call_at(broker.clock.now_ms() + broker.faults.commit_late_ms(), arrive)

    def _doubt(self) -> None:
        self._leases = []  # nothing may be committed before `reopen`
        raise OutcomeUnknown("The transaction's outcome is unknown (a planned fault); reopen")

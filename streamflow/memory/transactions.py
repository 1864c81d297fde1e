"""The transaction coordinator: ids with epochs, and one transaction after another under each.

        begin            end(commit)              every marker written
    (none) ---> OPEN ----------------> decided ------------------------> (none)
                  |   end(abort), a newer init of the id, the timeout  ^
                  +----------------------------------------------------+

A decision is known at once, but its markers reach each partition and the group's offsets on their own, perhaps late:
until then readers of that partition wait. Whoever waits for them (the next transaction of the id, a newer init) makes
them arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from streamflow.memory.clock import MemoryClock, Timer
from streamflow.memory.groups import Group, Member
from streamflow.memory.topics import Decision, Partition, Transaction
from streamflow.ports import Committed, Fenced, OutRecord, TopicPartition

TRANSACTION_TIMEOUT_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Lease:
    """An id as one producer holds it: good until someone takes the id again."""

    id: str
    epoch: int


@dataclass(slots=True)
class _Ongoing:
    """What a transaction has touched so far, and the markers that are still on their way."""

    transaction: Transaction
    timeout: Timer
    partitions: dict[Partition, None] = field(default_factory=dict[Partition, None])
    staged: list[tuple[Group, int]] = field(default_factory=list[tuple[Group, int]])
    markers: dict[int, Callable[[], None]] = field(default_factory=dict[int, Callable[[], None]])


@dataclass(slots=True)
class _Identity:
    """A transactional id: its epoch, and its transaction if one is not wholly over."""

    epoch: int = -1
    ongoing: _Ongoing | None = None


class Coordinator:
    """All transactional ids of a broker."""

    def __init__(
        self,
        clock: MemoryClock,
        *,
        timeout_ms: int = TRANSACTION_TIMEOUT_MS,
        marker_delay_ms: Callable[[], int] = lambda: 0,
    ) -> None:
        self._clock = clock
        self._timeout_ms = timeout_ms
        self._marker_delay_ms = marker_delay_ms
        self._identities: dict[str, _Identity] = {}
        self._begun = 0

    def init(self, id: str) -> Lease:
        """Takes the id: its former holder is fenced, and its transaction is over when this returns."""
        identity = self._identities.setdefault(id, _Identity())
        self._finish(identity)
        identity.epoch += 1
        return Lease(id, identity.epoch)

    def begin(self, lease: Lease) -> Transaction:
        identity = self._identity(lease)
        assert identity.ongoing is None or _decided(identity.ongoing), (
            f"Expected the transaction of {lease.id!r} to be ended before the next begins, found it open; "
            "reopen the producer after an unknown outcome"
        )
        self._finish(identity)
        transaction = Transaction(lease.id, self._begun)
        self._begun += 1
        due_ms = self._clock.now_ms() + self._timeout_ms
        timeout = self._clock.call_at(due_ms, lambda: self._timed_out(lease))
        identity.ongoing = _Ongoing(transaction, timeout)
        return transaction

    def append(self, lease: Lease, partition: Partition, record: OutRecord) -> int:
        """Appends a record that is pending until the transaction's marker."""
        ongoing = self._open(lease)
        ongoing.partitions[partition] = None
        return partition.append(
            record.key,
            record.value,
            record.headers,
            now_ms=self._clock.now_ms(),
            transaction=ongoing.transaction,
        )

    def add_offsets(
        self,
        lease: Lease,
        group: Group,
        member: Member,
        offsets: Mapping[TopicPartition, Committed],
    ) -> None:
        """Raises `Fenced` or `Aborted` as the group judges the member."""
        ongoing = self._open(lease)
        group.check(member)
        ongoing.staged.append((group, group.positions.stage(offsets)))

    def end(self, lease: Lease, *, commit: bool) -> None:
        """Decides; the markers follow, each in its own time."""
        self._decide(self._open(lease), Decision.COMMITTED if commit else Decision.ABORTED)

    def is_open(self, lease: Lease) -> bool:
        """Whether this lease holds its id and has a transaction undecided."""
        identity = self._identities[lease.id]
        ongoing = identity.ongoing
        return identity.epoch == lease.epoch and ongoing is not None and not _decided(ongoing)

    def deliver_markers(self) -> None:
        """Whoever waits for decided transactions sees them arrive."""
        for identity in self._identities.values():
            if identity.ongoing is not None and _decided(identity.ongoing):
                self._finish(identity)

    def _timed_out(self, lease: Lease) -> None:
        """The coordinator ends it, and takes the id away from the one who left it open."""
        if self.is_open(lease):
            self.init(lease.id)

    def _finish(self, identity: _Identity) -> None:
        ongoing = identity.ongoing
        if ongoing is None:
            return
        if not _decided(ongoing):
            self._decide(ongoing, Decision.ABORTED)
        for number in list(ongoing.markers):
            ongoing.markers.pop(number)()
        identity.ongoing = None

    def _decide(self, ongoing: _Ongoing, decision: Decision) -> None:
        ongoing.timeout.cancel()
        ongoing.transaction.decision = decision
        markers = [self._partition_marker(ongoing, partition) for partition in ongoing.partitions]
        markers += [self._offsets_marker(ongoing, *staged) for staged in ongoing.staged]
        ongoing.markers.update(enumerate(markers))
        for number in list(ongoing.markers):
            if delay_ms := self._marker_delay_ms():
                self._write_later(ongoing, number, delay_ms)
            else:
                ongoing.markers.pop(number)()

    def _write_later(self, ongoing: _Ongoing, number: int, delay_ms: int) -> None:
        def write() -> None:
            if (marker := ongoing.markers.pop(number, None)) is not None:
                marker()

        self._clock.call_at(self._clock.now_ms() + delay_ms, write)

    def _partition_marker(self, ongoing: _Ongoing, partition: Partition) -> Callable[[], None]:
        return lambda: partition.mark(ongoing.transaction, now_ms=self._clock.now_ms())

    @staticmethod
    def _offsets_marker(ongoing: _Ongoing, group: Group, stamp: int) -> Callable[[], None]:
        committed = ongoing.transaction.decision is Decision.COMMITTED
        return lambda: group.positions.decide(stamp, committed=committed)

    def _identity(self, lease: Lease) -> _Identity:
        identity = self._identities[lease.id]
        if identity.epoch != lease.epoch:
            raise Fenced(
                f"Expected to hold the transactional id {lease.id!r} (epoch {lease.epoch}), found that "
                f"another took it (epoch {identity.epoch}); give the partitions up"
            )
        return identity

    def _open(self, lease: Lease) -> _Ongoing:
        ongoing = self._identity(lease).ongoing
        assert ongoing is not None, f"Expected an open transaction of {lease.id!r}, found none"
        assert not _decided(ongoing), f"Expected an open transaction of {lease.id!r}, found it over"
        return ongoing


def _decided(ongoing: _Ongoing) -> bool:
    return ongoing.transaction.decision is not Decision.OPEN

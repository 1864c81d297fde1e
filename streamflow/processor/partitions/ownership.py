"""Which partitions this processor has, and how it comes by them and parts with them.

    assigned --> RESTORING --> ACTIVE --> handed over (revoked, closing)
                     |            |
                     +------------+----> dropped (lost, fenced, store corrupted, outcome unknown)

Called back from inside `Source.poll`, so nothing here takes long: restoring happens in slices, between polls.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

from streamflow.observability import get_logger
from streamflow.ports import (
    Log,
    Source,
    StoreCorrupted,
    Stores,
    StoreUnwritable,
    TopicPartition,
    Transactor,
    Unavailable,
)
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.partitions.predecessors import how_far_they_came
from streamflow.processor.partitions.restore import restore
from streamflow.processor.partitions.standby import Standby
from streamflow.processor.snapshots.loading import Loading
from streamflow.processor.state.caution import begin
from streamflow.processor.state.partition import Partition, State
from streamflow.processor.state.waiters import Waiters

log = get_logger("processor")

TROUBLED_RUNS_MAX = 10_000
"""How many stuck runs are tried again at once when a partition becomes active; the rest keep their backoff."""

RESTORE_MS_MAX = 1_000
"""How long partitions are restored at most before those that are active have their turn again."""

FETCHED_AHEAD = 4
"""Histories whose records are fetched side by side while the first is restored. Each may take some 64 MB meanwhile."""

DISK_LOOK_MS = 1_000
"""How often a store is tried again whose disk took nothing more."""


class Ownership:
    def __init__(
        self,
        log_: Log,
        stores: Stores,
        around: Surroundings,
        group: str,
        *,
        hand_over: Callable[[Sequence[int]], None],
        troubled: Callable[[int, str], None],
        active: Callable[[int], None],
        snapshots: Loading | None = None,
        standby: Standby | None = None,
    ) -> None:
        self._log = log_
        self._stores = stores
        self._around = around
        self._group = group
        self._say_goodbye = hand_over
        self._troubled = troubled
        self._snapshots = snapshots
        self._standby = standby
        self._restoring: dict[int, Generator[bool, None, None]] = {}
        self._waiting_for: set[int] = set()
        """Those being restored that wait for a snapshot: no use in looking at them at once."""
        self._begin_with = active
        self._waiters: dict[int, Waiters] = {}
        self.partitions: dict[int, Partition] = {}
        self.settled = False
        """Whether the group has said what is ours, which may be nothing, since it last took something away unasked."""
        self.waiting_for_disk: dict[int, TopicPartition] = {}
        """Ours, but their stores cannot be written now."""
        self._told_of_disk = False
        self._sliced_ms: int | None = None
        """Since when the active partitions work while others still wait to be restored, on the monotonic clock."""
        self._look_ms = 0
        """When to try that again, on the monotonic clock."""
        self._left_behind: list[int] = []
        self._unnoted: list[int] = []
        self._had: set[int] = set()
        """Partitions that were active here before, in this very process."""

    @property
    def restoring(self) -> bool:
        """Whether one could be restored further right now."""
        return len(self._restoring) > len(self._waiting_for)

    @property
    def active(self) -> list[Partition]:
        return [p for p in self.partitions.values() if p.state is State.ACTIVE]

    @property
    def whole(self) -> bool:
        """Whether everything that is ours is active."""
        return not self.waiting_for_disk and len(self.active) == len(self.partitions)

    def take_left_behind(self) -> list[int]:
        """Partitions that became active since the last time and whose last owner had not handed them over."""
        taken, self._left_behind = self._left_behind, []
        return taken

    def take_unnoted(self) -> list[int]:
        """Partitions that became active since the last time and whose owner the log has still to learn."""
        taken, self._unnoted = self._unnoted, []
        return taken

    # -- told by the source -----------------------------------------------------------------------------------------

    def on_assigned(self, partitions: Sequence[TopicPartition]) -> None:
        self.settled = True
        for inbox in partitions:
            self.take(inbox)

    def on_revoked(self, partitions: Sequence[TopicPartition]) -> None:
        self.part_with([inbox.partition for inbox in partitions])

    def on_lost(self, partitions: Sequence[TopicPartition]) -> None:
        self.settled = False
        for inbox in partitions:
            self.drop(inbox.partition)

    # -- coming and going -------------------------------------------------------------------------------------------

    def take(self, inbox: TopicPartition) -> None:
        """Begins anew with a partition, whatever was there before."""
        self.drop(inbox.partition)
        try:
            self.partitions[inbox.partition] = self._opened(inbox)
        except OSError as error:
            self._shut(inbox, error)

    def _opened(self, inbox: TopicPartition) -> Partition:
        try:
            return self._open(inbox)
        except StoreCorrupted as error:
            self._rebuild(inbox.partition, error)
            return self._open(inbox)

    def part_with(self, numbers: Sequence[int]) -> None:
        """Says goodbye in the log, where that is still ours to do, and forgets the partitions."""
        owned = [number for number in numbers if number in self.partitions]
        active = [number for number in owned if self.partitions[number].state is State.ACTIVE]
        if active:
            self._say_goodbye(active)
        for number in numbers:
            self.drop(number)

    def part_with_all(self) -> None:
        """Before the group is left: whoever joins again is told anew what is his."""
        self.part_with(self._numbers())

    def shut(self, error: StoreUnwritable) -> None:
        """The disk takes nothing more. The log may have a batch that the stores lack: it is read once there is room again."""
        for partition in list(self.partitions.values()):
            self.drop(partition.number)
            self._shut(partition.inbox, error)

    def _shut(self, inbox: TopicPartition, error: OSError) -> None:
        now_ms = self._around.clock.monotonic_ms()
        if not self._told_of_disk:
            self._told_of_disk = True
            self._around.counters.unwritable += 1
            log.error(
                "store_unwritable",
                partition=inbox.partition,
                reason=str(error),
                advice="The disk of the state folder is full, or fails: make room there. Nothing is lost, and the partitions "
                "go on by themselves, or sooner elsewhere if this process is ended.",
            )
        self.waiting_for_disk[inbox.partition] = inbox
        self._look_ms = now_ms + DISK_LOOK_MS

    def _look_for_room(self) -> None:
        if not self.waiting_for_disk or self._around.clock.monotonic_ms() < self._look_ms:
            return
        for inbox in list(self.waiting_for_disk.values()):
            self.take(inbox)

    def rebuild(self, error: StoreCorrupted) -> None:
        """One of the stores is damaged, and it is not told which: none is trusted."""
        for partition in self.active:
            self.drop(partition.number)
            self._rebuild(partition.number, error)
            self.take(partition.inbox)

    def drop(self, number: int) -> None:
        """Forgets a partition; what it had in memory never happened."""
        self._waiting_for.discard(number)
        self.waiting_for_disk.pop(number, None)
        restoring = self._restoring.pop(number, None)
        if restoring is not None:
            restoring.close()
        partition = self.partitions.pop(number, None)
        if partition is not None:
            partition.close()
            if self._standby is not None:
                self._standby.released(number)

    def close(self) -> None:
        """No store is in use when this returns, not even by who stands by here."""
        self.drop_all()
        if self._standby is not None:
            self._standby.end()

    def drop_all(self) -> None:
        for number in self._numbers():
            self.drop(number)

    def _numbers(self) -> list[int]:
        """Of all that is ours, those that wait for room on the disk included."""
        return [*self.partitions, *self.waiting_for_disk]

    # -- restoring --------------------------------------------------------------------------------------------------

    def restore_slice(self, source: Source, transactor: Transactor) -> None:
        """Restores for a bounded time, then lets the active partitions work: on a busy log each of their turns takes long, and
        restoring gets as much, or the last partition would wait for the first ones' backlog."""
        self._look_for_room()
        self._restore_for(self._slice_ms(), source, transactor)
        self._sliced_ms = None if self.whole else self._around.clock.monotonic_ms()

    def _slice_ms(self) -> int:
        slice_ms = self._around.options.restore_slice_ms
        if self._sliced_ms is None:
            return slice_ms
        worked_ms = self._around.clock.monotonic_ms() - self._sliced_ms
        return max(slice_ms, min(worked_ms, RESTORE_MS_MAX))

    def _restore_for(self, slice_ms: int, source: Source, transactor: Transactor) -> None:
        clock = self._around.clock
        waiting = [p for p in self.partitions.values() if p.state is State.RESTORING]
        self._begin_restoring(
            [p for p in waiting if p.number not in self._restoring], source, transactor
        )
        stop_ms = clock.monotonic_ms() + slice_ms
        for partition in waiting:
            while partition.number in self._restoring and self._restore_step(partition, source):
                if clock.monotonic_ms() >= stop_ms:
                    return

    def _begin_restoring(
        self, partitions: Sequence[Partition], source: Source, transactor: Transactor
    ) -> None:
        if not partitions:
            return
        try:
            committed = how_far_they_came(
                partitions,
                log_=self._log,
                source=source,
                transactor=transactor,
                around=self._around,
                group=self._group,
            )
        except Unavailable as error:
            numbers = [partition.number for partition in partitions]
            log.warning("restore_waits", partitions=numbers, reason=str(error))
            return
        for partition in partitions:
            self._restoring[partition.number] = restore(
                partition,
                committed[partition.inbox],
                log_=self._log,
                around=self._around,
                snapshots=self._snapshots,
            )
        for partition in partitions[:FETCHED_AHEAD]:
            self._restore_step(partition, source)

    def _restore_step(self, partition: Partition, source: Source) -> bool:
        """One slice of one partition; whether there is more of it now."""
        self._waiting_for.discard(partition.number)
        try:
            more = next(self._restoring[partition.number], None)
            if more is None:
                del self._restoring[partition.number]
                self._activate(partition, source)
                return False
        except StoreCorrupted as error:
            self.drop(partition.number)
            self._rebuild(partition.number, error)
            self.take(partition.inbox)
            return False
        except OSError as error:
            self.drop(partition.number)
            self._shut(partition.inbox, error)
            return False
        except Unavailable as error:
            log.warning("restore_waits", partitions=[partition.number], reason=str(error))
            self._restoring.pop(partition.number, None)
            return False
        if not more:
            self._waiting_for.add(partition.number)
        return more

    def _activate(self, partition: Partition, source: Source) -> None:
        reader = self._log.reader()
        try:
            first = reader.start_offset(partition.inbox)
        finally:
            reader.close()
        offset = max(partition.meta.inbox_offset, first)
        if 0 <= partition.meta.inbox_offset < first:
            lost = partition.meta.untaken_below(first)
            self._around.counters.expired_input += lost
            log.error(
                "input_expired",
                partition=partition.number,
                expected_offset=partition.meta.inbox_offset,
                first_offset=first,
                advice="The inbox's retention took records that nobody had read: run processors more often than that.",
            )
        partition.meta.begin_at(offset)
        # First, for it may find the log unavailable: an active partition that is not read would stand still for ever.
        source.start_reading({partition.inbox: offset})
        partition.state = State.ACTIVE
        self._begin_with(partition.number)
        self._told_of_disk = False
        meta = partition.meta
        if meta.owner:
            self._left_behind.append(partition.number)
        namesake = meta.owner == self._around.options.name
        ours = namesake and partition.number in self._had
        told = ours or (namesake and self._around.suspects.remembers)
        partition.caution = begin(
            partition.number, meta, self._around, died=bool(meta.owner) and not told
        )
        self._had.add(partition.number)
        if not ours:
            self._unnoted.append(partition.number)
        # A new process may have new code: whoever is stuck is tried again at once.
        for run_id in partition.rows.troubled_runs(TROUBLED_RUNS_MAX):
            self._troubled(partition.number, run_id)
        log.info(
            "partition_restored",
            partition=partition.number,
            ordinal=partition.meta.ordinal,
            inbox_offset=offset,
        )

    def _open(self, inbox: TopicPartition) -> Partition:
        number = inbox.partition
        history = TopicPartition(self._around.history_topic, number)
        if self._standby is not None:
            self._standby.give_up(number)
        store = self._stores.open(str(number))
        waiters = self._waiters.get(number)
        if waiters is None:
            waiters = self._waiters[number] = Waiters(waiters_max=self._around.options.waiters_max)
        partition = Partition(number, inbox, history, store, waiters, self._around.options)
        partition.meta = partition.rows.meta()
        return partition

    def _rebuild(self, number: int, error: StoreCorrupted) -> None:
        log.warning("store_rebuilt", partition=number, reason=str(error))
        if self._standby is not None:
            self._standby.give_up(number)
        self._stores.drop(str(number))

"""A member of a consumer group, and how its thread waits for records.

Assignment is `streamflow.memory.groups`; here is its delivery to one thread: news of the group first, then records.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from streamflow.embedded.journal import Journal
from streamflow.embedded.partition import Partition
from streamflow.embedded.reading import Shelf
from streamflow.memory.groups import Assigned, Group, Lost, Revoked
from streamflow.observability import get_logger
from streamflow.ports import (
    Committed,
    Fenced,
    LogError,
    RebalanceListener,
    Record,
    TopicPartition,
)

_log = get_logger("embedded")


class Cursor:
    """Where a source is in one partition."""

    __slots__ = ("partition", "paused", "position")

    def __init__(self, partition: Partition, position: int) -> None:
        self.partition = partition
        self.position = position
        self.paused = False


class EmbeddedSource:
    """A `Source`."""

    def __init__(
        self,
        group: Group,
        listener: RebalanceListener,
        instance: str,
        topics: Sequence[str],
        *,
        journal: Journal,
        shelf: Shelf,
        find: Callable[[TopicPartition], Partition],
        unsynced: Callable[[], None],
        closed: Callable[[EmbeddedSource], None],
    ) -> None:
        self.group = group
        self.waiting = False
        self._listener = listener
        self._journal = journal
        self._lock = journal.lock
        self._shelf = shelf
        self._find = find
        self._unsynced = unsynced
        self._closed = closed
        self._signal = threading.Lock()
        self._signal.acquire()
        self._woken = False
        self._news = False
        self._is_open = True
        self._cursors: dict[TopicPartition, Cursor] = {}
        self._order: list[Cursor] = []
        with self._lock:
            self.member = group.join(instance, topics, self._told)
        self._news = True

    # -- records

    def poll(self, records_max: int, wait_ms: int) -> list[Record]:
        if self._news:
            self._follow_group()
        records = self._take(records_max)
        if records or wait_ms <= 0:
            self._woken = False
            return records
        deadline = time.monotonic() + wait_ms / 1000
        while self._wait(deadline):
            if self._news:
                self._follow_group()
            if records := self._take(records_max):
                break
        self._woken = False
        return records

    def wake(self) -> None:
        with self._lock:
            self._woken = True
            if self.waiting:
                self.rouse()

    def rouse(self) -> None:
        """With the journal's lock held, of one that is waiting."""
        self.waiting = False
        self._signal.release()

    def _wait(self, deadline: float) -> bool:
        """Whether something may have come; False when the time is over or it was woken without a reason."""
        with self._lock:
            if self._woken:
                return False
            if self._news or any(map(_ready, self._order)):
                return True
            self.waiting = True
        if self._signal.acquire(timeout=max(0.0, deadline - time.monotonic())):
            return not self._woken
        with self._lock:
            if self.waiting:
                self.waiting = False
                return False
        self._signal.acquire()  # released in the moment between
        return True

    def _take(self, records_max: int) -> list[Record]:
        records: list[Record] = []
        behind: Cursor | None = None
        with self._lock:
            for index, cursor in enumerate(self._order):
                partition = cursor.partition
                position = cursor.position
                if position >= partition.visible or cursor.paused:
                    continue
                if position < partition.base:
                    behind = behind or cursor
                    continue
                found = partition.in_memory(position, partition.visible, records_max - len(records))
                cursor.position = position + len(found)
                records += found
                if len(records) >= records_max:
                    # The next poll begins behind this one, so that a busy partition starves no other.
                    self._order = self._order[index + 1 :] + self._order[: index + 1]
                    break
        if behind is not None and len(records) < records_max:
            records += self._take_stored(behind, records_max - len(records))
        return records

    def _take_stored(self, cursor: Cursor, records_max: int) -> list[Record]:
        partition = cursor.partition
        offset = max(cursor.position, partition.start)
        if offset > cursor.position:
            _log.warning(
                "records_expired_unread",
                group=self.group.name,
                partition=partition.name,
                records=offset - cursor.position,
            )
        records, cursor.position = self._shelf.stored(
            partition, offset, max(offset, partition.base), records_max
        )
        return records

    # -- partitions

    def start_reading(self, offsets: Mapping[TopicPartition, int]) -> None:
        for name, offset in offsets.items():
            if name not in self.member.held:
                raise LogError(
                    f"Expected {name} to be assigned, found it is not; wait for on_assigned"
                )
            partition = self._find(name)
            with self._lock:
                if not partition.start <= offset <= partition.end:
                    raise LogError(
                        f"Expected an offset of {name.topic}/{name.partition} from {partition.start} to "
                        f"{partition.end}, found {offset}; records before the start are gone, restore without them"
                    )
                if name not in self._cursors:
                    partition.watchers = [*partition.watchers, self]
                    self._cursors[name] = Cursor(partition, offset)
                else:
                    self._cursors[name].position = offset
                self._order = list(self._cursors.values())

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        self._set_paused(partitions, True)

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        self._set_paused(partitions, False)

    def position_in(self, partition: TopicPartition) -> int | None:
        cursor = self._cursors.get(partition)
        return None if cursor is None else cursor.position

    def _set_paused(self, partitions: Iterable[TopicPartition], paused: bool) -> None:
        for partition in partitions:
            if cursor := self._cursors.get(partition):
                cursor.paused = paused

    def _stop_reading(self, partitions: Iterable[TopicPartition]) -> None:
        with self._lock:
            for name in partitions:
                if cursor := self._cursors.pop(name, None):
                    watchers = cursor.partition.watchers
                    cursor.partition.watchers = [w for w in watchers if w is not self]
            self._order = list(self._cursors.values())

    # -- positions

    def committed(
        self, partitions: Iterable[TopicPartition], *, stable: bool = True
    ) -> dict[TopicPartition, Committed | None]:
        """Always the stable ones: what is undecided is decided by a sync, which is made here."""
        self._journal.settle()
        with self._lock:
            return self.group.positions.stable(partitions)

    def commit(self, offsets: Mapping[TopicPartition, Committed]) -> None:
        with self._lock:
            self.check_owned(offsets)
            self._journal.current()  # refuses when the log is broken
            for partition, position in offsets.items():
                self._journal.put_position(self.group.name, partition, position)
            self.group.positions.commit(offsets)
            self._unsynced()

    def check_owned(self, offsets: Iterable[TopicPartition]) -> None:
        """With the journal's lock held. Raises `Fenced` unless all are the member's, or `Aborted`."""
        self.group.check(self.member)
        held = self.member.held
        for partition in offsets:
            if partition not in held:
                raise Fenced(
                    f"Expected {self.member.instance!r} to own {partition.topic}/{partition.partition} in group "
                    f"{self.group.name!r}, found that it does not; give the partition up"
                )

    # -- the group

    def close(self, *, leave: bool = True) -> None:
        """Its partitions move at once in either case: nobody in this process would wait for a session to end."""
        if not self._is_open:
            return
        self._is_open = False
        self._stop_reading(list(self._cursors))
        with self._lock:
            self.group.leave(self.member)
        self._closed(self)

    def _told(self) -> None:
        """The group has news; called with the lock held."""
        self._news = True
        if self.waiting:
            self.rouse()

    def _follow_group(self) -> None:
        while True:
            with self._lock:
                self._news = False
                news = self.group.news(self.member)
                belongs = self.member.standing.belongs
            match news:
                case Assigned(partitions):
                    self._listener.on_assigned(partitions)
                case Revoked(partitions):
                    self._listener.on_revoked(partitions)
                    self._stop_reading(partitions)
                    with self._lock:
                        self.group.release(self.member, partitions)
                case Lost(partitions):
                    self._stop_reading(partitions)
                    self._listener.on_lost(partitions)
                case None:
                    if not belongs:
                        self._news = True  # the next poll says so again
                        raise Fenced(
                            f"Expected {self.member.instance!r} to be a member of group {self.group.name!r}, found "
                            f"it {self.member.standing.value}: another with this name joined, or it was closed"
                        )
                    return


def _ready(cursor: Cursor) -> bool:
    return cursor.position < cursor.partition.visible and not cursor.paused

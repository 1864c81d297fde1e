"""A consumer group's member on the memory log: rebalances served from inside `poll`, records from visible partitions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import assert_never

from streamflow.memory.connection import Connection
from streamflow.memory.groups import Assigned, Group, Lost, Member, Revoked, Standing
from streamflow.ports import (
    Committed,
    Fenced,
    RebalanceListener,
    Record,
    TopicPartition,
    Unavailable,
)


class MemorySource:
    """Never waits: who turns its machine is woken instead."""

    def __init__(
        self,
        connection: Connection,
        *,
        group: str,
        topics: Sequence[str],
        listener: RebalanceListener,
        instance: str,
    ) -> None:
        connection.enter("source")
        connection.broker.expect_topics(topics)
        self._connection = connection
        self._listener = listener
        self._turn_again = connection.turning
        self._group = connection.broker.group(group)
        self._positions: dict[TopicPartition, int] = {}
        self._unwatch: dict[TopicPartition, Callable[[], None]] = {}
        self._paused: dict[TopicPartition, None] = {}
        self._late: dict[TopicPartition, None] = {}
        self._polls = 0
        self._member = self._group.join(instance, topics, self.wake)
        connection.attach(self)

    @property
    def group(self) -> Group:
        return self._group

    @property
    def member(self) -> Member:
        """Its membership now: who it commits as."""
        return self._member

    def poll(self, records_max: int, wait_ms: int) -> list[Record]:
        """Raises `Fenced` if another process has joined as this instance."""
        self._connection.enter("poll")
        self._strike()
        self._serve_rebalance()
        return self._fetch(records_max)

    def start_reading(self, offsets: Mapping[TopicPartition, int]) -> None:
        self._connection.enter("start_reading")
        for name, offset in offsets.items():
            assert name in self._member.held, f"Expected {name} to be assigned, found it is not"
            partition = self._connection.broker.partition(name)
            partition.check_offset(offset)
            self._positions[name] = offset
            if name not in self._unwatch:
                self._unwatch[name] = partition.watch(partial(self._arrived, name))
        self.wake()

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        self._paused.update(dict.fromkeys(partitions))

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            self._paused.pop(partition, None)
        self.wake()

    def committed(
        self, partitions: Iterable[TopicPartition], *, stable: bool = True
    ) -> dict[TopicPartition, Committed | None]:
        """Raises `Unavailable` at once while a transaction is undecided: nothing can be waited for here."""
        self._connection.enter("committed")
        asked = list(partitions)
        positions = self._group.positions
        if not stable:
            return positions.decided(asked)
        if any(positions.is_undecided(partition) for partition in asked):
            self._connection.broker.coordinator.deliver_markers()
        try:
            return positions.stable(asked)
        except Unavailable as error:
            raise self._connection.unavailable(str(error)) from None

    def commit(self, offsets: Mapping[TopicPartition, Committed]) -> None:
        self._connection.enter("source.commit")
        self._group.check(self._member)
        self._group.positions.commit(offsets)

    def wake(self) -> None:
        if self._turn_again is not None:
            self._connection.soon(self._turn_again)

    def close(self, *, leave: bool = True) -> None:
        if self._connection.process.dead:
            return
        self._forget(list(self._unwatch))
        self._connection.detach(self)
        if leave:
            self._group.leave(self._member)
        else:
            self._group.silence(self._member)

    # -- its process

    def paused(self) -> None:
        self._group.silence(self._member)

    def resumed(self) -> None:
        self._group.hear(self._member)

    def disconnected(self) -> None: ...

    def crashed(self) -> None:
        self._forget(list(self._unwatch))
        self._group.silence(self._member)

    # -- rebalances

    def _strike(self) -> None:
        faults = self._connection.broker.faults
        if faults.rebalances():
            self._group.rebalance()
        if faults.loses_session():
            self._group.expire(self._member)

    def _serve_rebalance(self) -> None:
        while True:
            news = self._group.news(self._member)
            match news:
                case Assigned(partitions=partitions):
                    self._listener.on_assigned(partitions)
                case Revoked(partitions=partitions):
                    self._revoke(partitions)
                case Lost(partitions=partitions):
                    self._forget(partitions)
                    self._listener.on_lost(partitions)
                case None:
                    if self._member.standing.belongs:
                        return
                    self._join_again()
                case _:
                    assert_never(news)

    def _revoke(self, partitions: Sequence[TopicPartition]) -> None:
        try:
            self._listener.on_revoked(partitions)
        finally:
            self._forget(partitions)
            self._group.release(self._member, partitions)

    def _join_again(self) -> None:
        former = self._member
        if former.standing is not Standing.EXPIRED:
            raise Fenced(
                f"Expected to be {former.instance!r} of group {self._group.name!r}, found this member "
                f"{former.standing.value}: another process joined under this name, or it was closed"
            )
        self._member = self._group.join(former.instance, former.topics, self.wake)

    # -- records

    def _fetch(self, records_max: int) -> list[Record]:
        """From the partitions in turn, a different one first each time, so that none starves."""
        ready = [
            name for name in self._positions if not (name in self._paused or name in self._late)
        ]
        self._polls += 1
        first = self._polls % len(ready) if ready else 0
        records: list[Record] = []
        for name in ready[first:] + ready[:first]:
            if len(records) == records_max:
                self.wake()  # some were not even looked at
                break
            partition = self._connection.broker.partition(name)
            found, self._positions[name] = partition.read(
                self._positions[name], records_max - len(records)
            )
            records += found
            if len(records) == records_max and partition.has_visible(self._positions[name]):
                self.wake()
        return records

    def _arrived(self, name: TopicPartition) -> None:
        if name in self._late:
            return
        delay_ms = self._connection.broker.faults.delivery_delay_ms()
        if not delay_ms:
            self.wake()
            return
        self._late[name] = None
        clock = self._connection.broker.clock
        clock.call_at(clock.now_ms() + delay_ms, lambda: self._come(name))

    def _come(self, name: TopicPartition) -> None:
        self._late.pop(name, None)
        self.wake()

    def _forget(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            self._positions.pop(partition, None)
            self._paused.pop(partition, None)
            if (unwatch := self._unwatch.pop(partition, None)) is not None:
                unwatch()

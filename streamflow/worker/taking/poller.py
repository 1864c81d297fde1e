"""Takes a queue's activity tasks from the log, and commits which are done. A `Machine`.

    turn:  begin reading --> ends and answers --> tick (announce, beat, ask again, commit) --> poll --> tasks

What becomes of the tasks is `tasks`'s. Partitions that are taken away hand their waiting tasks back and take their running
ones; on a loss nothing is committed.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence

from streamflow.observability import get_logger
from streamflow.ports import (
    Committed,
    Fenced,
    Log,
    LogError,
    Reader,
    Record,
    Source,
    TopicPartition,
    Unavailable,
)
from streamflow.topology import activities_topic, activity_group, dead_letters_topic
from streamflow.wire.entities import decode_task
from streamflow.wire.errors import Undecodable
from streamflow.wire.inbox import dead_letter
from streamflow.worker.running.executor import Executor
from streamflow.worker.taking.asking import Questions
from streamflow.worker.taking.delivery import Delivery, Partition
from streamflow.worker.taking.limits import PollerOptions
from streamflow.worker.taking.replies import Replies
from streamflow.worker.taking.sending import Sender
from streamflow.worker.taking.tasks import Tasks

_log = get_logger("worker")


class Poller:
    """Everything runs on the driver's thread, but what says otherwise."""

    def __init__(self, log: Log, executor: Executor, options: PollerOptions) -> None:
        self._log = log
        self._executor = executor
        self._options = options
        self._replies = Replies(log, options.namespace, options.name)
        self._partitions: dict[TopicPartition, Partition] = {}
        self._assigned: dict[TopicPartition, None] = {}
        """Not yet read."""
        self._settled = False
        self._crowded: set[TopicPartition] = set()
        self._buried: deque[tuple[Partition, int]] = deque()
        """Records that are safe among the dead letters."""
        self._unburied: deque[tuple[Partition, Record, str]] = deque()
        """Records that the dead-letter topic has not taken, and why they go there."""
        self._paused = False
        self._draining = False
        self._next_tick_ms = 0
        self._parts: _Parts | None = None

    # -- machine --------------------------------------------------------------------------------------------------

    def open(self) -> None:
        self._parts = _Parts(self, self._log, self._executor, self._replies, self._options)
        self._replies.open(self.wake)

    def turn(self) -> int | None:
        parts = self._opened
        try:
            self._begin_reading()
            parts.tasks.take_ends()
            parts.tasks.take_answers(self._replies.take())
            if parts.tasks.begun.note():
                self.commit(self._partitions.values())
            self._tick_if_due()
            room = self._room()
            self._pause_or_resume(room)
            most = max(1, min(room, self._options.records_per_poll_max))
            records = parts.source.poll(most, self._wait_ms())
            if records:
                self._take_records(records)
                return 0
        except Unavailable as error:
            # The log is away for now; what was under way is kept and tried again.
            _log.warning("log_unavailable", error=str(error))
            if self._log.threaded:
                threading.Event().wait(self._options.tick_ms / 1_000)
            return self._options.tick_ms
        return None if self._idle else self._wait_ms()

    def close(self) -> None:
        """Reports what has ended and commits. What still runs could not report any more, so others are given it."""
        parts = self._parts
        if parts is None:
            return
        try:
            parts.sender.flush(self._options.flush_on_revoke_ms)
            self._give_up(list(self._partitions), commit=True, take=False)
        finally:
            parts.tasks.close()
            parts.sender.close()
            self._replies.close()
            parts.source.close(leave=True)
            parts.reader.close()

    def wake(self) -> None:
        """Ends a waiting turn. From any thread."""
        if self._parts is not None:
            self._parts.source.wake()

    @property
    def ready(self) -> bool:
        """Whether the group has said which partitions are ours, perhaps none, and all of them are read."""
        return self._settled and not self._assigned

    def drain(self) -> None:
        """Takes no more tasks; those in hand go on. From any thread."""
        self._draining = True
        if self._parts is not None:
            self._parts.tasks.draining = True
        self.wake()

    def room(self) -> None:
        """A task has ended. From the event loop."""
        if self._paused or (self._parts is not None and self._parts.tasks.want_room):
            self.wake()

    @property
    def _opened(self) -> _Parts:
        assert self._parts is not None, "open() comes first"
        return self._parts

    @property
    def _idle(self) -> bool:
        return not (self._opened.tasks or self._assigned or self._buried or self._uncommitted)

    @property
    def _uncommitted(self) -> bool:
        return any(partition.due_commit() is not None for partition in self._partitions.values())

    def _wait_ms(self) -> int:
        if self._idle:
            return self._options.idle_poll_ms
        return self._options.note_after_ms if self._opened.tasks.begun else self._options.tick_ms

    # -- partitions come and go -----------------------------------------------------------------------------------

    def on_assigned(self, partitions: Sequence[TopicPartition]) -> None:
        self._settled = True
        self._assigned.update(dict.fromkeys(partitions))

    def on_revoked(self, partitions: Sequence[TopicPartition]) -> None:
        self._give_up(partitions, commit=True, take=True)

    def on_lost(self, partitions: Sequence[TopicPartition]) -> None:
        self._settled = False
        self._give_up(partitions, commit=False, take=False)

    def _begin_reading(self) -> None:
        """From the committed mark; what was there before us is asked about before it runs."""
        if not self._assigned:
            return
        source, reader = self._opened.source, self._opened.reader
        names = list(self._assigned)
        committed, ends = source.committed(names), reader.end_offsets(names)
        for name in names:
            found = committed.get(name)
            start = reader.start_offset(name)
            offset, metadata = found if found and found.offset >= start else Committed(start)
            partition = Partition(name, offset, metadata, ends[name])
            source.start_reading({name: offset})
            self._partitions[name] = partition
            del self._assigned[name]
        if self._paused:
            source.pause(names)
        self._share_rate()
        _log.info("activity_partitions_assigned", queue=self._options.queue, partitions=len(names))

    def _share_rate(self) -> None:
        """Of the queue's rate, as large a part as of its partitions: nobody else knows how fast the others are."""
        options = self._options
        if options.queue_per_second is not None:
            share = max(len(self._partitions), 1) / options.queue_partitions
            self._executor.queue_rate.per_second = options.queue_per_second * share

    def _give_up(self, names: Sequence[TopicPartition], *, commit: bool, take: bool) -> None:
        for name in names:
            self._assigned.pop(name, None)
            self._crowded.discard(name)
        given_up = [p for name in names if (p := self._partitions.pop(name, None)) is not None]
        for partition in given_up:
            partition.owned = False
        if given_up:
            self._share_rate()
            self._opened.tasks.leave(take=take)
            if commit:
                self.commit(given_up)

    # -- records --------------------------------------------------------------------------------------------------

    def _room(self) -> int:
        if self._draining:
            return 0
        return self._options.slots + self._options.prefetch - self._opened.tasks.in_hand

    def _pause_or_resume(self, room: int) -> None:
        if self._paused == (room <= 0):
            return
        self._paused = room <= 0
        if self._paused:
            self._opened.source.pause(list(self._partitions))
        else:
            self._opened.source.resume([p for p in self._partitions if p not in self._crowded])

    def _take_records(self, records: Sequence[Record]) -> None:
        deliveries: list[Delivery] = []
        for record in records:
            partition = self._partitions.get(TopicPartition(record.topic, record.partition))
            if partition is None or not partition.window.deliver(record.offset):
                continue
            delivery = self._decoded(partition, record)
            if delivery is not None:
                deliveries.append(delivery)
        self._opened.tasks.take(deliveries)

    def _decoded(self, partition: Partition, record: Record) -> Delivery | None:
        """The record's task; one that cannot be read goes to the dead letters."""
        try:
            task = decode_task(record.value or b"")
        except Undecodable as error:
            _log.error(
                "task_undecodable",
                partition=record.partition,
                offset=record.offset,
                error=str(error),
            )
            self._bury(partition, record, str(error))
            return None
        sure_until_ms = record.timestamp_ms + self._options.sure_for_ms
        return Delivery(partition, record.offset, task, sure_until_ms)

    def _bury(self, partition: Partition, record: Record, why: str) -> None:
        topic = dead_letters_topic(self._options.namespace)
        letter = dead_letter(record, topic=topic, stage="VALUE_CONVERTER", message=why)

        def sent(error: LogError | None) -> None:
            if error is None:
                self._buried.append((partition, record.offset))
            else:
                # Left unfinished: it is tried again, here or by the partition's next owner.
                _log.error("dead_letter_not_sent", offset=record.offset, error=str(error))
                self._unburied.append((partition, record, why))

        self._opened.sender.send(letter, sent)

    # -- in between -----------------------------------------------------------------------------------------------

    def _tick_if_due(self) -> None:
        monotonic_ms = self._log.clock.monotonic_ms()
        if monotonic_ms < self._next_tick_ms:
            return
        self._next_tick_ms = monotonic_ms + self._options.tick_ms
        self._opened.tasks.tick(monotonic_ms)
        while self._buried:
            partition, offset = self._buried.popleft()
            partition.window.finish(offset)
        for _ in range(len(self._unburied)):
            partition, record, why = self._unburied.popleft()
            if self._partitions.get(TopicPartition(record.topic, record.partition)) is partition:
                self._bury(partition, record, why)
        self.commit(self._partitions.values())
        self._hold_back_the_crowded()

    def commit(self, partitions: Iterable[Partition]) -> bool:
        """Whether every one of them is committed as it is now."""
        due = [(p, position) for p in partitions if (position := p.due_commit()) is not None]
        if not due:
            return True
        try:
            self._opened.source.commit({partition.name: position for partition, position in due})
        except (Fenced, Unavailable) as error:
            # Fenced: the partitions are someone else's by now, and we are about to be told. Else the next tick tries.
            _log.info("window_not_committed", queue=self._options.queue, error=str(error))
            for partition, _ in due:
                partition.committed = None
            return False
        for partition, position in due:
            partition.committed = position
        return True

    def _hold_back_the_crowded(self) -> None:
        """A partition with too much finished out of order gives nothing new until its mark has moved."""
        for name, partition in self._partitions.items():
            is_crowded = partition.window.is_crowded()
            if is_crowded and name not in self._crowded:
                self._crowded.add(name)
                self._opened.source.pause([name])
            elif not is_crowded and name in self._crowded:
                self._crowded.discard(name)
                if not self._paused:
                    self._opened.source.resume([name])


class _Parts:
    """What is made when the machine opens, on its thread."""

    def __init__(
        self, poller: Poller, log: Log, executor: Executor, replies: Replies, options: PollerOptions
    ) -> None:
        self.sender = Sender(log.producer(), options.identity)
        self.reader: Reader = log.reader()
        self.tasks = Tasks(
            executor,
            self.sender,
            Questions(self.sender, replies),
            log.clock,
            options,
            commit=poller.commit,
            room=poller.room,
        )
        self.source: Source = log.source(
            group=activity_group(options.namespace, options.queue),
            topics=[activities_topic(options.namespace, options.queue)],
            listener=poller,
            instance=options.name,
        )

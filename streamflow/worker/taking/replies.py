"""Answers and cancellations for one worker: its part of a partition of the namespace's replies topic."""

from __future__ import annotations

import itertools
import secrets
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from streamflow.model.answers import Answer
from streamflow.model.commands import ReplyTo
from streamflow.model.tasks import CancelTask
from streamflow.observability import get_logger
from streamflow.ports import Log, Record, Tail, TopicMissing, TopicPartition
from streamflow.topology import replies_topic
from streamflow.wire.envelope import REQUEST_ID
from streamflow.wire.errors import Undecodable
from streamflow.wire.inbox import decode_reply

_log = get_logger("worker")


class Reply(NamedTuple):
    """One that has arrived."""

    request_id: str
    answer: Answer | CancelTask
    at_ms: int
    """When it was written."""


class Replies:
    """Subscribed on the poll thread; delivered on any; taken on the poll thread."""

    def __init__(self, log: Log, namespace: str, instance: str) -> None:
        self._log = log
        self._topic = replies_topic(namespace)
        self._instance = instance
        # Several clients and workers share a partition: the prefix tells whose an answer is.
        self._prefix = f"w-{secrets.token_hex(8)}-"
        self._marked = self._prefix.encode()
        self._numbers = itertools.count(1)
        self._arrived: deque[Reply] = deque()
        self._place = TopicPartition(self._topic, 0)
        self._tail: Tail | None = None
        self._wake: Callable[[], None] = _nothing

    def open(self, wake: Callable[[], None]) -> None:
        """Listens from now on; ``wake`` is called, on any thread, when there is something to take.

        Raises:
            TopicMissing: the namespace has no replies topic.
        """
        state = self._log.topics().get(self._topic)
        if state is None:
            raise TopicMissing(
                f"Expected topic {self._topic}, found none; run `streamflow topology apply`",
                [self._topic],
            )
        self._wake = wake
        # By name, so that a worker that comes back reads the same partition, and a simulation the same each time.
        partition = zlib.crc32(self._instance.encode()) % state.partitions
        self._place = TopicPartition(self._topic, partition)
        self._tail = self._log.tail(self._place, self._deliver)

    def address(self) -> ReplyTo:
        """A new address for one answer."""
        return ReplyTo(*self._place, f"{self._prefix}{next(self._numbers):x}")

    @property
    def control(self) -> ReplyTo:
        """The address for cancellations of any of the worker's tasks."""
        return ReplyTo(*self._place, f"{self._prefix}control")

    def take(self) -> list[Reply]:
        """What has arrived since the last time."""
        taken: list[Reply] = []
        while self._arrived:
            taken.append(self._arrived.popleft())
        return taken

    def close(self) -> None:
        if self._tail is not None:
            self._tail.close()

    def _deliver(self, records: Sequence[Record]) -> None:
        mine = [record for record in records if self._is_mine(record)]
        for record in mine:
            try:
                self._arrived.append(Reply(*decode_reply(record), record.timestamp_ms))
            except Undecodable as error:  # each record is judged by itself
                _log.warning("answer_undecodable", offset=record.offset, error=str(error))
        if mine:
            self._wake()

    def _is_mine(self, record: Record) -> bool:
        return any(
            name == REQUEST_ID and value.startswith(self._marked) for name, value in record.headers
        )


def _nothing() -> None: ...

"""Where a client's answers arrive: one partition of the replies topic, chosen once and read to its end.

The log calls back on threads of its own. Answers are gathered there and handed to the event loop in batches, one wake-up
for as many as have come.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from streamflow import topology
from streamflow.client.log.patience import blocking
from streamflow.client.transport import DEADLINE_S
from streamflow.ports import Record, TopicPartition, TopicState
from streamflow.service import RPCError, RPCStatusCode
from streamflow.topology.declarations import BROKER_DEFAULT
from streamflow.wire.envelope import REQUEST_ID

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from streamflow.ports import Log, Tail


class Replies:
    """Listens on one partition. Belongs to the event loop, but for what the log calls."""

    def __init__(
        self, log: Log, loop: asyncio.AbstractEventLoop, take: Callable[[str, Record], None]
    ) -> None:
        """``take`` is called on the loop with the request's ID and the record, for each that arrives."""
        self._log = log
        self._loop = loop
        self._take = take
        self._arrived: deque[Record] = deque()
        self._waking = False
        self._tail: Tail | None = None
        self._closed = False
        self.place = TopicPartition("", 0)

    async def open(self, namespace: str, *, create_topics: bool) -> None:
        """Chooses a partition, and listens there from its present end. Raises `RPCError` where there is none."""
        topic = topology.replies_topic(namespace)
        state = await blocking(
            self._log, lambda: _replies_state(self._log, namespace, topic, create_topics)
        )
        if state is None:
            raise RPCError(
                f"Namespace {namespace} is not found. Expected its topics, found no {topic}. Create them with a queue: "
                f"{topology.apply_command(namespace, 'QUEUE')}",
                RPCStatusCode.NOT_FOUND,
            )
        self.place = TopicPartition(topic, random.randrange(state.partitions))
        self._tail = await blocking(
            self._log, lambda: self._log.tail(self.place, self._deliver), patience_s=DEADLINE_S
        )

    async def close(self) -> None:
        self._closed = True
        if self._tail is not None:
            await blocking(self._log, self._tail.close)

    def on_loop(self, call: Callable[[], None]) -> None:
        """Calls it on the loop soon. For any thread."""
        if self._closed:
            return
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            # The loop has been closed under a client that nobody closed: no caller waits any more.
            self._closed = True

    def _deliver(self, records: Sequence[Record]) -> None:
        """Called on the log's thread."""
        self._arrived.extend(records)
        if not self._waking:
            self._waking = True
            self.on_loop(self._drain)

    def _drain(self) -> None:
        # Cleared first: what arrives from here on wakes the loop again.
        self._waking = False
        arrived = self._arrived
        while arrived:
            record = arrived.popleft()
            self._take(_request_id(record), record)


def _replies_state(log: Log, namespace: str, topic: str, create_topics: bool) -> TopicState | None:
    state = log.topics().get(topic)
    if state is None and create_topics:
        declared = topology.declare(namespace, replication_factor=BROKER_DEFAULT, dev=True)
        topology.apply(log, topology.plan(log, declared))
        state = log.topics().get(topic)
    return state


def _request_id(record: Record) -> str:
    for name, value in record.headers:
        if name == REQUEST_ID:
            return value.decode("utf-8", "replace")
    return ""

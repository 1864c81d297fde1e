"""What a client published and the workflow has not confirmed: batches, each sent under its number until it is taken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import monotonic as now_s
from uuid import uuid4

from streamflow.contrib.workflow_streams.wire import PublishEntry, PublishInput

BATCH_BYTES_MAX = 500_000
"""Of the items in one signal, unless one alone is larger; what is buffered beyond goes in further ones."""

Encode = Callable[[str, object], PublishEntry]
Send = Callable[[PublishInput], Awaitable[None]]


class Outbox:
    """One publisher: the stream takes each of its batches once, in order."""

    def __init__(self, encode: Encode, send: Send, max_retry: timedelta) -> None:
        self._encode = encode
        self._send = send
        self._max_retry = max_retry
        self._buffer: deque[tuple[str, object]] = deque()
        self._pending: PublishInput | None = None
        self._pending_since = 0.0
        self._publisher_id = uuid4().hex[:16]
        self._sequence = 0
        self._sending = asyncio.Lock()

    def __len__(self) -> int:
        """How many values no batch has yet."""
        return len(self._buffer)

    def put(self, topic: str, value: object) -> None:
        self._buffer.append((topic, value))

    async def flush(self) -> None:
        """Sends until nothing is left.

        Raises:
            TimeoutError: a batch could not be sent for too long; it was dropped, what came after was not.
        """
        while self._pending is not None or self._buffer:
            async with self._sending:
                await self._send_one()

    async def _send_one(self) -> None:
        if self._pending is None:
            if not self._buffer:  # sent by whoever had the lock
                return
            self._pending = self._next_batch()
            self._pending_since = now_s()
        elif now_s() - self._pending_since > self._max_retry.total_seconds():
            lost = len(self._pending.items)
            self._pending = None
            raise TimeoutError(
                f"Expected to publish a batch within max_retry_duration ({self._max_retry}), and did not: its {lost} "
                "items are dropped here. They are in the stream if a signal arrived whose answer was lost"
            )
        await self._send(self._pending)
        self._pending = None

    def _next_batch(self) -> PublishInput:
        """Under a number of its own: the stream may have taken also a batch that was given up here."""
        entries: list[PublishEntry] = []
        room = BATCH_BYTES_MAX
        for topic, value in self._buffer:
            entry = self._encode(topic, value)
            room -= len(entry.data) + len(topic)
            if entries and room < 0:
                break
            entries.append(entry)
        for _ in entries:  # only now: a value that cannot be encoded takes none away
            self._buffer.popleft()
        self._sequence += 1
        return PublishInput(entries, self._publisher_id, self._sequence)

"""Appends outside transactions: soon, in order, from any thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from streamflow.memory.connection import Connection
from streamflow.memory.faults import SendFate
from streamflow.ports import LogError, NotGranted, OutRecord, RecordRefused, Unavailable

Done = Callable[[LogError | None], None]


class MemoryProducer:
    """What it has not appended yet is lost when its process dies."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._unsent: deque[tuple[OutRecord, Done | None]] = deque()
        self._draining = False
        self._outcomes: deque[tuple[Done, LogError | None]] = deque()
        connection.attach(self)

    def send(self, record: OutRecord, done: Done | None = None) -> None:
        if self._connection.process.dead:
            return
        self._unsent.append((record, done))
        # A race between threads here only makes one drain too many.
        if not self._draining:
            self._draining = True
            self._connection.soon(self._drain)

    def flush(self, wait_ms: int) -> None:
        """Appends what was sent so far, and its senders are told before this returns."""
        if self._connection.broker.agenda.on_loop():
            self._drain()
            self._tell()
            return
        drained = threading.Event()

        def drain() -> None:
            self._drain()
            self._tell()
            drained.set()

        self._connection.soon(drain)
        drained.wait(wait_ms / 1000)

    def close(self) -> None:
        self.flush(0)
        self._connection.detach(self)

    # -- its process

    def paused(self) -> None: ...

    def resumed(self) -> None: ...

    def crashed(self) -> None:
        self._unsent.clear()

    def disconnected(self) -> None:
        self.close()

    def _drain(self) -> None:
        self._draining = False
        while self._unsent and not self._connection.process.dead:
            self._connection.enter("send")
            record, done = self._unsent.popleft()
            outcome = self._append(record)
            if done is not None:
                self._outcomes.append((done, outcome))
                self._connection.soon(self._tell)

    def _append(self, record: OutRecord) -> LogError | None:
        broker = self._connection.broker
        fate = broker.faults.send_fate()
        try:
            if fate is not SendFate.REFUSED:
                broker.append(record)
            if fate is SendFate.TWICE:
                broker.append(record)
        except (NotGranted, RecordRefused) as refused:
            return refused
        if fate in (SendFate.REFUSED, SendFate.DOUBTFUL):
            return Unavailable("Expected an acknowledgement, found none (a planned fault)")
        return None

    def _tell(self) -> None:
        while self._outcomes and not self._connection.process.dead:
            done, error = self._outcomes.popleft()
            done(error)

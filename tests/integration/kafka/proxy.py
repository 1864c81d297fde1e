"""A network between client library and broker that breaks where a test wants it to: a TCP proxy that reads requests.

Each connection is relayed by two threads. Requests are read frame by frame, so that the proxy knows which one asks to end a
transaction; answers are relayed as bytes.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from enum import Enum, auto
from types import TracebackType
from typing import Self

END_TXN = 26
"""The request that commits or aborts a transaction."""
ANSWER_WAIT_S = 5.0


class Fate(Enum):
    """What becomes of a request."""

    PASSES = auto()
    IS_LOST = auto()
    """Cut before the broker has it."""
    LOSES_ITS_ANSWER = auto()
    """Cut when the broker has answered, before the client hears it."""


class Proxy:
    """Listens at `address` and relays to whatever `upstream` names by then."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        self.upstream = ""
        self.fate_of: Callable[[int], Fate] = lambda _: Fate.PASSES
        """Asked of each request, by its API key, from the relaying threads."""
        self.cuts = 0
        self._down_until = 0.0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        self.cut_all()

    def go_down(self, seconds: float) -> None:
        """Every connection breaks, and none is accepted for so long."""
        self._down_until = time.monotonic() + seconds
        self.cut_all()

    def cut_all(self) -> None:
        with self._lock:
            sockets = list(self._open)
        for each in sockets:
            _close(each)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            if time.monotonic() < self._down_until:
                _close(client)
                continue
            host, port = self.upstream.rsplit(":", 1)
            try:
                broker = socket.create_connection((host, int(port)), timeout=5)
            except OSError:
                _close(client)
                continue
            for each in (client, broker):
                each.settimeout(None)
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = _Pair(self, client, broker)
            with self._lock:
                self._open |= {client, broker}
            threading.Thread(target=pair.requests, daemon=True).start()
            threading.Thread(target=pair.answers, daemon=True).start()

    def forget(self, *sockets: socket.socket) -> None:
        with self._lock:
            self._open.difference_update(sockets)


class _Pair:
    """One connection."""

    def __init__(self, proxy: Proxy, client: socket.socket, broker: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._broker = broker
        self._mute = threading.Event()
        """Answers are read and dropped from now on."""
        self._answered = threading.Event()

    def requests(self) -> None:
        with contextlib.suppress(OSError):
            while (frame := self._frame()) is not None:
                [api_key] = struct.unpack(">h", frame[4:6])
                match self._proxy.fate_of(api_key):
                    case Fate.PASSES:
                        self._broker.sendall(frame)
                    case Fate.IS_LOST:
                        self._proxy.cuts += 1
                        break
                    case Fate.LOSES_ITS_ANSWER:
                        self._proxy.cuts += 1
                        self._mute.set()
                        self._broker.sendall(frame)
                        self._answered.wait(ANSWER_WAIT_S)
                        break
        self._end()

    def answers(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._broker.recv(65_536):
                if self._mute.is_set():
                    self._answered.set()
                else:
                    self._client.sendall(data)
        self._end()

    def _frame(self) -> bytes | None:
        """One whole request, with its length."""
        head = self._exactly(4)
        if head is None:
            return None
        [size] = struct.unpack(">i", head)
        body = self._exactly(size)
        return None if body is None else head + body

    def _exactly(self, size: int) -> bytes | None:
        parts = bytearray()
        while len(parts) < size:
            data = self._client.recv(size - len(parts))
            if not data:
                return None
            parts += data
        return bytes(parts)

    def _end(self) -> None:
        self._proxy.forget(self._client, self._broker)
        _close(self._client)
        _close(self._broker)


def _close(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()

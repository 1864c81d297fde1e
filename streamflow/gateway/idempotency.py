"""`Idempotency-Key`: the same request sent again is done once, and has the outcome of the first.

A key becomes the ID of the message that the request is, which the log remembers (docs/http-api.md), so it holds over restarts and
on every gateway. A key with another body is a mistake of the caller; that is noticed where this gateway still knows the first.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from streamflow.service import RPCError, RPCStatusCode

T = TypeVar("T")

HEADER = "idempotency-key"
KEY_CHARS_MAX = 200
KNOWN_MAX = 10_000
"""Keys whose first body this process remembers, the latest used."""
REPLIES_MAX = 1_000
"""Answers that this process remembers for operations that are no command to a log, the latest."""


class ReusedKey(RPCError):
    """Answered with 422."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"Expected the body that the key {key!r} came with first, found another: a key is for one request",
            RPCStatusCode.INVALID_ARGUMENT,
        )


def message_id(who: str, operation: str, key: str) -> str:
    """Another for each caller and operation: both may count their keys from 1."""
    told = "\n".join((who, operation, key)).encode()
    return f"key-{hashlib.sha256(told).hexdigest()[:40]}"


class SeenKeys:
    """The bodies that keys came with."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[str, bytes] = OrderedDict()

    def check(self, named: str, key: str, body: bytes) -> None:
        """Remembers the first. Raises `ReusedKey` for another one."""
        digest = hashlib.sha256(body).digest()
        first = self._bodies.setdefault(named, digest)
        self._bodies.move_to_end(named)
        if len(self._bodies) > KNOWN_MAX:
            self._bodies.popitem(last=False)
        if first != digest:
            raise ReusedKey(key)


class Replies:
    """Answers of operations that are no command, which a log would know by its message: the same request again has the answer
    of the first where this gateway still knows it. One that failed is made again."""

    def __init__(self) -> None:
        self._replies: OrderedDict[str, asyncio.Future[Any]] = OrderedDict()

    async def once(self, named: str, work: Callable[[], Awaitable[T]]) -> T:
        """The answer to the request of this name; who asks meanwhile waits for it."""
        known = self._replies.get(named)
        if known is not None:
            found: T = await asyncio.shield(known)
            return found
        reply = self._replies[named] = asyncio.ensure_future(work())
        reply.add_done_callback(lambda done: self._forget(named, done))
        if len(self._replies) > REPLIES_MAX:
            self._replies.popitem(last=False)
        # Who goes away leaves the work to end.
        return await asyncio.shield(reply)

    def _forget(self, named: str, done: asyncio.Future[Any]) -> None:
        if (done.cancelled() or done.exception() is not None) and self._replies.get(named) is done:
            del self._replies[named]

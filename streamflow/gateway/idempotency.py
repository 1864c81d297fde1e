"""`Idempotency-Key`: the same request sent again is done once, and has the outcome of the first.

A key becomes the ID of the message that the request is, which the log remembers (docs/http-api.md), so it holds over restarts and
on every gateway. A key with another body is a mistake of the caller; that is noticed where this gateway still knows the first.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from streamflow.service import RPCError, RPCStatusCode

HEADER = "idempotency-key"
KEY_CHARS_MAX = 200
KNOWN_MAX = 10_000
"""Keys whose first body this process remembers, the latest used."""


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

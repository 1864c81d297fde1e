"""User data as the engine carries it: opaque bytes and how they were encoded."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Payload(msgspec.Struct, frozen=True, gc=False):
    """One encoded value.

    ``metadata["encoding"]`` names the encoding (``json/plain``, ``binary/plain``, ``binary/null``, ...).
    The engine never looks into ``data``; a converter or codec does, at the edge of user code.
    """

    metadata: Mapping[str, bytes]
    data: bytes


Payloads = tuple[Payload, ...]
NO_PAYLOADS: Payloads = ()
NO_HEADERS: Mapping[str, Payload] = {}

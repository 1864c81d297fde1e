"""Bytes by name, kept outside of every process: snapshots of local state, and archived histories."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Final, Protocol

_SAFE: Final = frozenset(string.ascii_letters + string.digits + "!-_.*'()")


class ObjectsUnavailable(Exception):
    """The object store did not do what it was asked. Nothing that is decided on depends on it: try again later."""


def name_part(text: str) -> str:
    """The text as one part of an object's name, whatever is in it: other bytes become ``%XX``."""
    part = "".join(chr(byte) if chr(byte) in _SAFE else f"%{byte:02X}" for byte in text.encode())
    # A part of dots alone would lead elsewhere in a folder.
    return part if part.strip(".") else part.replace(".", "%2E") or "%"


class Objects(Protocol):
    """An object store: a folder, a bucket. Callable from any thread; a call may take long.

    Names are parts joined by ``/``, each of letters, digits and ``!-_.*'()%``. An object is whole or absent: it is never seen
    half written. Every method raises `ObjectsUnavailable`.
    """

    def put(self, name: str, data: bytes) -> None:
        """Durable when this returns; in place of what had the name."""
        ...

    def get(self, name: str) -> bytes | None:
        """``None`` if there is no such object."""
        ...

    def names(self, prefix: str) -> list[str]:
        """Of all objects whose names begin with it, sorted."""
        ...

    def delete(self, names: Sequence[str]) -> None:
        """Absent ones are passed over."""
        ...

"""Old shapes to present ones: what a decoder cannot do by leaving new fields at their defaults.

A schema that was released and is now superseded stays readable. Where its record only lacks newer fields, nothing is
needed here. Where a field was renamed or split, its fingerprint gets an entry: the record arrives as a dict of plain values
and leaves as today's Struct. No released schema needs one yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

Upcast = Callable[[dict[str, Any]], msgspec.Struct]

UPCASTS: Final[Mapping[str, Upcast]] = {}
"""By the superseded schema's fingerprint, in hex as in ``schemas/index.json``."""

"""A value that is not decoded on its way."""

from __future__ import annotations

from dataclasses import dataclass

from streamflow.model.payload import Payload


@dataclass(frozen=True)
class RawValue:
    """A payload as stored: passed by a sender who encodes himself, or taken by a handler that decodes later."""

    payload: Payload

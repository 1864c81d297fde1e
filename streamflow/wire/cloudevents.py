"""CloudEvents that carry a command: in binary mode (attributes in ``ce_`` headers) or structured (one JSON document).

The data is the public JSON message. The event's type may say the message's kind (``io.streamflow.start.v1``), else the
message says it itself. Any other type is the sender's own business.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from streamflow.wire import jsontext
from streamflow.wire.envelope import CONTENT_TYPE, cloud_event_id
from streamflow.wire.errors import VALUE, Undecodable

STRUCTURED: Final = "application/cloudevents"
_PREFIX: Final = "io.streamflow."
_SUFFIX: Final = ".v1"


class Event(msgspec.Struct, frozen=True):
    """What matters of a structured event."""

    data: bytes
    kind: str
    message_id: str
    key: str


class _Structured(msgspec.Struct, frozen=True):
    specversion: str
    id: str
    source: str
    type: str
    data: msgspec.Raw
    partitionkey: str = ""


_decoder: Final = msgspec.json.Decoder(_Structured)


def is_structured(headers: Mapping[str, str]) -> bool:
    return headers.get(CONTENT_TYPE, "").strip().lower().startswith(STRUCTURED)


def kind_of_type(event_type: str) -> str:
    """The kind of message that an event's type names, else empty."""
    if event_type.startswith(_PREFIX) and event_type.endswith(_SUFFIX):
        return event_type[len(_PREFIX) : -len(_SUFFIX)].replace("-", "_")
    return ""


def parse_structured(value: bytes) -> Event:
    """The message within the event.

    Raises:
        Undecodable: not one CloudEvent 1.0 with JSON data.
    """
    jsontext.check(value)
    try:
        event = _decoder.decode(value)
    except (msgspec.DecodeError, RecursionError) as wrong:
        raise Undecodable(
            VALUE,
            f"Expected one CloudEvent with specversion, id, source, type and data as a JSON object: {wrong}",
        ) from None
    if event.specversion != "1.0":
        raise Undecodable(
            VALUE, f"Expected CloudEvents specversion '1.0', found {event.specversion!r}"
        )
    return Event(
        data=bytes(event.data),
        kind=kind_of_type(event.type),
        message_id=cloud_event_id(event.source, event.id),
        key=event.partitionkey,
    )

"""Messages as JSON, in the form that Protocol Buffers lay down for them: ``eventId`` as a text, bytes as base64."""

from __future__ import annotations

import base64
from typing import Any

from streamflow.api.message import Descriptor, Message, many, table
from streamflow.api.message_fields import choice, long
from streamflow.api.message_tables import choices, choices_by_name
from streamflow.api.times import Duration, Timestamp
from streamflow.model.payload import Payload


def to_json(part: Message | Payload) -> Any:
    """What is set, with names in camel case."""
    if isinstance(part, Payload):
        return _payload(part)
    if isinstance(part, Duration | Timestamp):
        return part.ToJsonString()
    return {
        _camel(name): _value(item, item.get(part))
        for name, item in part._fields.items()
        if item.has(part)
    }


def _value(item: Descriptor, value: Any) -> Any:
    if isinstance(item, choice):
        return getattr(value, "name", value)
    if isinstance(item, choices):
        return [getattr(one, "name", one) for one in value]
    if isinstance(item, choices_by_name):
        return {key: getattr(value[key], "name", value[key]) for key in sorted(value)}
    if isinstance(item, long):
        return str(value)
    if isinstance(item, many):
        return [to_json(one) for one in value]
    if isinstance(item, table):
        return {key: to_json(value[key]) for key in sorted(value)}
    if isinstance(value, Message | Payload):
        return to_json(value)
    return _base64(value) if isinstance(value, bytes) else value


def _payload(payload: Payload) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if payload.metadata:
        made["metadata"] = {key: _base64(payload.metadata[key]) for key in sorted(payload.metadata)}
    if payload.data:
        made["data"] = _base64(payload.data)
    return made


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)

"""Messages as JSON, in the form that Protocol Buffers lay down for them: ``eventId`` as a text, bytes as base64."""

from __future__ import annotations

import base64
import binascii
from typing import Any, cast

from streamflow.api.field_mask import FieldMask
from streamflow.api.message import Descriptor, Message, child, field, many
from streamflow.api.message_fields import choice, long
from streamflow.api.message_tables import choices, choices_by_name, table
from streamflow.api.times import Duration, Timestamp
from streamflow.model.payload import Payload

_WRITTEN = Duration, FieldMask, Timestamp
"""What is a text in JSON."""


def to_json(part: Message | Payload) -> Any:
    """What is set, with names in camel case."""
    if isinstance(part, Payload):
        return _payload(part)
    if isinstance(part, _WRITTEN):
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


def merge_json(value: Any, message: Message, *, ignore_unknown_fields: bool = False) -> None:
    """Sets what the JSON has; names may be in camel case or as they are declared.

    Raises:
        ValueError: something is not of its field's type, or, unless ignored, of a name that no field has.
    """
    kind = type(message).__name__
    if isinstance(message, _WRITTEN):
        if not isinstance(value, str):
            raise ValueError(f"Expected a text for a {kind}, found {value!r}")
        message.FromJsonString(value)
        return
    if not isinstance(value, dict):
        raise ValueError(f"Expected an object for a {kind}, found {value!r}")
    fields = message._fields | {_camel(name): item for name, item in message._fields.items()}
    for name, found in cast("dict[str, Any]", value).items():
        item = fields.get(name)
        if item is None and not ignore_unknown_fields:
            raise ValueError(f"Expected fields of {kind}, found {name!r}")
        if item is not None and found is not None:
            _merge(item, message, found, ignore_unknown_fields)


def _merge(item: Descriptor, message: Message, value: Any, ignore: bool) -> None:
    def filled(part: Any, found: Any) -> None:
        if isinstance(part, Payload):
            metadata = found.get("metadata", {}).items()
            part.metadata.update({name: _bytes(text) for name, text in metadata})
            part.data = _bytes(found.get("data", ""))
        else:
            merge_json(found, part, ignore_unknown_fields=ignore)

    try:
        match item:
            case choice() if isinstance(value, str):
                item.put(message, item.cls.Value(value))
            case many():
                for one in value:
                    filled(item.get(message).add(), one)
            case table():
                for name, one in value.items():
                    filled(item.get(message)[name], one)
            case child():
                part = item.get(message)
                filled(part, value)
                if isinstance(part, Message):
                    part.SetInParent()
            case long():
                item.put(message, int(value))
            case field() if isinstance(item.get(message), bytes):
                item.put(message, _bytes(value))
            case _:
                item.put(message, value)
    except (TypeError, AttributeError, binascii.Error) as error:
        where = f"{type(message).__name__}.{item.slot[1:]}"
        raise ValueError(f"Expected a value for {where}, found {value!r}: {error}") from error


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)

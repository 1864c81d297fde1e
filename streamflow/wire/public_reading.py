"""Messages of outsiders from JSON and from Avro, with refusals that say what was expected, what was found, and what may
have been meant.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

import msgspec

from streamflow.wire import jsontext
from streamflow.wire.errors import VALUE, Undecodable
from streamflow.wire.public import KINDS, MESSAGES, VERSION, Json, Message


def from_json(value: bytes, implied: str = "") -> Message:
    """The message of a JSON document; ``implied`` is the kind that an enclosing CloudEvent states.

    Raises:
        Undecodable: not JSON, or not a message of the contract.
    """
    jsontext.check(value)
    try:
        fields = msgspec.json.decode(value, type=dict[str, Json])
    except (msgspec.DecodeError, RecursionError) as wrong:
        raise Undecodable(VALUE, f"Expected a JSON object like {_EXAMPLE}: {wrong}") from None
    return _message(fields, implied)


def _message(fields: dict[str, Json], implied: str) -> Message:
    present = {name: text for name, text in fields.items() if bytes(text) != b"null"}
    said = _kind(present.pop("type", None))
    if said and implied and said != implied:
        raise Undecodable(
            VALUE, f"Expected type {implied!r} as the CloudEvent's type says, found {said!r}"
        )
    kind = said or implied
    cls = KINDS.get(kind)
    if cls is None:
        found = f"{kind!r}{_nearest(kind, KINDS)}" if kind else "none"
        raise Undecodable(VALUE, f"Expected a type among {', '.join(KINDS)}, found {found}")
    for name in present:
        if name not in cls.__struct_fields__:
            known = ", ".join(cls.__struct_fields__)
            hint = _nearest(name, cls.__struct_fields__)
            raise Undecodable(VALUE, f"Expected fields of a {kind} ({known}), found {name!r}{hint}")
    return _typed(cls, kind, present)


def _typed(cls: type[Message], kind: str, present: dict[str, Json]) -> Message:
    try:
        message = msgspec.json.decode(msgspec.json.encode({"type": kind, **present}), type=cls)
    except (msgspec.DecodeError, RecursionError) as wrong:
        raise Undecodable(VALUE, f"Wrong {kind}: {wrong}") from None
    if message.version != VERSION:
        raise Undecodable(
            VALUE, f"Expected version {VERSION} of the contract, found {message.version}"
        )
    return message


def _kind(text: Json | None) -> str:
    if text is None:
        return ""
    try:
        return msgspec.json.decode(text, type=str)
    except (msgspec.DecodeError, RecursionError):
        raise Undecodable(VALUE, f"Expected type as a string, found {bytes(text)[:40]!r}") from None


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name[:100], list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


_EXAMPLE: Final = '{"type":"start","workflow":"Order","args":[]}'


_JSON_LISTS: Final = ("args", "signal_args", "details")
_JSON_MAPS: Final = ("memo", "search_attributes")


def from_avro(record_name: str, plain: Mapping[str, Any]) -> Message:
    """The message of a decoded Avro record; its kind is the record's name, its schema may be an outsider's own.

    Raises:
        Undecodable: another record, or fields of other types.
    """
    kind = record_name.rpartition(".")[2].lower()
    if kind not in KINDS:
        names = ", ".join(message.__name__ for message in MESSAGES)
        raise Undecodable(VALUE, f"Expected an Avro record named {names}, found {record_name!r}")
    try:
        fields = {name: _as_json(name, content) for name, content in plain.items()}
    except (TypeError, ValueError) as wrong:
        raise Undecodable(VALUE, f"Wrong Avro record {record_name}: {wrong}") from None
    return _message(fields, kind)


def _as_json(name: str, content: Any) -> Json:
    is_list, is_map = isinstance(content, list), isinstance(content, dict)
    if name in _JSON_LISTS and is_list:
        texts = cast(list[Any], content)
        return Json(msgspec.json.encode([Json(_checked(text)) for text in texts]))
    if name in _JSON_MAPS and is_map:
        values = cast(dict[str, Any], content)
        return Json(
            msgspec.json.encode({key: Json(_checked(text)) for key, text in values.items()})
        )
    return Json(msgspec.json.encode(content))


def _checked(text: Any) -> bytes:
    if not isinstance(text, str):
        raise Undecodable(
            VALUE, f"Expected each argument as a string of JSON text, found {type(text).__name__}"
        )
    jsontext.check(text.encode())
    return text.encode()

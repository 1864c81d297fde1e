"""What a letter's record says, where it can be read: for people who look at it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import msgspec

from streamflow.dead_letters.letters import Letter, original
from streamflow.model.payload import Payload
from streamflow.ports import Record
from streamflow.wire.entities import decode_task
from streamflow.wire.errors import Undecodable
from streamflow.wire.inbox import decode_inbox


def read_as(letter: Letter, record: Record) -> tuple[str, dict[str, Any]] | None:
    """Name and set fields of the command or task in the record; ``None`` where nothing can read it.

    Payloads stay as they are stored: only the application knows how to read them.
    """
    came = original(letter, record)
    try:
        fact: msgspec.Struct = decode_inbox(came).command
    except Undecodable:
        try:
            fact = decode_task(came.value or b"")
        except Undecodable:
            return None
    defaults = {
        field.name: field.default for field in msgspec.structs.fields(fact) if not field.required
    }
    fields = {
        name: plain(getattr(fact, name))
        for name in fact.__struct_fields__
        if name not in defaults or getattr(fact, name) != defaults[name]
    }
    return type(fact).__name__, fields


def plain(value: Any) -> Any:
    """As JSON has it; a payload that is text is shown as text."""
    match value:
        case Payload():
            return {
                "metadata": {name: plain(said) for name, said in value.metadata.items()},
                "data": plain(value.data),
            }
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                return "hex:" + value.hex()
        case dict():
            pairs = cast("dict[object, object]", value)
            return {str(name): plain(said) for name, said in pairs.items()}
        case list() | tuple():
            return [plain(item) for item in cast("Iterable[object]", value)]
        case msgspec.Struct():
            return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
        case _:
            return msgspec.to_builtins(value)

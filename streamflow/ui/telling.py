"""What an event says: its type in a word, what it is about, and the values that it carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamflow.ui.payloads import Reader

EMPTY: tuple[Any, ...] = (None, "", [], {}, 0, False)
_NAMES = ("workflow_type", "activity_type", "name", "signal_name", "patch_id", "summary", "reason")


def about(fields: Mapping[str, Any]) -> str:
    return next((str(fields[name]) for name in _NAMES if fields.get(name)), "")


async def values_of(reader: Reader, event: Any) -> dict[str, Any]:
    result = await reader.value(getattr(event, "result", None))
    return {
        "Arguments": await reader.values(getattr(event, "args", ())),
        "Details": await reader.values(getattr(event, "details", ())),
        "Result": [result] if result is not None else [],
        "causes": await reader.causes(getattr(event, "failure", None)),
    }


_SHOWN_APART = frozenset({"args", "result", "details", "failure", "token"})


def without_payloads(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in _SHOWN_APART}

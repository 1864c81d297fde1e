"""Writes plain values as YAML 1.2, which YAML 1.1 reads alike.

Writing is the easy half of YAML, and the only one that commands need, so it is no reason for a dependency: mappings and
lists in blocks, and every scalar as JSON writes it, for JSON's scalars are YAML's. Only names and texts that cannot be
taken for anything else go without quotes.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, cast

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_./@-]*")
_TAKEN = {"true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"}
"""Texts that YAML 1.1 or 1.2 reads as something else, whatever their case."""
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def dump(value: Any) -> str:
    """The document of a value made of what JSON has, with a line break at its end."""
    return "\n".join(_lines(value)) + "\n"


def _lines(value: Any) -> list[str]:
    match value:
        case dict() if value:
            fields = cast("dict[str, Any]", value)
            return [
                line for name, item in fields.items() for line in _entry(f"{_text(name)}:", item)
            ]
        case list() | tuple() if value:
            return [line for item in cast("list[object]", value) for line in _item(item)]
        case _:
            return [_scalar(value)]


def _entry(name: str, item: Any) -> list[str]:
    if isinstance(item, dict | list | tuple) and item:
        return [name, *("  " + line for line in _lines(item))]
    return [f"{name} {_scalar(item)}"]


def _item(item: Any) -> list[str]:
    first, *rest = _lines(item)
    return [f"- {first}", *("  " + line for line in rest)]


def _scalar(value: Any) -> str:
    match value:
        case str():
            return _text(value)
        case float() if math.isnan(value):
            return ".nan"
        case float() if math.isinf(value):
            return ".inf" if value > 0 else "-.inf"
        case float():
            # YAML 1.1 takes 1e+16 for a text: it wants a point.
            written = json.dumps(value)
            return written if "." in written else written.replace("e", ".0e")
        case dict():
            return "{}"
        case list() | tuple():
            return "[]"
        case _:
            return json.dumps(value)


def _text(value: str) -> str:
    if _BARE.fullmatch(value) and value.lower() not in _TAKEN:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", quoted)

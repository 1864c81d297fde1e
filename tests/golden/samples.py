"""One full and one sparse sample of every fact, always the same, and the golden file made of their bytes.

`python -m tests.golden.samples` adds what is missing. A golden value whose schema was released is never rewritten: it is
the proof that old bytes stay readable.
"""

from __future__ import annotations

import inspect
import json
import types
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final

import msgspec

from streamflow.model.events import Recorded
from streamflow.model.failure import Failure, FailureKind, TimeoutKind
from streamflow.wire import catalog, codec
from streamflow.wire.files import read_data

GOLDEN: Final = Path(__file__).with_name("values.json")
RUN_ID: Final = "5d3f6c1e-9a70-4a52-8b53-0d2f3c1b7a11"
ENVELOPE: Final = ("order-17", RUN_ID, 12, 4, 1_790_000_000_123)


def full(cls: type[msgspec.Struct]) -> Any:
    """Every field has a value that is not its default."""
    return _value(cls, cls.__name__)


def sparse(cls: type[msgspec.Struct]) -> Any:
    """Only what must be given."""
    needed = [field for field in msgspec.structs.fields(cls) if field.required]
    return cls(**{field.name: _value(field.type, field.name) for field in needed})


def _value(annotation: Any, name: str) -> Any:
    while isinstance(annotation, typing.NewType):
        annotation = annotation.__supertype__
    if annotation is Failure:
        cause = Failure(
            kind=FailureKind.TIMEOUT, message="späť", timeout_kind=TimeoutKind.HEARTBEAT
        )
        return Failure(
            kind=FailureKind.ACTIVITY, message=name, stack_trace="line 1\nline 2", cause=cause
        )
    if inspect.isclass(annotation) and issubclass(annotation, msgspec.Struct):
        fields = msgspec.structs.fields(annotation)
        return annotation(**{field.name: _value(field.type, field.name) for field in fields})
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return list(annotation)[-1]
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return args[-1]
    if origin in (typing.Union, types.UnionType):
        return _value(next(arg for arg in args if arg is not types.NoneType), name)
    if origin is tuple and args[1:] == (...,):
        return (_value(args[0], name), _value(args[0], name))
    if origin is tuple:
        return tuple(_value(arg, name) for arg in args)
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return {"encoding": _value(args[1], name)}
    return {
        str: f"{name} é",
        bytes: b"\x00\xff" + name.encode(),
        int: 1_000 + len(name),
        bool: True,
        float: 1.5,
    }[annotation]


def golden_values() -> dict[str, Any]:
    """By fingerprint: the schema's path, and for each sample its bytes in hex and the fact as plain values."""
    made: dict[str, Any] = {}
    for cls, area in catalog.AREA_OF.items():
        samples = [_golden(full(cls)), _golden(sparse(cls))]
        fingerprint = samples[0]["hex"][4:20]
        made[fingerprint] = {"schema": f"{area}/{cls.__name__}.avsc", "samples": samples}
    return made


def _golden(fact: msgspec.Struct) -> dict[str, Any]:
    value = written(fact)
    return {"hex": value.hex(), "fact": plain(codec.decode(value))}


def written(fact: msgspec.Struct) -> bytes:
    return codec.encode(fact, *(ENVELOPE if type(fact) in catalog.EVENT_CODES else ()))


def plain(decoded: Any) -> Any:
    """As JSON, with an event's type beside it."""
    fact = decoded.event if isinstance(decoded, Recorded) else decoded
    return {"type": type(fact).__name__, "value": json.loads(msgspec.json.encode(decoded))}


def write() -> None:
    released = json.loads(read_data("schemas", "released.json"))
    old = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    kept = {fingerprint: value for fingerprint, value in old.items() if fingerprint in released}
    values = golden_values() | kept
    GOLDEN.write_text(json.dumps(dict(sorted(values.items())), indent=1) + "\n")


if __name__ == "__main__":
    write()

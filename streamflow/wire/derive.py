"""The Avro schema of a Struct: run when schemas are generated and tested, never while records flow.

An optional field is a union with null, an enum has the extra symbol ``unknown`` as its default, a chain of failures is
an array of flat links. Docs come from the text that stands beneath a class or a field in its source.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
import typing
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any, Final

import msgspec

from streamflow.model.failure import Failure
from streamflow.model.payload import Payload
from streamflow.wire import catalog

Schema = Any
"""JSON of an Avro schema."""

_PRIMITIVES: Final = {str: "string", bytes: "bytes", int: "long", float: "double", bool: "boolean"}
_ENVELOPE_TYPES: Final = {"workflow_id": "string", "run_id": "string"}
_ENVELOPE_DOCS: Final = {
    "workflow_id": "The workflow that the run belongs to.",
    "run_id": "The run that the event happened to.",
    "seq": "Place of the event in its run: 1, 2, 3, ... without gaps.",
    "step": "How many activations the run had had, this one included.",
    "time_ms": "When it was recorded, in milliseconds since the epoch.",
}


def schema_of(struct: type[msgspec.Struct]) -> Schema:
    """The self-contained schema of what is written for this Struct."""
    return _Derivation(catalog.COMMON_AREA).root(struct, catalog.AREA_OF[struct])


def public_schema_of(struct: type[msgspec.Struct]) -> Schema:
    """The same for a message of outsiders: its JSON values are strings of JSON text."""
    return _Derivation("public").root(struct, "public")


def docs_of(cls: type) -> dict[str, str]:
    """The texts of a class and its bases: under each field's name, and its own under the empty name."""
    docs: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith("streamflow."):
            docs |= _docs(base)
    return docs


def namespace(area: str) -> str:
    return f"io.streamflow.{area}.v1"


class _Derivation:
    """One schema file: a named type is spelled out where it is first met, then only named."""

    def __init__(self, parts_area: str) -> None:
        self._parts_area = parts_area
        self._named: set[str] = set()

    def root(self, struct: type[msgspec.Struct], area: str) -> Schema:
        fields = self._envelope() if struct in catalog.EVENT_CODES else []
        taken = {field["name"] for field in fields} & set(struct.__struct_fields__)
        if taken:
            raise TypeError(
                f"Expected fields of {struct.__name__} that no envelope has, found {', '.join(sorted(taken))}: rename them"
            )
        return self._record(struct, area, fields)

    def _envelope(self) -> list[dict[str, Schema]]:
        return [
            {"name": name, "type": _ENVELOPE_TYPES.get(name, "long"), "doc": _ENVELOPE_DOCS[name]}
            for name in catalog.ENVELOPE_FIELDS
        ]

    def _record(self, struct: type[msgspec.Struct], area: str, before: list[Schema]) -> Schema:
        docs = docs_of(struct)
        fields = [
            self._field(struct, field, docs.get(field.name, ""))
            for field in msgspec.structs.fields(struct)
            if not (struct is Failure and field.name == "cause")
        ]
        name = catalog.FAILURE_LINK if struct is Failure else struct.__name__
        record = {
            "type": "record",
            "name": name,
            "namespace": namespace(area),
            "fields": before + fields,
        }
        return _with_doc(record, docs.get("", ""))

    def _field(
        self, struct: type[msgspec.Struct], field: msgspec.structs.FieldInfo, doc: str
    ) -> Schema:
        pair = catalog.TUPLES.get((struct.__name__, field.name))
        made: dict[str, Schema] = {"name": field.name}
        made["type"] = self._pairs(field.type, *pair) if pair else self._type(field.type)
        default = _default(field, made["type"])
        # A payload's defaults are a convenience of code that makes one; what is written always has both fields.
        if default is not msgspec.NODEFAULT and struct is not Payload:
            made["default"] = default
        return _with_doc(made, doc)

    def _type(self, annotation: Any) -> Schema:
        annotation = _unwrapped(annotation)
        if annotation in _PRIMITIVES:
            return _PRIMITIVES[annotation]
        if annotation is Failure:
            return {"type": "array", "items": self._once(catalog.FAILURE_LINK, Failure)}
        if inspect.isclass(annotation) and issubclass(annotation, Enum):
            return self._enum(annotation)
        if inspect.isclass(annotation) and issubclass(annotation, msgspec.Struct):
            return self._once(annotation.__name__, annotation)
        origin, args = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is typing.Literal or annotation is msgspec.Raw:
            return "string"
        if origin in (typing.Union, types.UnionType):
            return self._union(args)
        if origin is list or (origin is tuple and args[1:] == (...,)):
            return {"type": "array", "items": self._type(args[0])}
        if inspect.isclass(origin) and issubclass(origin, Mapping):
            return {"type": "map", "values": self._type(args[1])}
        raise TypeError(f"Expected a type that has an Avro form, found {annotation!r}")

    def _union(self, members: tuple[Any, ...]) -> Schema:
        present = [member for member in members if member is not types.NoneType]
        if len(present) == len(members):
            return [self._type(member) for member in members]
        if len(present) != 1:
            raise TypeError(f"Expected X | None or a union of Structs, found {members!r}")
        inner = self._type(present[0])
        return inner if _unwrapped(present[0]) is Failure else ["null", inner]

    def _pairs(self, annotation: Any, name: str, fields: tuple[str, ...]) -> Schema:
        item_types = typing.get_args(typing.get_args(annotation)[0])
        made = [
            {"name": field, "type": self._type(item)}
            for field, item in zip(fields, item_types, strict=True)
        ]
        space = namespace(self._parts_area)
        record = {"type": "record", "name": name, "namespace": space, "fields": made}
        return {"type": "array", "items": record}

    def _once(self, name: str, struct: type[msgspec.Struct]) -> Schema:
        area = catalog.AREA_OF.get(struct, self._parts_area)
        if name in self._named:
            return f"{namespace(area)}.{name}"
        self._named.add(name)
        return self._record(struct, area, [])

    def _enum(self, enum: type[Enum]) -> Schema:
        full = f"{namespace(self._parts_area)}.{enum.__name__}"
        if full in self._named:
            return full
        self._named.add(full)
        made = {
            "type": "enum",
            "name": enum.__name__,
            "namespace": namespace(self._parts_area),
            "symbols": [catalog.UNKNOWN, *(str(member.value) for member in enum)],
            "default": catalog.UNKNOWN,
        }
        return _with_doc(made, docs_of(enum).get("", ""))


def _unwrapped(annotation: Any) -> Any:
    while isinstance(annotation, typing.NewType):
        annotation = annotation.__supertype__
    if typing.get_origin(annotation) is typing.Annotated:
        return typing.get_args(annotation)[0]
    return annotation


def _default(field: msgspec.structs.FieldInfo, schema: Schema) -> Any:
    """As JSON. An optional field has always one; a record's fields never need one of their own."""
    if isinstance(schema, list) and schema[0] == "null":
        return None
    if isinstance(schema, dict) and schema["type"] in ("array", "map"):
        optional = (
            field.default is not msgspec.NODEFAULT or field.default_factory is not msgspec.NODEFAULT
        )
        empty: Any = [] if schema["type"] == "array" else {}
        return empty if optional else msgspec.NODEFAULT
    if isinstance(field.default, Enum):
        return field.default.value
    if isinstance(field.default, bytes):
        return field.default.decode("latin-1")
    return field.default


def _with_doc(made: dict[str, Schema], doc: str) -> dict[str, Schema]:
    if doc:
        made["doc"] = doc
    return made


@cache
def _docs(cls: type) -> dict[str, str]:
    """The texts of a class: under its field's name, and its own under the empty name."""
    [tree] = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)
    docs = {"": ast.get_docstring(tree) or ""}
    for statement, text in zip(tree.body, tree.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        ):
            docs[statement.target.id] = text.value.value
    return {
        name: " ".join(doc.replace("``", "").replace("`", "").split()) for name, doc in docs.items()
    }

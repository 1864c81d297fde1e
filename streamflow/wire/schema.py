"""An Avro schema as typed values with every name resolved, from its JSON; refused if it cannot be read safely.

Not safe are schemas that contain themselves (nesting is then up to the bytes) and arrays whose items take no bytes at all
(a few bytes could say millions of items). Our own schemas have neither.
"""

from __future__ import annotations

from typing import Any, Literal, assert_never, cast

import msgspec

from streamflow.wire.errors import Damaged

PrimitiveName = Literal["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
_PRIMITIVES: dict[str, PrimitiveName] = {
    "null": "null",
    "boolean": "boolean",
    "int": "int",
    "long": "long",
    "float": "float",
    "double": "double",
    "bytes": "bytes",
    "string": "string",
}


class Primitive(msgspec.Struct, frozen=True):
    name: PrimitiveName


class Fixed(msgspec.Struct, frozen=True):
    name: str
    size: int


class EnumOf(msgspec.Struct, frozen=True):
    name: str
    symbols: tuple[str, ...]


class ArrayOf(msgspec.Struct, frozen=True):
    items: Schema


class MapOf(msgspec.Struct, frozen=True):
    values: Schema


class UnionOf(msgspec.Struct, frozen=True):
    members: tuple[Schema, ...]


class Field(msgspec.Struct, frozen=True):
    name: str
    schema: Schema


class RecordOf(msgspec.Struct, frozen=True):
    """``name`` is without its namespace: names are unique over all of ours."""

    name: str
    fields: tuple[Field, ...]


Schema = Primitive | Fixed | EnumOf | ArrayOf | MapOf | UnionOf | RecordOf


def parse(document: object) -> RecordOf:
    """The record that a schema file describes.

    Raises:
        Damaged: not a record's schema, or not a safe one.
    """
    try:
        schema = _Parser().schema(document, "")
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as wrong:
        raise Damaged(
            f"Expected an Avro schema, found one that does not parse: {wrong!r}"
        ) from None
    if not isinstance(schema, RecordOf):
        raise Damaged(f"Expected the schema of a record, found {type(schema).__name__}")
    return schema


class _Parser:
    """Remembers the types named so far; a name that is still being spelled out would be a recursion."""

    def __init__(self) -> None:
        self._named: dict[str, Schema | None] = {}

    def schema(self, document: object, space: str) -> Schema:
        if isinstance(document, str):
            return self._name(document, space)
        if isinstance(document, list):
            members = cast(list[object], document)
            return UnionOf(tuple(self.schema(member, space) for member in members))
        if not isinstance(document, dict):
            raise Damaged(f"Expected a schema, found {document!r}")
        spelled = cast(dict[str, Any], document)
        match spelled["type"]:
            case "record" | "enum" | "fixed" as kind:
                return self._named_type(kind, spelled, space)
            case "array":
                return self._array(spelled, space)
            case "map":
                return MapOf(self.schema(spelled["values"], space))
            case inner:
                return self.schema(inner, space)

    def _name(self, name: str, space: str) -> Schema:
        primitive = _PRIMITIVES.get(name)
        if primitive is not None:
            return Primitive(primitive)
        known = self._named[name if "." in name or not space else f"{space}.{name}"]
        if known is None:
            raise Damaged(f"Expected a schema without recursion, found {name} within itself")
        return known

    def _named_type(self, kind: str, spelled: dict[str, Any], space: str) -> Schema:
        name = str(spelled["name"])
        space = str(spelled.get("namespace", space))
        full = name if "." in name or not space else f"{space}.{name}"
        inner, _, short = full.rpartition(".")
        self._named[full] = None
        made: Schema
        if kind == "record":
            fields = cast(list[dict[str, Any]], spelled["fields"])
            made = RecordOf(
                short,
                tuple(
                    Field(str(field["name"]), self.schema(field["type"], inner)) for field in fields
                ),
            )
        elif kind == "enum":
            made = EnumOf(short, tuple(str(symbol) for symbol in spelled["symbols"]))
        else:
            made = Fixed(short, int(spelled["size"]))
        self._named[full] = made
        return made

    def _array(self, spelled: dict[str, Any], space: str) -> Schema:
        items = self.schema(spelled["items"], space)
        if not _takes_bytes(items):
            raise Damaged(
                "Expected array items that take at least one byte, found some that take none"
            )
        return ArrayOf(items)


def _takes_bytes(schema: Schema) -> bool:
    """Whether every value takes at least one byte."""
    match schema:
        case Primitive():
            return schema.name != "null"
        case Fixed():
            return schema.size > 0
        case RecordOf():
            return any(_takes_bytes(field.schema) for field in schema.fields)
        case EnumOf() | ArrayOf() | MapOf() | UnionOf():
            return True
        case _:
            assert_never(schema)

"""Compiles a writer's schema into one function from Avro bytes to a fact, safe against hostile bytes.

The function is Python source like the encoder's. Nothing is read or reserved beyond the bytes that are there: every length
and count is checked against what remains, counts are bounded, schemas are never recursive, and each item takes at least
one byte. So work and memory are bounded by the value's size. Bytes left over are refused.

Without a table of Structs the result is plain dicts (foreign schemas, upcasts).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

import msgspec

from streamflow.model import answers, commands, failure, options
from streamflow.model.events import Recorded
from streamflow.model.failure import CAUSES_MAX, Failure
from streamflow.wire import bounds, catalog

Decode = Callable[[bytes, int], Any]
"""``decode(value, start)``; raises `Damaged`, IndexError or UnicodeDecodeError on bad bytes (`BAD_BYTES`)."""


class Damaged(Exception):
    """The bytes do not follow the schema."""


BAD_BYTES: Final = (Damaged, IndexError, UnicodeDecodeError, KeyError, struct.error)

ENUMS: Final[dict[str, type[Enum]]] = {
    enum.__name__: enum
    for enum in (
        failure.FailureKind,
        failure.TimeoutKind,
        failure.RetryState,
        options.CancellationType,
        options.IdReusePolicy,
        options.IdConflictPolicy,
        options.Status,
        commands.WaitFor,
        commands.ActivityOutcome,
        answers.Reason,
    )
}


def long_tail(value: bytes, at: int, low: int) -> tuple[int, int]:
    """The rest of a varint whose first byte ``low`` had its high bit set."""
    number = low & 127
    for shift in range(7, 64, 7):
        byte = value[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            if number >> 64:
                break
            return number, at
    raise Damaged("Expected an integer of 64 bits, found a longer one")


def block(value: bytes, at: int, count: int, before: int) -> tuple[int, int]:
    """Items of a block whose count (still zigzag) was read: a negative count is followed by the block's bytes."""
    if count & 1:
        count = (count >> 1) + 1
        size, at = value[at], at + 1
        if size > 127:
            size, at = long_tail(value, at, size)
    else:
        count >>= 1
    if count > len(value) - at or before + count > bounds.ITEMS_MAX:
        raise Damaged(
            f"Expected at most {bounds.ITEMS_MAX} items and one byte for each, found a count of {count} "
            f"with {len(value) - at} bytes left"
        )
    return count, at


def unlink(chain: list[Failure]) -> Failure | None:
    """The outermost failure, with the others as its causes."""
    if len(chain) > CAUSES_MAX:
        raise Damaged(f"Expected at most {CAUSES_MAX} causes, found {len(chain)}")
    whole: Failure | None = None
    for link in reversed(chain):
        whole = link if whole is None else msgspec.structs.replace(link, cause=whole)
    return whole


def short() -> None:
    raise Damaged("Expected more bytes, found the value's end")


def compile_decoder(
    schema: Any, structs: Mapping[str, type[msgspec.Struct]] | None, *, recorded: bool = False
) -> Decode:
    """A decoder to the Struct of the schema's name, or to dicts; ``recorded`` puts an event at its place."""
    reader = _Reader(structs)
    source = reader.function(schema, recorded)
    scope: dict[str, Any] = {
        "long_tail": long_tail,
        "block": block,
        "unlink": unlink,
        "short": short,
        "Damaged": Damaged,
        "Recorded": Recorded,
        "double": struct.Struct("<d").unpack_from,
        "single": struct.Struct("<f").unpack_from,
    }
    scope |= reader.tables
    exec(compile(source, "<decoder>", "exec"), scope)
    decode: Decode = scope["decode"]
    return decode


class _Reader:
    """Source of one decoder. ``b`` is the value, ``i`` the position, ``e`` the end.

    Names of a foreign schema stand in the source only as quoted text.
    """

    def __init__(self, structs: Mapping[str, type[msgspec.Struct]] | None) -> None:
        self._structs = structs
        self._named: dict[str, Any] = {}
        self._open: set[str] = set()
        self._lines: list[str] = []
        self._indent = 1
        self._count = 0
        self.tables: dict[str, Any] = {}

    def function(self, schema: Any, recorded: bool) -> str:
        self._line("e = len(b)")
        fact = self._record(schema, "", _RECORDED_FIELDS if recorded else ())
        self._line("if i != e:")
        self._line("    raise Damaged(f'Expected the value to end, found {e - i} more bytes')")
        self._line(f"return Recorded({', '.join(_RECORDED_FIELDS)}, {fact})" if recorded else f"return {fact}")
        return "\n".join(["def decode(b, i):", *self._lines])

    def _value(self, schema: Any, space: str, *, wanted: bool = True) -> str:
        """Reads one value and returns the name of the variable that holds it."""
        if isinstance(schema, str):
            schema = self._named.get(schema if "." in schema else f"{space}.{schema}", schema)
        if isinstance(schema, list):
            return self._union(schema, space)
        kind = schema if isinstance(schema, str) else schema["type"]
        match kind:
            case "string":
                return self._sized(".decode()", wanted)
            case "bytes":
                return self._sized("", wanted)
            case "long" | "int":
                return self._long()
            case "boolean":
                return self._boolean()
            case "double" | "float":
                name = self._assign(f"{'double' if kind == 'double' else 'single'}(b, i)[0]")
                self._line(f"i += {8 if kind == 'double' else 4}")
                return name
            case "null":
                return self._assign("None")
            case "fixed":
                return self._fixed(int(schema["size"]), schema, space)
            case "enum":
                return self._enum(schema, space)
            case "array":
                return self._array(schema["items"], space)
            case "map":
                return self._map(schema["values"], space)
            case "record":
                return self._assign(self._record(schema, space))
            case _:
                raise Damaged(f"Expected an Avro type, found {schema!r}")

    def _sized(self, then: str, wanted: bool) -> str:
        size, name = self._varint(), self._name()
        self._line(f"if {size} & 1 or (j := i + ({size} >> 1)) > e: short()")
        if wanted:
            self._line(f"{name} = b[i:j]{then}")
        self._line("i = j")
        return name

    def _fixed(self, size: int, schema: Any, space: str) -> str:
        self._name_type(schema, space)
        name = self._assign(f"b[i:i + {size}]")
        self._line(f"i += {size}")
        self._line("if i > e: short()")
        return name

    def _boolean(self) -> str:
        name = self._assign("b[i]")
        self._line("i += 1")
        self._line(f"if {name} > 1: raise Damaged('Expected a boolean, found another byte')")
        return self._assign(f"{name} == 1")

    def _varint(self) -> str:
        """Still zigzag: the lowest bit is the sign."""
        name = self._name()
        self._read_varint(name)
        return name

    def _read_varint(self, name: str) -> None:
        self._line(f"{name} = b[i]")
        self._line("i += 1")
        self._line(f"if {name} > 127: {name}, i = long_tail(b, i, {name})")

    def _long(self) -> str:
        raw = self._varint()
        return self._assign(f"({raw} >> 1) ^ -({raw} & 1)")

    def _union(self, members: list[Any], space: str) -> str:
        branch, name = self._varint(), self._name()
        for index, member in enumerate(members):
            self._line(f"{'el' if index else ''}if {branch} == {index * 2}:")
            self._indent += 1
            self._line(f"{name} = {self._value(member, space)}")
            self._indent -= 1
        self._line("else: raise Damaged('Expected a branch of the union, found another number')")
        return name

    def _enum(self, schema: Any, space: str) -> str:
        self._name_type(schema, space)
        symbols: dict[int, Any] = {place * 2: symbol for place, symbol in enumerate(schema["symbols"])}
        if self._structs is not None:
            members = {member.value: member for member in ENUMS[schema["name"]]}
            symbols = {place: members[symbol] for place, symbol in symbols.items() if symbol in members}
        index, table = self._varint(), self._table(symbols)
        return self._assign(f"{table}[{index}]")

    def _array(self, items: Any, space: str) -> str:
        name = self._assign("[]")
        self._blocks(lambda: self._line(f"{name}.append({self._value(items, space)})"), items, space)
        if self._structs is None:
            return name
        return self._assign(f"unlink({name})" if _is_failure(items) else f"tuple({name})")

    def _map(self, values: Any, space: str) -> str:
        name = self._assign("{}")

        def item() -> None:
            key = self._value("string", space)
            self._line(f"{name}[{key}] = {self._value(values, space)}")

        self._blocks(item, "string", space)
        return name

    def _blocks(self, item: Callable[[], None], items: Any, space: str) -> None:
        """A loop over blocks until the one without items; `block` bounds each, ``total`` their sum."""
        if _may_be_empty(self._named.get(items, items) if isinstance(items, str) else items):
            raise Damaged(f"Expected items that take at least one byte, found {items!r}")
        count, total = self._varint(), self._assign("0")
        self._line(f"while {count}:")
        self._indent += 1
        self._line(f"{count}, i = block(b, i, {count}, {total})")
        self._line(f"{total} += {count}")
        self._line(f"for _ in range({count}):")
        self._indent += 1
        item()
        self._indent -= 1
        self._read_varint(count)
        self._indent -= 1

    def _record(self, schema: Any, space: str, places: tuple[str, ...] = ()) -> str:
        """Reads the fields and returns the expression that makes the record of them."""
        full = self._name_type(schema, space)
        if full in self._open or self._count > _VARIABLES_MAX:
            raise Damaged(f"Expected a small schema without recursion, found {full} within itself or too often")
        self._open.add(full)
        known = self._known(schema["name"])
        made: dict[str, str] = {}
        for field in schema["fields"]:
            name = str(field["name"])
            wanted = known is None or name in known
            made[name] = self._value(field["type"], full.rpartition(".")[0], wanted=wanted)
            if name in places:
                self._line(f"{name} = {made[name]}")
        self._open.discard(full)
        return self._construct(schema["name"], made, known)

    def _known(self, name: str) -> set[str] | None:
        if self._structs is None:
            return None
        if name in _TUPLE_FIELDS:
            return set(_TUPLE_FIELDS[name])
        return {field.name for field in msgspec.structs.fields(self._struct(name))}

    def _struct(self, name: str) -> type[msgspec.Struct]:
        assert self._structs is not None
        return Failure if name == catalog.FAILURE_LINK else self._structs[name]

    def _construct(self, name: str, made: dict[str, str], known: set[str] | None) -> str:
        if known is None:
            return "{" + ", ".join(f"{field!r}: {variable}" for field, variable in made.items()) + "}"
        if name in _TUPLE_FIELDS:
            return "(" + ", ".join(made.values()) + ",)"
        cls = self._struct(name)
        for field in msgspec.structs.fields(cls):
            if field.type is Failure and field.name in made:
                self._line(f"if {made[field.name]} is None: raise Damaged('Expected a failure, found none')")
        values = ", ".join(f"{field}={variable}" for field, variable in made.items() if field in known)
        return f"{self._table(cls)}({values})"

    def _name_type(self, schema: Any, space: str) -> str:
        name = str(schema["name"])
        full = name if "." in name else f"{schema.get('namespace', space)}.{name}"
        self._named[full] = schema
        return full

    # -- lines

    def _table(self, content: Any) -> str:
        name = f"T{len(self.tables)}"
        self.tables[name] = content
        return name

    def _name(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def _assign(self, source: str) -> str:
        name = self._name()
        self._line(f"{name} = {source}")
        return name

    def _line(self, text: str) -> None:
        self._lines.append("    " * self._indent + text)


_TUPLE_FIELDS: Final = {name: fields for name, fields in catalog.TUPLES.values()}
_RECORDED_FIELDS: Final = ("seq", "step", "time_ms")
_VARIABLES_MAX: Final = 5_000


def _is_failure(items: Any) -> bool:
    name = items if isinstance(items, str) else items.get("name", "") if isinstance(items, dict) else ""
    return name.rpartition(".")[2] == catalog.FAILURE_LINK


def _may_be_empty(schema: Any) -> bool:
    """Whether a value may take no bytes at all, so that a small value could hold any number of them."""
    kind = schema if isinstance(schema, str) or not isinstance(schema, dict) else schema["type"]
    match kind:
        case "null":
            return True
        case "fixed":
            return int(schema["size"]) == 0
        case "record":
            return all(_may_be_empty(field["type"]) for field in schema["fields"])
        case _:
            return False

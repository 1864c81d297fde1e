"""Compiles a writer's schema into one function from Avro bytes to a fact, safe against hostile bytes.

The function is Python source like the encoder's. Nothing is read or reserved beyond the bytes that are there: every length
and count is checked against what remains, counts are bounded, schemas are never recursive, and each item takes at least
one byte. So work and memory are bounded by the value's size. Bytes left over are refused.

Without a table of Structs the result is plain dicts (foreign schemas, upcasts).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import Any, Final, assert_never

import msgspec

from streamflow.model import (
    activity_options,
    answers,
    commands,
    control,
    failure,
    options,
    relations,
)
from streamflow.model.events import Recorded
from streamflow.model.failure import CAUSES_MAX, Failure
from streamflow.wire import bounds, catalog
from streamflow.wire.errors import Damaged
from streamflow.wire.schema import (
    ArrayOf,
    EnumOf,
    Fixed,
    MapOf,
    Primitive,
    PrimitiveName,
    RecordOf,
    Schema,
    UnionOf,
)

Decode = Callable[[bytes, int], Any]
"""``decode(value, start)``; raises one of `BAD_BYTES` on bad bytes."""

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
        commands.ActivityControl,
        activity_options.ActivityOption,
        control.WorkflowControl,
        commands.UpdateStage,
        commands.ActivityOutcome,
        answers.Reason,
        relations.ParentClosePolicy,
        relations.ChildCancellationType,
        relations.StartRefusal,
        relations.ChildNews,
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
    record: RecordOf,
    structs: Mapping[str, type[msgspec.Struct]] | None,
    *,
    recorded: bool = False,
) -> Decode:
    """A decoder to the Struct of the record's name, or to dicts; ``recorded`` puts an event at its place."""
    reader = _Reader(structs)
    source = reader.function(record, recorded)
    scope: dict[str, Any] = {
        "long_tail": long_tail,
        "block": block,
        "unlink": unlink,
        "short": short,
        "Damaged": Damaged,
        "Recorded": Recorded,
        "double": struct.Struct("<d").unpack_from,
        "single": struct.Struct("<f").unpack_from,
        **reader.tables,
    }
    exec(compile(source, "<decoder>", "exec"), scope)
    decode: Decode = scope["decode"]
    return decode


_RECORDED_FIELDS: Final = ("seq", "step", "time_ms")
_VARIABLES_MAX: Final = 5_000
"""Of one decoder: a schema that names a large part many times would grow without end."""


class _Reader:
    """Source of one decoder. ``b`` is the value, ``i`` the position, ``e`` the end.

    Names of a foreign schema stand in the source only as quoted text.
    """

    def __init__(self, structs: Mapping[str, type[msgspec.Struct]] | None) -> None:
        self._structs = structs
        self._lines: list[str] = []
        self._indent = 1
        self._count = 0
        self.tables: dict[str, Any] = {}

    def function(self, record: RecordOf, recorded: bool) -> str:
        self._line("e = len(b)")
        fact = self._record(record, _RECORDED_FIELDS if recorded else ())
        self._line("if i != e:")
        self._line("    raise Damaged(f'Expected the value to end, found {e - i} more bytes')")
        places = ", ".join(_RECORDED_FIELDS)
        self._line(f"return Recorded({places}, {fact})" if recorded else f"return {fact}")
        return "\n".join(["def decode(b, i):", *self._lines])

    def _value(self, schema: Schema, *, wanted: bool = True) -> str:
        """Reads one value and returns the name of the variable that holds it, if it is wanted."""
        match schema:
            case Primitive():
                return self._primitive(schema.name, wanted)
            case Fixed():
                name = self._assign(f"b[i:i + {schema.size}]")
                self._line(f"i += {schema.size}")
                self._line("if i > e: short()")
                return name
            case EnumOf():
                return self._enum(schema)
            case UnionOf():
                return self._union(schema.members)
            case ArrayOf():
                return self._array(schema.items)
            case MapOf():
                return self._map(schema.values)
            case RecordOf():
                return self._assign(self._record(schema, ()))
            case _:
                assert_never(schema)

    def _primitive(self, kind: PrimitiveName, wanted: bool) -> str:
        match kind:
            case "string":
                return self._sized(".decode()", wanted)
            case "bytes":
                return self._sized("", wanted)
            case "long" | "int":
                raw = self._varint()
                return self._assign(f"({raw} >> 1) ^ -({raw} & 1)")
            case "boolean":
                name = self._assign("b[i]")
                self._line("i += 1")
                self._line(
                    f"if {name} > 1: raise Damaged('Expected a boolean, found another byte')"
                )
                return self._assign(f"{name} == 1")
            case "double" | "float":
                width, unpack = (8, "double") if kind == "double" else (4, "single")
                name = self._assign(f"{unpack}(b, i)[0]")
                self._line(f"i += {width}")
                return name
            case "null":
                return self._assign("None")
            case _:
                assert_never(kind)

    def _sized(self, then: str, wanted: bool) -> str:
        size, name = self._varint(), self._name()
        self._line(f"if {size} & 1 or (j := i + ({size} >> 1)) > e: short()")
        if wanted:
            self._line(f"{name} = b[i:j]{then}")
        self._line("i = j")
        return name

    def _varint(self, name: str = "") -> str:
        """Still zigzag: the lowest bit is the sign."""
        name = name or self._name()
        self._line(f"{name} = b[i]")
        self._line("i += 1")
        self._line(f"if {name} > 127: {name}, i = long_tail(b, i, {name})")
        return name

    def _union(self, members: tuple[Schema, ...]) -> str:
        branch, name = self._varint(), self._name()
        for index, member in enumerate(members):
            self._line(f"{'el' if index else ''}if {branch} == {index * 2}:")
            with self._block():
                self._line(f"{name} = {self._value(member)}")
        self._line("else: raise Damaged('Expected a branch of the union, found another number')")
        return name

    def _enum(self, schema: EnumOf) -> str:
        symbols: dict[int, Any] = {n * 2: symbol for n, symbol in enumerate(schema.symbols)}
        if self._structs is not None:
            members = {member.value: member for member in ENUMS[schema.name]}
            symbols = {n: members[symbol] for n, symbol in symbols.items() if symbol in members}
        table, index = self._table(symbols), self._varint()
        return self._assign(f"{table}[{index}]")

    def _array(self, items: Schema) -> str:
        name = self._assign("[]")
        with self._items():
            self._line(f"{name}.append({self._value(items)})")
        if self._structs is None:
            return name
        return self._assign(f"{'unlink' if catalog.is_failure_link(items) else 'tuple'}({name})")

    def _map(self, values: Schema) -> str:
        name = self._assign("{}")
        with self._items():
            key = self._primitive("string", True)
            self._line(f"{name}[{key}] = {self._value(values)}")
        return name

    @contextmanager
    def _items(self) -> Generator[None]:
        """A loop over blocks until the one without items; `block` bounds each, with those before it."""
        count, total = self._varint(), self._assign("0")
        self._line(f"while {count}:")
        with self._block():
            self._line(f"{count}, i = block(b, i, {count}, {total})")
            self._line(f"{total} += {count}")
            self._line(f"for _ in range({count}):")
            with self._block():
                yield
            self._varint(count)

    def _record(self, record: RecordOf, places: tuple[str, ...]) -> str:
        """Reads the fields and returns the expression that makes the record of them."""
        if self._count > _VARIABLES_MAX:
            raise Damaged(f"Expected a small schema, found over {_VARIABLES_MAX} values in it")
        known = self._known(record)
        made: dict[str, str] = {}
        for field in record.fields:
            made[field.name] = self._value(
                field.schema, wanted=known is None or field.name in known
            )
            if field.name in places:
                self._line(f"{field.name} = {made[field.name]}")
        if known is None:
            return "{" + ", ".join(f"{name!r}: {value}" for name, value in made.items()) + "}"
        if record.name in catalog.TUPLE_RECORDS:
            return f"({', '.join(made.values())},)"
        return self._construct(self._struct(record), made)

    def _known(self, record: RecordOf) -> frozenset[str] | None:
        """The fields that the record's Struct has by now; others are read and dropped."""
        if self._structs is None:
            return None
        if record.name in catalog.TUPLE_RECORDS:
            return frozenset(catalog.TUPLE_RECORDS[record.name])
        return frozenset(self._struct(record).__struct_fields__)

    def _struct(self, record: RecordOf) -> type[msgspec.Struct]:
        assert self._structs is not None
        return Failure if record.name == catalog.FAILURE_LINK else self._structs[record.name]

    def _construct(self, cls: type[msgspec.Struct], made: dict[str, str]) -> str:
        fields = [field for field in msgspec.structs.fields(cls) if field.name in made]
        for field in fields:
            if field.type is Failure:
                self._line(
                    f"if {made[field.name]} is None: raise Damaged('Expected a failure, found none')"
                )
        values = ", ".join(f"{field.name}={made[field.name]}" for field in fields)
        return f"{self._table(cls)}({values})"

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

    @contextmanager
    def _block(self) -> Generator[None]:
        self._indent += 1
        yield
        self._indent -= 1

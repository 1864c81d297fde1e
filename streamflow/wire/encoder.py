"""Compiles a schema and its Struct into one function from a fact to Avro bytes.

The function is Python source, put together once per schema and then run for each record: attribute loads, table look-ups
and one join. It is several times as fast as filling a dict for a general encoder (figures in docs/adr).

    out = [P, S[o.name], Z[o.op]]
    v1 = o.result
    if v1 is None:
        out += (b"\\0",)
    else:
        ...
    return b"".join(out)
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final, assert_never

from streamflow.model.failure import CAUSES_MAX, Failure
from streamflow.wire import catalog
from streamflow.wire.catalog import UNKNOWN
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

Encode = Callable[..., bytes]
_LONG_MIN: Final = -(1 << 63)
_LONG_MAX: Final = (1 << 63) - 1
_KEPT_MAX: Final = 16_384
_KEPT_BYTES_MAX: Final = 100
"""Longer strings are seldom met twice."""


def varint(number: int) -> bytes:
    """An Avro long: zigzag, then seven bits a byte, lowest first."""
    if not _LONG_MIN <= number <= _LONG_MAX:
        raise ValueError(f"Expected an integer of 64 bits, found {number}")
    rest = number << 1 if number >= 0 else ~(number << 1)
    out = bytearray()
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)
    return bytes(out)


class _Longs(dict[int, bytes]):
    """Every long as bytes; small and recent ones are at hand (a step's times are all alike)."""

    def __missing__(self, number: int) -> bytes:
        made = varint(number)
        if len(self) >= _KEPT_MAX:
            self.clear()
            self.update(_SMALL)
        self[number] = made
        return made


_SMALL: Final = {number: varint(number) for number in range(-64, 4_096)}
_LONGS: Final = _Longs(_SMALL)


class _Strings(dict[str, bytes]):
    """Every string with its length; recent short ones are at hand (IDs, types and queues come again in each record)."""

    def __init__(self, errors: str) -> None:
        super().__init__()
        self._errors = errors

    def __missing__(self, text: str) -> bytes:
        data = text.encode(errors=self._errors)
        made = _LONGS[len(data)] + data
        if len(made) <= _KEPT_BYTES_MAX:
            if len(self) >= _KEPT_MAX:
                self.clear()
            self[text] = made
        return made


_STRINGS: Final = {errors: _Strings(errors) for errors in ("strict", "backslashreplace")}


def links(failure: Failure | None) -> list[Failure]:
    """The failure and its causes, outermost first; a longer chain than ``CAUSES_MAX`` is cut."""
    chain: list[Failure] = []
    while failure is not None and len(chain) < CAUSES_MAX:
        chain.append(failure)
        failure = failure.cause
    return chain


def compile_encoder(
    record: RecordOf, prefix: bytes, *, envelope: bool, errors: str = "strict"
) -> Encode:
    """``encode(fact)``, or ``encode(fact, workflow_id, run_id, seq, step, time_ms)`` with an envelope."""
    writer = _Writer()
    source = writer.function(record, catalog.ENVELOPE_FIELDS if envelope else ())
    scope: dict[str, Any] = {
        "Z": _LONGS,
        "S": _STRINGS[errors],
        "P": prefix,
        "links": links,
        "double": struct.Struct("<d").pack,
        **writer.tables,
    }
    exec(compile(source, f"<encoder of {record.name}>", "exec"), scope)
    encode: Encode = scope["encode"]
    return encode


class _Writer:
    """Source of one encoder. Expressions gather in ``_items`` until a branch or loop makes them a statement."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._items: list[str] = []
        self._indent = 1
        self._count = 0
        self.tables: dict[str, Any] = {}

    def function(self, record: RecordOf, envelope: tuple[str, ...]) -> str:
        self._line("out = [P]")
        for field in record.fields:
            self._value(field.schema, field.name if field.name in envelope else f"o.{field.name}")
        self._line("return b''.join(out)")
        return "\n".join([f"def encode({', '.join(('o', *envelope))}):", *self._lines])

    def _value(self, schema: Schema, source: str) -> None:
        match schema:
            case Primitive():
                self._primitive(schema.name, source)
            case EnumOf():
                self._items.append(f"{self._enum(schema)}[{source}._value_]")
            case UnionOf():
                self._union(schema.members, source)
            case ArrayOf():
                self._array(schema.items, source)
            case MapOf():
                self._map(schema.values, source)
            case RecordOf():
                self._record(schema, source)
            case Fixed():
                raise TypeError(f"Expected a schema made by `derive`, found {schema!r}")
            case _:
                assert_never(schema)

    def _primitive(self, name: PrimitiveName, source: str) -> None:
        match name:
            case "string":
                self._items.append(f"S[{source}]")
            case "bytes":
                self._items += [f"Z[len(s := {source})]", "s"]
            case "long" | "int":
                self._items.append(f"Z[{source}]")
            case "boolean":
                self._items.append(f"b'\\1' if {source} else b'\\0'")
            case "double":
                self._items.append(f"double({source})")
            case "null" | "float":
                raise TypeError(f"Expected a schema made by `derive`, found {name}")
            case _:
                assert_never(name)

    def _union(self, members: tuple[Schema, ...], source: str) -> None:
        value = self._assign(source)
        if members[0] == Primitive("null"):
            self._line(f"if {value} is None:")
            self._line("    out.append(b'\\0')")
            self._line("else:")
            with self._block():
                self._branch(1, members[1], value)
            return
        for index, member in enumerate(members):
            assert isinstance(member, RecordOf), member
            self.tables[member.name] = catalog.STRUCTS[member.name]
            self._line(f"{'el' if index else ''}if {value}.__class__ is {member.name}:")
            with self._block():
                self._branch(index, member, value)
        self._line("else:")
        self._line(f"    raise TypeError(f'Expected a member of the union, found {{{value}!r}}')")

    def _branch(self, index: int, schema: Schema, value: str) -> None:
        self._items.append(repr(varint(index)))
        self._value(schema, value)

    def _array(self, items: Schema, source: str) -> None:
        value = self._assign(f"links({source})" if catalog.is_failure_link(items) else source)
        self._line(f"if {value}:")
        self._line(f"    out.append(Z[len({value})])")
        item = self._name()
        self._line(f"    for {item} in {value}:")
        with self._block(2):
            self._value(items, item)
        self._items.append("b'\\0'")

    def _map(self, values: Schema, source: str) -> None:
        value = self._assign(source)
        self._line(f"if {value}:")
        self._line(f"    out.append(Z[len({value})])")
        key, item = self._name(), self._name()
        self._line(f"    for {key}, {item} in {value}.items():")
        with self._block(2):
            self._primitive("string", key)
            self._value(values, item)
        self._items.append("b'\\0'")

    def _record(self, record: RecordOf, source: str) -> None:
        value = source if source.isidentifier() else self._assign(source)
        is_tuple = record.name in catalog.TUPLE_RECORDS
        for index, field in enumerate(record.fields):
            self._value(field.schema, f"{value}[{index}]" if is_tuple else f"{value}.{field.name}")

    def _enum(self, schema: EnumOf) -> str:
        table = f"E_{schema.name}"
        numbers = enumerate(schema.symbols)
        self.tables[table] = {symbol: varint(n) for n, symbol in numbers if symbol != UNKNOWN}
        return table

    # -- lines

    def _name(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def _assign(self, source: str) -> str:
        name = self._name()
        self._line(f"{name} = {source}")
        return name

    def _line(self, text: str) -> None:
        self._flush()
        self._lines.append("    " * self._indent + text)

    @contextmanager
    def _block(self, depth: int = 1) -> Generator[None]:
        self._flush()
        self._indent += depth
        yield
        self._flush()
        self._indent -= depth

    def _flush(self) -> None:
        if self._items:
            items, self._items = self._items, []
            self._lines.append("    " * self._indent + f"out += ({', '.join(items)},)")

"""Compiles a schema and its Struct into one function from a fact to Avro bytes.

The function is Python source, put together once per schema and then run for each record: attribute loads, table look-ups
and one join. It is several times as fast as filling a dict for a general encoder (figures in docs/adr).

    out = [P, Z[len(s := o.name.encode())], s, Z[o.op]]
    v1 = o.result
    if v1 is None:
        out += (b"\\0",)
    else:
        ...
    return b"".join(out)
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

from streamflow.model.failure import CAUSES_MAX, Failure
from streamflow.wire import catalog
from streamflow.wire.derive import UNKNOWN

Encode = Callable[..., bytes]
_LONG_MIN: Final = -(1 << 63)
_LONG_MAX: Final = (1 << 63) - 1
_KEPT_MAX: Final = 16_384


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


def links(failure: Failure | None) -> list[Failure]:
    """The failure and its causes, outermost first; a longer chain than ``CAUSES_MAX`` is cut."""
    chain: list[Failure] = []
    while failure is not None and len(chain) < CAUSES_MAX:
        chain.append(failure)
        failure = failure.cause
    return chain


def compile_encoder(schema: Any, prefix: bytes, *, envelope: bool, errors: str = "strict") -> Encode:
    """``encode(fact)``, or ``encode(fact, workflow_id, run_id, seq, step, time_ms)`` with an envelope."""
    writer = _Writer(schema, errors)
    arguments = ["o", *(catalog.ENVELOPE_FIELDS if envelope else ())]
    source = writer.function(arguments)
    scope: dict[str, Any] = {"Z": _LONGS, "P": prefix, "links": links, "double": struct.Struct("<d").pack}
    scope |= writer.tables
    exec(compile(source, f"<encoder of {schema['name']}>", "exec"), scope)
    encode: Encode = scope["encode"]
    return encode


class _Writer:
    """Source of one encoder. Expressions gather in ``_items`` until a branch or loop makes them a statement."""

    def __init__(self, schema: Any, errors: str) -> None:
        self._schema = schema
        self._encode = "encode()" if errors == "strict" else f"encode('utf-8', {errors!r})"
        self._named: dict[str, Any] = {}
        self._lines: list[str] = []
        self._items: list[str] = []
        self._indent = 1
        self._count = 0
        self.tables: dict[str, Any] = {}

    def function(self, arguments: list[str]) -> str:
        self._line("out = [P]")
        for field in self._schema["fields"]:
            name = field["name"]
            self._value(field["type"], name if name in arguments else f"o.{name}")
        self._flush()
        self._line("return b''.join(out)")
        return "\n".join([f"def encode({', '.join(arguments)}):", *self._lines])

    def _value(self, schema: Any, source: str) -> None:
        if isinstance(schema, str) and schema in self._named:
            schema = self._named[schema]
        if isinstance(schema, list):
            return self._union(schema, source)
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind in ("record", "enum"):
            self._named[f"{schema['namespace']}.{schema['name']}"] = schema
        match kind:
            case "string":
                self._items += [f"Z[len(s := {source}.{self._encode})]", "s"]
            case "bytes":
                self._items += [f"Z[len(s := {source})]", "s"]
            case "long":
                self._items.append(f"Z[{source}]")
            case "boolean":
                self._items.append(f"b'\\1' if {source} else b'\\0'")
            case "double":
                self._items.append(f"double({source})")
            case "enum":
                self._items.append(f"{self._enum(schema)}[{source}._value_]")
            case "array":
                self._array(schema["items"], source)
            case "map":
                self._map(schema["values"], source)
            case "record":
                self._record(schema, source)
            case _:
                raise TypeError(f"Expected a schema made by `derive`, found {schema!r}")

    def _union(self, members: list[Any], source: str) -> None:
        value = self._assign(source)
        if members[0] == "null":
            self._line(f"if {value} is None:")
            self._block(lambda: self._items.append("b'\\0'"))
            self._line("else:")
            self._block(lambda: self._branch(1, members[1], value))
            return
        for index, member in enumerate(members):
            name = (member if isinstance(member, str) else member["name"]).rpartition(".")[2]
            self.tables[name] = catalog.STRUCTS[name]
            self._line(f"{'el' if index else ''}if {value}.__class__ is {name}:")
            self._block(lambda index=index, member=member: self._branch(index, member, value))
        self._line("else:")
        self._line(f"    raise TypeError(f'Expected a member of the union, found {{{value}!r}}')")

    def _branch(self, index: int, schema: Any, value: str) -> None:
        self._items.append(repr(varint(index)))
        self._value(schema, value)

    def _array(self, items: Any, source: str) -> None:
        failure = isinstance(items, dict) and items.get("name") == catalog.FAILURE_LINK
        failure = failure or (isinstance(items, str) and items.endswith(f".{catalog.FAILURE_LINK}"))
        value = self._assign(f"links({source})" if failure else source)
        self._line(f"if {value}:")
        self._line(f"    out.append(Z[len({value})])")
        item = self._name()
        self._line(f"    for {item} in {value}:")
        self._block(lambda: self._value(items, item), depth=2)
        self._items.append("b'\\0'")

    def _map(self, values: Any, source: str) -> None:
        value = self._assign(source)
        self._line(f"if {value}:")
        self._line(f"    out.append(Z[len({value})])")
        key, item = self._name(), self._name()
        self._line(f"    for {key}, {item} in {value}.items():")

        def entry() -> None:
            self._value("string", key)
            self._value(values, item)

        self._block(entry, depth=2)
        self._items.append("b'\\0'")

    def _record(self, schema: Any, source: str) -> None:
        value = source if source.isidentifier() else self._assign(source)
        pairs = {name: fields for name, fields in catalog.TUPLES.values()}.get(schema["name"])
        for field in schema["fields"]:
            name = field["name"]
            self._value(field["type"], f"{value}[{pairs.index(name)}]" if pairs else f"{value}.{name}")

    def _enum(self, schema: Any) -> str:
        table = f"E_{schema['name']}"
        self.tables[table] = {
            symbol: varint(index) for index, symbol in enumerate(schema["symbols"]) if symbol != UNKNOWN
        }
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

    def _block(self, fill: Callable[[], None], *, depth: int = 1) -> None:
        self._indent += depth
        fill()
        self._flush()
        self._indent -= depth

    def _flush(self) -> None:
        if self._items:
            items, self._items = self._items, []
            self._lines.append("    " * self._indent + f"out += ({', '.join(items)},)")

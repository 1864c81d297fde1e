"""What messages are made of, in the words of the protobuf library: for `google.protobuf.json_format` and its like.

    json_format.Parse(body, Payloads())          json_format.MessageToJson(payloads)

Those functions go by a message's ``DESCRIPTOR``. It is made when first asked for, of the library's own classes, from the
fields that our classes declare. Without the library (``streamflow[protobuf]``) a message has no ``DESCRIPTOR``.
"""

from __future__ import annotations

import importlib
from typing import Any

from streamflow.api.enums.v1.named import ProtobufEnum
from streamflow.api.message import Descriptor, Message, child, field, many
from streamflow.api.message_fields import choice, long, real, texts
from streamflow.api.message_tables import ByName, choices, choices_by_name, table, texts_by_name
from streamflow.model.payload import Payload

_PAYLOAD = "temporal.api.common.v1.Payload"
_ENUMS = "temporal.api.enums.v1"


class Descriptors:
    """The descriptors made so far. In a pool of their own: the messages of another package may have the same names."""

    def __init__(self) -> None:
        self._pool: Any = None
        self._known: set[str] = set()

    def of(self, cls: type[Any]) -> Any:
        """The descriptor of a class of messages. Raises AttributeError where the library is not installed."""
        if self._pool is None:
            self._pool = _new_pool()
        if cls is Payload:
            self._add_payload()
            return self._pool.FindMessageTypeByName(_PAYLOAD)
        self._add_message(cls)
        return self._pool.FindMessageTypeByName(cls.full_name())

    def _add_payload(self) -> str:
        if _PAYLOAD not in self._known:
            message = _message(_PAYLOAD)
            _add_map(message, "metadata", 1, {"type": _type("BYTES")})
            message.field.add(name="data", number=2, type=_type("BYTES"), label=_label("OPTIONAL"))
            self._add_file(_PAYLOAD, message, ())
        return _PAYLOAD

    def _add_message(self, cls: type[Message]) -> str:
        name = cls.full_name()
        if name.startswith("google.protobuf.") or name in self._known:
            return name
        self._known.add(name)  # before its fields: it may hold messages of its own class
        message, needed = _message(name), list[str]()
        groups = {one: group for group, names in cls._oneofs.items() for one in names}
        message.oneof_decl.extend(
            [_proto("OneofDescriptorProto", name=group) for group in cls._oneofs]
        )
        for called, item in cls._fields.items():
            value = self._value(item, needed)
            if isinstance(item, ByName):
                _add_map(message, called, item.number, value)
                continue
            repeated = isinstance(item, many | texts | choices)
            label = _label("REPEATED" if repeated else "OPTIONAL")
            made = message.field.add(name=called, number=item.number, label=label, **value)
            if called in groups:
                made.oneof_index = [*cls._oneofs].index(groups[called])
        self._add_file(name, message, [one for one in needed if one != name])
        return name

    def _value(self, item: Descriptor, needed: list[str]) -> dict[str, Any]:
        """The type of a field, or of each of its values."""
        match item:
            case child() | many() | table():
                cls: Any = item.cls
                part = self._add_payload() if cls is Payload else self._add_message(cls)
                needed.append(part)
                return {"type": _type("MESSAGE"), "type_name": f".{part}"}
            case choice() | choices() | choices_by_name():
                enum = self._add_enum(item.cls)
                needed.append(enum)
                return {"type": _type("ENUM"), "type_name": f".{enum}"}
            case texts() | texts_by_name():
                return {"type": _type("STRING")}
            case real():
                return {"type": _type("FLOAT" if item.single else "DOUBLE")}
            case long():
                return {"type": _type("INT64")}
            case field():
                return {"type": _type(_SCALARS[type(item.default)])}
            case _:
                raise AssertionError(f"Expected a kind of field that is known here, found {item!r}")

    def _add_enum(self, cls: type[ProtobufEnum]) -> str:
        name = f"{_ENUMS}.{cls.__name__}"
        if name not in self._known:
            values = [
                _proto("EnumValueDescriptorProto", name=one, number=number)
                for one, number in sorted(cls.items(), key=lambda item: item[1])
            ]
            made = _proto("EnumDescriptorProto", name=cls.__name__, value=values)
            made.options.allow_alias = len({one.number for one in values}) < len(values)
            if not made.options.allow_alias:
                made.ClearField("options")
            self._add_file(name, made, ())
        return name

    def _add_file(self, name: str, made: Any, needed: Any) -> None:
        file = _proto("FileDescriptorProto", name=_file_of(name), syntax="proto3")
        file.package = name.rpartition(".")[0]
        file.dependency.extend(sorted({_file_of(one) for one in needed}))
        (file.enum_type if hasattr(made, "value") else file.message_type).append(made)
        self._pool.Add(file)
        self._known.add(name)


_SCALARS: dict[type, str] = {str: "STRING", bytes: "BYTES", bool: "BOOL", int: "INT32"}
_DESCRIPTORS = Descriptors()


def descriptor_of(cls: type[Any]) -> Any:
    return _DESCRIPTORS.of(cls)


def _new_pool() -> Any:
    try:
        pool = importlib.import_module("google.protobuf.descriptor_pool").DescriptorPool()
    except ImportError as error:
        raise AttributeError(
            "Expected the protobuf library, by which messages are described, found none: install streamflow[protobuf]"
        ) from error
    for name in ("duration", "field_mask", "timestamp"):
        known = importlib.import_module(f"google.protobuf.{name}_pb2")
        pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
    return pool


def _proto(kind: str, **fields: Any) -> Any:
    return getattr(importlib.import_module("google.protobuf.descriptor_pb2"), kind)(**fields)


def _message(full_name: str) -> Any:
    return _proto("DescriptorProto", name=full_name.rpartition(".")[2])


def _type(name: str) -> int:
    number: int = getattr(_proto("FieldDescriptorProto"), f"TYPE_{name}")
    return number


def _label(name: str) -> int:
    number: int = getattr(_proto("FieldDescriptorProto"), f"LABEL_{name}")
    return number


def _add_map(message: Any, name: str, number: int, value: dict[str, Any]) -> None:
    """A map is a list of entries, of a class within the message."""
    entry = message.nested_type.add(name=f"{_camel(name)}Entry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=_type("STRING"), label=_label("OPTIONAL"))
    entry.field.add(name="value", number=2, label=_label("OPTIONAL"), **value)
    message.field.add(
        name=name,
        number=number,
        type=_type("MESSAGE"),
        type_name=entry.name,
        label=_label("REPEATED"),
    )


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


_FILES = {"FieldMask": "field_mask"}


def _file_of(full_name: str) -> str:
    if full_name.startswith("google.protobuf."):
        name = full_name.rpartition(".")[2]
        return f"google/protobuf/{_FILES.get(name, name.lower())}.proto"
    return f"streamflow/{full_name}.proto"

"""Fields that hold several numbers or texts: numbers of an enum in a list, and numbers or texts by name."""

from __future__ import annotations

from typing import Any, Generic, Self, TypeVar, overload

from streamflow.api.enums.v1.named import ProtobufEnum
from streamflow.api.message import Descriptor, Message
from streamflow.model import protobuf

EnumT = TypeVar("EnumT", bound=ProtobufEnum)


class choices(Descriptor, Generic[EnumT]):  # reads like a keyword where messages are declared
    """A list of members of an enum."""

    def __init__(self, number: int, cls: type[EnumT]) -> None:
        super().__init__(number)
        self.cls = cls

    @overload
    def __get__(self, message: None, owner: type[Message]) -> Self: ...
    @overload
    def __get__(self, message: Message, owner: type[Message]) -> list[EnumT]: ...
    def __get__(self, message: Message | None, owner: type[Message]) -> Any:
        return self if message is None else self.get(message)

    def get(self, message: Message) -> list[Any]:
        found: list[Any] = message.__dict__.setdefault(self.slot, [])
        return found

    def put(self, message: Message, value: Any) -> None:
        self.get(message)[:] = [member(self.cls, one) for one in value or ()]
        message._present = True

    def encode(self, message: Message) -> bytes:
        # Numbers of a list stand together, behind one mark.
        packed = b"".join(protobuf.varint(int(one)) for one in self.get(message))
        return protobuf.bytes_field(self.number, packed) if packed else b""

    def decode(self, message: Message, value: int | bytes) -> None:
        numbers = [value] if isinstance(value, int) else protobuf.varints(value)
        self.get(message).extend(member(self.cls, one) for one in numbers)


class choices_by_name(Descriptor, Generic[EnumT]):
    """Members of an enum by name."""

    def __init__(self, number: int, cls: type[EnumT]) -> None:
        super().__init__(number)
        self.cls = cls

    @overload
    def __get__(self, message: None, owner: type[Message]) -> Self: ...
    @overload
    def __get__(self, message: Message, owner: type[Message]) -> dict[str, EnumT]: ...
    def __get__(self, message: Message | None, owner: type[Message]) -> Any:
        return self if message is None else self.get(message)

    def get(self, message: Message) -> dict[str, Any]:
        found: dict[str, Any] = message.__dict__.setdefault(self.slot, {})
        return found

    def put(self, message: Message, value: Any) -> None:
        given: dict[str, Any] = value or {}
        self.get(message).update({name: member(self.cls, one) for name, one in given.items()})
        message._present = True

    def encode(self, message: Message) -> bytes:
        found = self.get(message)
        return b"".join(
            protobuf.bytes_field(
                self.number,
                protobuf.bytes_field(1, name.encode()) + protobuf.number_field(2, int(found[name])),
            )
            for name in sorted(found)
        )

    def decode(self, message: Message, value: int | bytes) -> None:
        if isinstance(value, bytes):
            entry = dict(protobuf.fields(value))
            name, number = entry.get(1, b""), entry.get(2, 0)
            if isinstance(name, bytes) and isinstance(number, int):
                self.get(message)[name.decode()] = member(self.cls, number)


class texts_by_name(Descriptor):
    """Texts by name."""

    @overload
    def __get__(self, message: None, owner: type[Message]) -> Self: ...
    @overload
    def __get__(self, message: Message, owner: type[Message]) -> dict[str, str]: ...
    def __get__(self, message: Message | None, owner: type[Message]) -> Any:
        return self if message is None else self.get(message)

    def get(self, message: Message) -> dict[str, str]:
        found: dict[str, str] = message.__dict__.setdefault(self.slot, {})
        return found

    def put(self, message: Message, value: Any) -> None:
        self.get(message).update(value or {})
        message._present = True

    def encode(self, message: Message) -> bytes:
        found = self.get(message)
        return b"".join(
            protobuf.bytes_field(
                self.number,
                protobuf.bytes_field(1, name.encode())
                + protobuf.bytes_field(2, found[name].encode()),
            )
            for name in sorted(found)
        )

    def decode(self, message: Message, value: int | bytes) -> None:
        if isinstance(value, bytes):
            entry = dict(protobuf.fields(value))
            name, text = entry.get(1, b""), entry.get(2, b"")
            if isinstance(name, bytes) and isinstance(text, bytes):
                self.get(message)[name.decode()] = text.decode()


def member(cls: type[EnumT], value: Any) -> EnumT | int:
    """The member of this number or name; a number without a name as it is."""
    if isinstance(value, str):
        return cls.Value(value)
    if not isinstance(value, int):
        raise TypeError(f"Expected a {cls.__name__}, found {value!r}")
    return cls(value) if value in cls.values() else value

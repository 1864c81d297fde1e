"""More kinds of fields: numbers of an enum, long numbers, fractions, and lists of texts."""

from __future__ import annotations

import struct
from typing import Any, Generic, Self, TypeVar, overload

from streamflow.api.enums.v1.named import ProtobufEnum
from streamflow.api.message import Descriptor, Message, field
from streamflow.model import protobuf

EnumT = TypeVar("EnumT", bound=ProtobufEnum)


class long(field[int]):  # reads like a keyword where messages are declared
    """A number of 64 bits. In JSON it is a text."""

    def __init__(self, number: int) -> None:
        super().__init__(number, 0)


class choice(Descriptor, Generic[EnumT]):
    """A member of an enum, or a number that is not among them."""

    def __init__(self, number: int, cls: type[EnumT]) -> None:
        super().__init__(number)
        self.cls = cls

    @overload
    def __get__(self, message: None, owner: type[Message]) -> Self: ...
    @overload
    def __get__(self, message: Message, owner: type[Message]) -> EnumT: ...
    def __get__(self, message: Message | None, owner: type[Message]) -> Any:
        return self if message is None else self.get(message)

    def __set__(self, message: Message, value: int) -> None:
        self.put(message, value)

    def get(self, message: Message) -> Any:
        found = message.__dict__.get(self.slot)
        return self.cls(0) if found is None else found

    def put(self, message: Message, value: Any) -> None:
        if value is None:
            return
        if not isinstance(value, int):
            raise TypeError(f"Expected a {self.cls.__name__} for {self.slot[1:]}, found {value!r}")
        known = value in self.cls.values()
        message.__dict__[self.slot] = self.cls(value) if known else value
        message._present = True

    def encode(self, message: Message) -> bytes:
        value = self.get(message)
        return protobuf.number_field(self.number, int(value)) if value else b""

    def decode(self, message: Message, value: int | bytes) -> None:
        if isinstance(value, int):
            self.put(message, protobuf.signed(value))


class real(Descriptor):
    """A fraction, of 64 bits or with ``single`` of 32."""

    def __init__(self, number: int, *, single: bool = False) -> None:
        super().__init__(number)
        self.single = single
        self._form, self._wire = ("<f", protobuf.FIXED32) if single else ("<d", protobuf.FIXED64)

    @overload
    def __get__(self, message: None, owner: type[Message]) -> Self: ...
    @overload
    def __get__(self, message: Message, owner: type[Message]) -> float: ...
    def __get__(self, message: Message | None, owner: type[Message]) -> Any:
        return self if message is None else self.get(message)

    def __set__(self, message: Message, value: float) -> None:
        self.put(message, value)

    def get(self, message: Message) -> float:
        found: float = message.__dict__.get(self.slot, 0.0)
        return found

    def put(self, message: Message, value: Any) -> None:
        if value is None:
            return
        if not isinstance(value, int | float):
            raise TypeError(f"Expected a number for {self.slot[1:]}, found {value!r}")
        message.__dict__[self.slot] = float(value)
        message._present = True

    def encode(self, message: Message) -> bytes:
        value = self.get(message)
        if not value:
            return b""
        return protobuf.varint(self.number << 3 | self._wire) + struct.pack(self._form, value)

    def decode(self, message: Message, value: int | bytes) -> None:
        if isinstance(value, bytes) and len(value) == struct.calcsize(self._form):
            self.put(message, struct.unpack(self._form, value)[0])


class texts(Descriptor):
    """A list of texts."""

    @overload
    def __get__(self, message: None, owner: type[Message]) -> Self: ...
    @overload
    def __get__(self, message: Message, owner: type[Message]) -> list[str]: ...
    def __get__(self, message: Message | None, owner: type[Message]) -> Any:
        return self if message is None else self.get(message)

    def __set__(self, message: Message, value: Any) -> None:
        raise AttributeError(
            f"Expected {self.slot[1:]} to be changed by append or extend, found an assignment"
        )

    def get(self, message: Message) -> list[str]:
        found: list[str] = message.__dict__.setdefault(self.slot, [])
        return found

    def put(self, message: Message, value: Any) -> None:
        self.get(message)[:] = value or ()
        message._present = True

    def encode(self, message: Message) -> bytes:
        return b"".join(
            protobuf.bytes_field(self.number, one.encode()) for one in self.get(message)
        )

    def decode(self, message: Message, value: int | bytes) -> None:
        if isinstance(value, bytes):
            self.get(message).append(value.decode())

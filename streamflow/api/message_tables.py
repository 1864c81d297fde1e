"""Fields that hold several values: numbers of an enum in a list, and messages, numbers or texts by name."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Generic, Self, TypeVar, overload

from streamflow.api.enums.v1.named import ProtobufEnum
from streamflow.api.message import Descriptor, Message, PartT
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


class ByName(Descriptor):
    """Something by name. A kind of it says how its values are given, written and read."""

    def get(self, message: Message) -> dict[str, Any]:
        found: dict[str, Any] = message.__dict__.setdefault(self.slot, {})
        return found

    def put(self, message: Message, value: Any) -> None:
        given: dict[str, Any] = value or {}
        self.get(message).update({name: self.given(one) for name, one in given.items()})
        message._present = True

    def encode(self, message: Message) -> bytes:
        found = self.get(message)
        return b"".join(
            protobuf.bytes_field(
                self.number, protobuf.bytes_field(1, name.encode()) + self.written(found[name])
            )
            for name in sorted(found)
        )

    def decode(self, message: Message, value: int | bytes) -> None:
        if isinstance(value, bytes):
            entry = dict(protobuf.fields(value))
            name = entry.get(1, b"")
            if isinstance(name, bytes):
                self.read(self.get(message), name.decode(), entry.get(2))

    def given(self, value: Any) -> Any:
        return value

    def written(self, value: Any) -> bytes:
        """The value as the second field of its entry."""
        raise NotImplementedError

    def read(self, found: dict[str, Any], name: str, value: int | bytes | None) -> None:
        """Takes the second field of an entry; ``None`` where it is not there. What is of another kind is passed over."""
        raise NotImplementedError


class table(ByName, Generic[PartT]):
    """Messages or payloads by name; reading a name that is not there makes an empty one."""

    def __init__(self, number: int, cls: type[PartT]) -> None:
        super().__init__(number)
        self.cls = cls

    @overload
    def __get__(self, message: None, owner: type[Message]) -> Self: ...
    @overload
    def __get__(self, message: Message, owner: type[Message]) -> dict[str, PartT]: ...
    def __get__(self, message: Message | None, owner: type[Message]) -> Self | dict[str, PartT]:
        return self if message is None else self.get(message)

    def get(self, message: Message) -> dict[str, PartT]:
        found: dict[str, PartT] | None = message.__dict__.get(self.slot)
        if found is None:
            found = message.__dict__[self.slot] = defaultdict[str, PartT](self.cls)
        assert found is not None
        return found

    def written(self, value: Any) -> bytes:
        return protobuf.bytes_field(2, value.SerializeToString())

    def read(self, found: dict[str, Any], name: str, value: int | bytes | None) -> None:
        if not isinstance(value, int):
            found[name].MergeFromString(value or b"")


class choices_by_name(ByName, Generic[EnumT]):
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

    def given(self, value: Any) -> Any:
        return member(self.cls, value)

    def written(self, value: Any) -> bytes:
        return protobuf.number_field(2, int(value))

    def read(self, found: dict[str, Any], name: str, value: int | bytes | None) -> None:
        if not isinstance(value, bytes):
            found[name] = member(self.cls, value or 0)


class texts_by_name(ByName):
    """Texts by name."""

    @overload
    def __get__(self, message: None, owner: type[Message]) -> Self: ...
    @overload
    def __get__(self, message: Message, owner: type[Message]) -> dict[str, str]: ...
    def __get__(self, message: Message | None, owner: type[Message]) -> Any:
        return self if message is None else self.get(message)

    def written(self, value: Any) -> bytes:
        return protobuf.bytes_field(2, value.encode())

    def read(self, found: dict[str, Any], name: str, value: int | bytes | None) -> None:
        if not isinstance(value, int):
            found[name] = (value or b"").decode()


def member(cls: type[EnumT], value: Any) -> EnumT | int:
    """The member of this number or name; a number without a name as it is."""
    if isinstance(value, str):
        return cls.Value(value)
    if not isinstance(value, int):
        raise TypeError(f"Expected a {cls.__name__}, found {value!r}")
    return cls(value) if value in cls.values() else value

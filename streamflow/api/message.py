"""What a message can do. Its fields are descriptors of its class: `field` for single values, `child`, `many`, `table`.

    class Point(Message):
        x = field(1, 0)
        name = field(2, "")

As with protobuf, a child that is not there reads as an empty one and is there once something is set in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, overload

from streamflow.api.described import Described
from streamflow.model import protobuf

ScalarT = TypeVar("ScalarT", bound=str | bytes | int)
PartT = TypeVar("PartT", bound="Part")


class Part(Protocol):
    """What may be within a message: a message, or a payload."""

    def SerializeToString(self) -> bytes: ...
    def MergeFromString(self, s: bytes, /) -> int: ...


_NAMED: dict[str, type[Message]] = {}
"""The classes of messages by their full names."""


class Message:
    """Base of all messages: keyword arguments set fields; equal when of one class with equal fields."""

    DESCRIPTOR: ClassVar[Any] = Described()
    """Raises AttributeError where the protobuf library is not installed."""
    _fields: ClassVar[dict[str, Descriptor]] = {}
    _oneofs: ClassVar[dict[str, tuple[str, ...]]] = {}
    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # as it can be changed

    def __init_subclass__(cls) -> None:
        own = {name: item for name, item in vars(cls).items() if isinstance(item, Descriptor)}
        cls._fields = {**cls._fields, **own}
        _NAMED[cls.full_name()] = cls

    def __init__(self, **values: Any) -> None:
        self._present = False
        for name, value in values.items():
            self._descriptor(name).put(self, value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message) or type(other) is not type(self):
            return NotImplemented
        return self.SerializeToString() == other.SerializeToString()

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={item.get(self)!r}" for name, item in self._fields.items() if item.has(self)
        )
        return f"{type(self).__name__}({shown})"

    def SerializeToString(self, *, deterministic: bool = True) -> bytes:
        ordered = sorted(self._fields.values(), key=lambda item: item.number)
        return b"".join(item.encode(self) for item in ordered)

    @classmethod
    def FromString(cls, s: bytes, /) -> Self:
        """Raises: ValueError, for what are no bytes of a message."""
        made = cls()
        made.MergeFromString(s)
        return made

    def ParseFromString(self, s: bytes, /) -> int:
        self.Clear()
        return self.MergeFromString(s)

    def MergeFromString(self, s: bytes, /) -> int:
        by_number = {item.number: item for item in self._fields.values()}
        for number, value in protobuf.fields(bytes(s)):
            if number in by_number:
                by_number[number].decode(self, value)
        return len(s)

    def CopyFrom(self, other: Self, /) -> None:
        """Takes the other's place."""
        if other is not self:
            self.ParseFromString(other.SerializeToString())
            self._present = True

    def MergeFrom(self, other: Self, /) -> None:
        self.MergeFromString(other.SerializeToString())

    def ListFields(self) -> list[tuple[Any, Any]]:
        """Descriptor and value of each field that is set."""
        known = self.DESCRIPTOR.fields_by_name
        ordered = sorted(self._fields.items(), key=lambda named: named[1].number)
        return [(known[name], item.get(self)) for name, item in ordered if item.has(self)]

    def SetInParent(self) -> None:
        """Makes this child be there, even with nothing set in it."""
        self._present = True

    def HasField(self, field_name: str, /) -> bool:
        return self._descriptor(field_name).has(self)

    def ClearField(self, field_name: str, /) -> None:
        self.__dict__.pop(self._descriptor(field_name).slot, None)

    def Clear(self) -> None:
        for name in self._fields:
            self.ClearField(name)

    def WhichOneof(self, oneof_group: str, /) -> str | None:
        """The one field of the group that is there."""
        if oneof_group not in self._oneofs:
            raise ValueError(f"Expected a group of {type(self).__name__}, found {oneof_group!r}")
        return next((name for name in self._oneofs[oneof_group] if self.HasField(name)), None)

    def ByteSize(self) -> int:
        return len(self.SerializeToString())

    @classmethod
    def full_name(cls) -> str:
        """As payloads of messages name their class: ``temporal.api.common.v1.WorkflowExecution``."""
        package = cls.__module__.split(".")
        if "v1" not in package:
            return f"google.protobuf.{cls.__name__}"
        within = package[1 : package.index("v1") + 1]
        return ".".join(["temporal", *within, cls.__name__])

    @classmethod
    def named(cls, full_name: str) -> type[Message] | None:
        """The class of that name among those that are imported."""
        return _NAMED.get(full_name)

    @classmethod
    def _descriptor(cls, name: str) -> Descriptor:
        found = cls._fields.get(name)
        if found is None:
            known = ", ".join(cls._fields)
            raise ValueError(f"Expected a field of {cls.__name__} ({known}), found {name!r}")
        return found


class Descriptor:
    """A field of a message: where it is kept, and how it becomes bytes."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.slot: str = ""

    def __set_name__(self, owner: type[Message], name: str) -> None:
        self.slot = f"={name}"  # no attribute of a class is called so

    def get(self, message: Message) -> Any:
        raise NotImplementedError

    def put(self, message: Message, value: Any) -> None:
        raise NotImplementedError

    def has(self, message: Message) -> bool:
        return bool(message.__dict__.get(self.slot))

    def encode(self, message: Message) -> bytes:
        raise NotImplementedError

    def decode(self, message: Message, value: int | bytes) -> None:
        raise NotImplementedError


class field(Descriptor, Generic[ScalarT]):  # reads like a keyword where messages are declared
    """A text, bytes, a number or a flag."""

    def __init__(self, number: int, default: ScalarT) -> None:
        super().__init__(number)
        self.default: ScalarT = default

    @overload
    def __get__(self, message: None, owner: type[Message]) -> Self: ...
    @overload
    def __get__(self, message: Message, owner: type[Message]) -> ScalarT: ...
    def __get__(self, message: Message | None, owner: type[Message]) -> Any:
        return self if message is None else self.get(message)

    def __set__(self, message: Message, value: ScalarT) -> None:
        self.put(message, value)

    def get(self, message: Message) -> ScalarT:
        value: ScalarT = message.__dict__.get(self.slot, self.default)
        return value

    def put(self, message: Message, value: Any) -> None:
        if value is None:  # as for a keyword argument that was left out
            return
        wanted = type(self.default)
        if not isinstance(value, wanted):
            raise TypeError(f"Expected {wanted.__name__} for {self.slot[1:]}, found {value!r}")
        message.__dict__[self.slot] = value
        message._present = True

    def encode(self, message: Message) -> bytes:
        value = self.get(message)
        if not value:
            return b""
        if isinstance(value, str):
            return protobuf.bytes_field(self.number, value.encode())
        if isinstance(value, bytes):
            return protobuf.bytes_field(self.number, value)
        return protobuf.number_field(self.number, int(value))

    def decode(self, message: Message, value: int | bytes) -> None:
        wanted = type(self.default)
        if isinstance(value, bytes) and wanted in (str, bytes):
            self.put(message, value.decode() if wanted is str else value)
        elif isinstance(value, int) and wanted in (int, bool):
            self.put(message, wanted(protobuf.signed(value)))


class child(Descriptor, Generic[PartT]):
    """A message, or a payload, within this one."""

    def __init__(self, number: int, cls: type[PartT] | None) -> None:
        """Without a class it holds messages of its own message's class."""
        super().__init__(number)
        self.cls: type[Any] | None = cls

    def __set_name__(self, owner: type[Message], name: str) -> None:
        super().__set_name__(owner, name)
        self.cls = self.cls or owner

    @overload
    def __get__(self, message: None, owner: type[Message]) -> Self: ...
    @overload
    def __get__(self, message: Message, owner: type[Message]) -> PartT: ...
    def __get__(self, message: Message | None, owner: type[Message]) -> Self | PartT:
        return self if message is None else self.get(message)

    def __set__(self, message: Message, value: Any) -> None:
        raise AttributeError(
            f"Expected {self.slot[1:]} to be changed by CopyFrom or by its fields, found an assignment"
        )

    def get(self, message: Message) -> PartT:
        assert self.cls is not None
        found: PartT | None = message.__dict__.get(self.slot)
        if found is None:
            found = message.__dict__[self.slot] = self.cls()
        assert found is not None
        return found

    def put(self, message: Message, value: Any) -> None:
        if value is None:
            return
        if isinstance(value, Mapping | timedelta | datetime):
            assert self.cls is not None
            message.__dict__[self.slot] = _made(self.cls, value)
            return
        own = message.__dict__[self.slot] = type(value)()
        own.CopyFrom(value)

    def has(self, message: Message) -> bool:
        found = message.__dict__.get(self.slot)
        if found is None:
            return False
        if isinstance(found, Message):
            return found._present or any(item.has(found) for item in found._fields.values())
        return bool(found.SerializeToString())

    def encode(self, message: Message) -> bytes:
        if not self.has(message):
            return b""
        return protobuf.bytes_field(self.number, self.get(message).SerializeToString())

    def decode(self, message: Message, value: int | bytes) -> None:
        if isinstance(value, bytes):
            found = self.get(message)
            found.MergeFromString(value)
            if isinstance(found, Message):
                found.SetInParent()


def _made(cls: type[Any], value: Any) -> Any:
    """A part that was given as its fields by name, or a time that was given as Python's own."""
    if isinstance(value, Mapping):
        return cls(**value)
    made = cls()
    if isinstance(value, timedelta):
        made.FromTimedelta(value)
    else:
        made.FromDatetime(value)
    return made


class Repeated(list[PartT]):
    """A list of parts; `add` appends a new one and returns it."""

    def __init__(self, cls: type[PartT], items: Iterable[PartT] = ()) -> None:
        super().__init__(items)
        self._cls = cls

    def add(self, **values: Any) -> PartT:
        made = self._cls(**values)
        self.append(made)
        return made

    def MergeFrom(self, other: Iterable[PartT], /) -> None:
        self.extend(other)


class many(Descriptor, Generic[PartT]):
    """A list of messages or payloads."""

    def __init__(self, number: int, cls: type[PartT]) -> None:
        super().__init__(number)
        self.cls = cls

    @overload
    def __get__(self, message: None, owner: type[Message]) -> Self: ...
    @overload
    def __get__(self, message: Message, owner: type[Message]) -> Repeated[PartT]: ...
    def __get__(self, message: Message | None, owner: type[Message]) -> Self | Repeated[PartT]:
        return self if message is None else self.get(message)

    def __set__(self, message: Message, value: Any) -> None:
        raise AttributeError(
            f"Expected {self.slot[1:]} to be changed by append or extend, found an assignment"
        )

    def get(self, message: Message) -> Repeated[PartT]:
        found: Repeated[PartT] | None = message.__dict__.get(self.slot)
        if found is None:
            found = message.__dict__[self.slot] = Repeated(self.cls)
        return found

    def put(self, message: Message, value: Any) -> None:
        self.get(message)[:] = value or ()
        message._present = True

    def encode(self, message: Message) -> bytes:
        parts = (item.SerializeToString() for item in self.get(message))
        return b"".join(protobuf.bytes_field(self.number, part) for part in parts)

    def decode(self, message: Message, value: int | bytes) -> None:
        if isinstance(value, bytes):
            self.get(message).add().MergeFromString(value)

"""Classes that are stored as something else: a converter of their own makes them a value that is encoded in their place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, cast

ValueT = TypeVar("ValueT")
StoredT = TypeVar("StoredT")

_CONVERTER = "_streamflow_transfer_type_converter"
"""No name between double underscores: hints such as ``Box[int]`` pass on others only to their class."""


class TransferTypeConverter(ABC, Generic[ValueT, StoredT]):
    """Between a class and what is stored in its place; `transfer_type_convertible` puts it to a class.

    It is asked for values that are whole arguments, results or the like, not for those within others.
    """

    transfer_type: type[StoredT] | None = None
    """The hint by which the stored value is decoded. Default: none."""

    @abstractmethod
    def to_transfer_type(self, value: ValueT) -> StoredT:
        """What is encoded instead of the value."""

    @abstractmethod
    def from_transfer_type(self, value: StoredT, type_hint: type[ValueT]) -> ValueT:
        """The value that the hint wants, which may name the class's type arguments."""


def transfer_type_convertible(
    converter_type: type[TransferTypeConverter[ValueT, StoredT]],
) -> Callable[[type[ValueT]], type[ValueT]]:
    """Decorates a class, and by inheritance its subclasses, with such a converter, which is made at once.

    Raises:
        TypeError: the class has one.
    """

    def decorate(cls: type[ValueT]) -> type[ValueT]:
        if hasattr(cls, _CONVERTER):
            raise TypeError(
                f"{cls.__qualname__} already has a transfer type converter: expected a class without one"
            )
        setattr(cls, _CONVERTER, converter_type())
        return cls

    return decorate


def transferred(values: Sequence[Any]) -> Sequence[Any]:
    """The values with those of such classes replaced."""
    for value in values:
        if hasattr(cast("object", type(value)), _CONVERTER):
            break
    else:
        return values
    return [
        value if (found := _converter_of(type(value))) is None else found.to_transfer_type(value)
        for value in values
    ]


def transfer_hints(type_hints: list[Any]) -> list[Any] | None:
    """The hints of what is stored; ``None`` if these are."""
    for hint in type_hints:
        if _converter_of(hint) is not None:
            break
    else:
        return None
    return [
        hint if (found := _converter_of(hint)) is None else found.transfer_type
        for hint in type_hints
    ]


def restored(values: list[Any], type_hints: list[Any]) -> list[Any]:
    """The values that the hints want, of what was stored."""
    return [
        value
        if index >= len(type_hints) or (found := _converter_of(type_hints[index])) is None
        else found.from_transfer_type(value, type_hints[index])
        for index, value in enumerate(values)
    ]


def _converter_of(hint: Any) -> TransferTypeConverter[Any, Any] | None:
    found: TransferTypeConverter[Any, Any] | None = getattr(hint, _CONVERTER, None)
    return found if isinstance(found, TransferTypeConverter) else None

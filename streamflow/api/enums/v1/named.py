"""What an enum of a protobuf file can do: its members are numbers, its class gives names to numbers and back."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class ProtobufEnum(IntEnum):
    """Members are whole numbers, and equal to them."""

    @classmethod
    def Name(cls, number: int) -> str:
        """Raises: ValueError, for a number without a name."""
        return cls(number).name

    @classmethod
    def Value(cls, name: str) -> Self:
        """Raises: ValueError, for a name that is not here."""
        if name not in cls.__members__:
            raise ValueError(f"Expected a name of {cls.__name__}, found {name!r}")
        return cls[name]

    @classmethod
    def ValueType(cls, number: int) -> Self:
        return cls(number)

    @classmethod
    def keys(cls) -> list[str]:
        return [*cls.__members__]

    @classmethod
    def values(cls) -> list[int]:
        return [int(member) for member in cls]

    @classmethod
    def items(cls) -> list[tuple[str, int]]:
        return [(name, int(member)) for name, member in cls.__members__.items()]

"""JSON payloads: fast for plain data, with room for encoders, decoders and types of one's own.

Plain data, dataclasses, enums, UUIDs, times, decimals and sets are encoded in compiled code. What that cannot state
exactly (not-a-number, lone surrogates) or does not know (Pydantic models) goes through `AdvancedJSONEncoder`.
"""

from __future__ import annotations

import dataclasses
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, NewType, TypeGuard, cast

import msgspec

from streamflow.converter.encoding import EncodingPayloadConverter
from streamflow.converter.scalars import Unhandled
from streamflow.converter.typed import value_to_type
from streamflow.model.payload import Payload


class AdvancedJSONEncoder(json.JSONEncoder):
    """Also knows dataclasses, Pydantic models, sets, UUIDs, times, decimals, enums and bytes (as base64)."""

    def default(self, o: Any) -> Any:
        # One level at a time: what is inside may be of a type that only a subclass knows.
        if dataclasses.is_dataclass(o) and not isinstance(o, type):
            return {item.name: getattr(o, item.name) for item in dataclasses.fields(o)}
        if isinstance(o, msgspec.Struct):
            return msgspec.structs.asdict(o)
        if _is_set(o):
            return _ordered(o)
        try:
            return msgspec.to_builtins(o, enc_hook=_no_further)
        except TypeError:
            return super().default(o)


def _is_set(value: Any) -> TypeGuard[set[Any] | frozenset[Any]]:
    return isinstance(value, set | frozenset)


def _ordered(values: set[Any] | frozenset[Any]) -> list[Any]:
    """Equal sets in one order, where there is one."""
    try:
        return sorted(values)
    except TypeError:
        return [*values]


def _no_further(value: Any) -> Any:
    """Pydantic 2 and 1 by their methods, without importing either; then whatever can be walked through."""
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump(mode="json")
    dump = getattr(value, "dict", None)
    if callable(dump):
        return dump()
    if isinstance(value, Iterable):
        return [*value]
    raise TypeError(
        f"Expected a value that JSON can hold, found {type(value)}; "
        "pass a dataclass or plain data, or give JSONPlainPayloadConverter an encoder that knows it"
    )


JSONTypeConverterUnhandled = NewType("JSONTypeConverterUnhandled", object)
"""The type of `JSONTypeConverter.Unhandled`."""


class JSONTypeConverter(ABC):
    """Knows how to make values of some type hints out of decoded JSON."""

    Unhandled: ClassVar[JSONTypeConverterUnhandled] = JSONTypeConverterUnhandled(Unhandled)
    """To be returned for hints that this converter leaves to others."""

    @abstractmethod
    def to_typed_value(self, hint: type, value: Any) -> Any | JSONTypeConverterUnhandled | None:
        """The value that the hint wants, or `Unhandled`."""


class JSONPlainPayloadConverter(EncodingPayloadConverter):
    """Anything that JSON can hold, in the shortest form and with sorted keys, so that equal values have equal bytes."""

    def __init__(
        self,
        *,
        encoder: type[json.JSONEncoder] | None = AdvancedJSONEncoder,
        decoder: type[json.JSONDecoder] | None = None,
        encoding: str = "json/plain",
        custom_type_converters: Sequence[JSONTypeConverter] = (),
    ) -> None:
        self._encoding = encoding
        self._encoding_bytes = encoding.encode()
        self._custom_type_converters = tuple(custom_type_converters)
        self._decoder = decoder
        self._encoder = (encoder or json.JSONEncoder)(separators=(",", ":"), sort_keys=True)
        # An encoder of the user's own must see every value, so it takes the place of the compiled one.
        self._compiled = (
            msgspec.json.Encoder(enc_hook=_no_further, order="sorted")
            if encoder is AdvancedJSONEncoder
            else None
        )

    @property
    def encoding(self) -> str:
        return self._encoding

    def to_payload(self, value: Any) -> Payload | None:
        return Payload({"encoding": self._encoding_bytes}, self._encode(value))

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        try:
            value = self._decode(payload.data)
        except ValueError as error:
            raise RuntimeError(f"Failed parsing {self._encoding}: {error}") from error
        if type_hint is None:
            return value
        return value_to_type(type_hint, value, self._custom_type_converters)

    def _encode(self, value: Any) -> bytes:
        if self._compiled is not None:
            try:
                data = self._compiled.encode(value)
            except (UnicodeEncodeError, OverflowError, TypeError):
                pass  # the slow encoder knows more, or says better what is wrong
            else:
                # The compiled encoder writes null for what is no number; JSON as Python speaks it can say NaN.
                if b"null" not in data or not _has_non_finite(value):
                    return data
        return self._encoder.encode(value).encode()

    def _decode(self, data: bytes) -> Any:
        if self._decoder is not None:
            return json.loads(data, cls=self._decoder)
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return json.loads(data)


def _has_non_finite(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if _is_dict(value):
        return any(_has_non_finite(item) for item in value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return any(_has_non_finite(item) for item in cast("Sequence[Any]", value))
    if dataclasses.is_dataclass(value):
        return any(_has_non_finite(getattr(value, it.name)) for it in dataclasses.fields(value))
    return False


def _is_dict(value: Any) -> TypeGuard[dict[Any, Any]]:
    return isinstance(value, dict)

"""Values to payloads and back, by trying one encoding after the other. JSON itself is in `json_plain`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, TypeVar, overload

from streamflow.api.common.v1 import Payloads
from streamflow.common import RawValue
from streamflow.converter.encoding import EncodingPayloadConverter
from streamflow.converter.json_plain import JSONPlainPayloadConverter
from streamflow.converter.protobuf import BinaryProtoPayloadConverter, JSONProtoPayloadConverter
from streamflow.converter.serialization_context import (
    SerializationContext,
    WithSerializationContext,
    in_context,
)
from streamflow.converter.storage import is_reference
from streamflow.converter.transfer import restored, transfer_hints, transferred
from streamflow.model.payload import Payload

ValueT = TypeVar("ValueT")

__all__ = [
    "BinaryNullPayloadConverter",
    "BinaryPlainPayloadConverter",
    "CompositePayloadConverter",
    "DefaultPayloadConverter",
    "EncodingPayloadConverter",
    "PayloadConverter",
]


class PayloadConverter(ABC):
    """Turns values into payloads and back. Deterministic and without I/O: it runs inside workflow steps."""

    default: ClassVar[PayloadConverter]

    @abstractmethod
    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """One payload or more for these values.

        Raises:
            TypeError: a value has no encoding.
        """

    @abstractmethod
    def from_payloads(
        self, payloads: Sequence[Payload], type_hints: list[Any] | None = None
    ) -> list[Any]:
        """The values, as the hint at the same place wants them; a missing hint leaves them as decoded."""

    def to_payloads_wrapper(self, values: Sequence[Any]) -> Payloads:
        """As `to_payloads`, in one message."""
        return Payloads(payloads=self.to_payloads(values))

    def from_payloads_wrapper(self, payloads: Payloads | None) -> list[Any]:
        """As `from_payloads`, out of one message; none for none."""
        if payloads is None or not payloads.payloads:
            return []
        return self.from_payloads(payloads.payloads)

    def to_payload(self, value: Any) -> Payload:
        """The one payload of one value."""
        return self.to_payloads([value])[0]

    @overload
    def from_payload(self, payload: Payload) -> Any: ...
    @overload
    def from_payload(self, payload: Payload, type_hint: type[ValueT]) -> ValueT: ...
    @overload
    def from_payload(self, payload: Payload, type_hint: Any) -> Any: ...
    def from_payload(self, payload: Payload, type_hint: Any = None) -> Any:
        """The one value of one payload."""
        return self.from_payloads([payload], [type_hint] if type_hint is not None else None)[0]


class BinaryNullPayloadConverter(EncodingPayloadConverter):
    """``None``, as no bytes."""

    @property
    def encoding(self) -> str:
        return "binary/null"

    def to_payload(self, value: Any) -> Payload | None:
        return Payload({"encoding": b"binary/null"}) if value is None else None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        if payload.data:
            raise RuntimeError("Expected empty data for binary/null, found some")
        return None


class BinaryPlainPayloadConverter(EncodingPayloadConverter):
    """``bytes``, as they are."""

    @property
    def encoding(self) -> str:
        return "binary/plain"

    def to_payload(self, value: Any) -> Payload | None:
        if not isinstance(value, bytes | bytearray):
            return None
        return Payload({"encoding": b"binary/plain"}, bytes(value))

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        return bytearray(payload.data) if type_hint is bytearray else payload.data


_PLAIN = frozenset({str, int, float, bool, dict, list, tuple})
_NOT_OF_PLAIN = frozenset(
    {
        BinaryNullPayloadConverter,
        BinaryPlainPayloadConverter,
        JSONProtoPayloadConverter,
        BinaryProtoPayloadConverter,
    }
)
"""Converters that never encode a value of the plain classes; their subclasses may."""


class CompositePayloadConverter(PayloadConverter, WithSerializationContext):
    """Tries its converters in order; decoding goes by the payload's encoding. `RawValue` passes through."""

    converters: Mapping[bytes, EncodingPayloadConverter]

    def __init__(self, *converters: EncodingPayloadConverter) -> None:
        self._set_converters(*converters)

    def _set_converters(self, *converters: EncodingPayloadConverter) -> None:
        self.converters = {converter.encoding.encode(): converter for converter in converters}
        self._ordered = tuple(self.converters.values())
        self._of_plain = tuple(each for each in self._ordered if type(each) not in _NOT_OF_PLAIN)

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        return [self._encoded(index, value) for index, value in enumerate(transferred(values))]

    def from_payloads(
        self, payloads: Sequence[Payload], type_hints: list[Any] | None = None
    ) -> list[Any]:
        if not type_hints:
            return [self._decoded(payload, None) for payload in payloads]
        stored_hints = transfer_hints(type_hints)
        if stored_hints is not None:
            return restored(self.from_payloads(payloads, stored_hints), type_hints)
        hints = [*type_hints, *[None] * (len(payloads) - len(type_hints))]
        return [
            self._decoded(payload, hint) for payload, hint in zip(payloads, hints, strict=False)
        ]

    def with_context(self, context: SerializationContext) -> Self:
        """One of the same class, whose constructor takes no arguments; this one itself if no converter cares."""
        converters = self.get_converters_with_context(context)
        if converters is None:
            return self
        made = type(self)()
        made._set_converters(*converters)
        return made

    def get_converters_with_context(
        self, context: SerializationContext
    ) -> list[EncodingPayloadConverter] | None:
        """The converters for the context; ``None`` if no one cares."""
        made = [in_context(converter, context) for converter in self._ordered]
        changed = any(new is not old for new, old in zip(made, self._ordered, strict=True))
        return made if changed else None

    def _encoded(self, index: int, value: Any) -> Payload:
        if type(value) in _PLAIN:
            converters = self._of_plain
        elif isinstance(value, RawValue):
            return value.payload
        else:
            converters = self._ordered
        for converter in converters:
            payload = converter.to_payload(value)
            if payload is not None:
                return payload
        raise RuntimeError(
            f"Value at index {index} of type {type(value)} has no known converter: expected one that "
            f"{_names(self._ordered)} can encode; pass simpler data or add an EncodingPayloadConverter"
        )

    def _decoded(self, payload: Payload, type_hint: Any) -> Any:
        if type_hint is RawValue:
            return RawValue(payload)
        encoding = payload.metadata.get("encoding", b"<unknown>")
        converter = self.converters.get(encoding)
        if converter is None:
            raise self._unknown(payload, encoding)
        return converter.from_payload(payload, type_hint)

    def _unknown(self, payload: Payload, encoding: bytes) -> Exception:
        if is_reference(payload):
            return RuntimeError(
                "[TMPRL1105] Detected externally stored payload(s) but external storage is not configured. Give this "
                "program's DataConverter the external_storage that stored them"
            )
        return KeyError(
            f"Unknown payload encoding {encoding.decode(errors='replace')}: expected one of "
            f"{_names(self._ordered)}; is a converter or a codec missing here?"
        )


def _names(converters: Sequence[EncodingPayloadConverter]) -> str:
    return ", ".join(converter.encoding for converter in converters)


class DefaultPayloadConverter(CompositePayloadConverter):
    """``None``, bytes, Protocol Buffers (where the program uses them), then JSON."""

    default_encoding_payload_converters: tuple[EncodingPayloadConverter, ...] = (
        BinaryNullPayloadConverter(),
        BinaryPlainPayloadConverter(),
        JSONProtoPayloadConverter(),
        BinaryProtoPayloadConverter(),
        JSONPlainPayloadConverter(),
    )

    def __init__(self) -> None:
        super().__init__(*DefaultPayloadConverter.default_encoding_payload_converters)


PayloadConverter.default = DefaultPayloadConverter()

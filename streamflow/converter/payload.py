"""Values to payloads and back, by trying one encoding after the other. JSON itself is in `json_plain`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from streamflow.common import RawValue
from streamflow.converter.encoding import EncodingPayloadConverter
from streamflow.converter.json_plain import JSONPlainPayloadConverter
from streamflow.converter.protobuf import BinaryProtoPayloadConverter, JSONProtoPayloadConverter
from streamflow.model.payload import Payload

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
        self, payloads: Sequence[Payload], type_hints: Sequence[Any] | None = None
    ) -> list[Any]:
        """The values, as the hint at the same place wants them; a missing hint leaves them as decoded."""

    def to_payload(self, value: Any) -> Payload:
        """The one payload of one value."""
        return self.to_payloads([value])[0]

    def from_payload(self, payload: Payload, type_hint: Any = None) -> Any:
        return self.from_payloads([payload], [type_hint])[0]


class BinaryNullPayloadConverter(EncodingPayloadConverter):
    """``None``, as no bytes."""

    _null = Payload({"encoding": b"binary/null"}, b"")

    @property
    def encoding(self) -> str:
        return "binary/null"

    def to_payload(self, value: Any) -> Payload | None:
        return self._null if value is None else None

    def from_payload(self, payload: Payload, type_hint: Any = None) -> Any:
        return None


class BinaryPlainPayloadConverter(EncodingPayloadConverter):
    """``bytes``, as they are."""

    _metadata: Mapping[str, bytes] = {"encoding": b"binary/plain"}

    @property
    def encoding(self) -> str:
        return "binary/plain"

    def to_payload(self, value: Any) -> Payload | None:
        return (
            Payload(self._metadata, bytes(value)) if isinstance(value, bytes | bytearray) else None
        )

    def from_payload(self, payload: Payload, type_hint: Any = None) -> Any:
        return bytearray(payload.data) if type_hint is bytearray else payload.data


class CompositePayloadConverter(PayloadConverter):
    """Tries its converters in order; decoding goes by the payload's encoding. `RawValue` passes through."""

    converters: Mapping[bytes, EncodingPayloadConverter]

    def __init__(self, *converters: EncodingPayloadConverter) -> None:
        self._ordered = converters
        self.converters = {converter.encoding.encode(): converter for converter in converters}

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        return [self.to_payload(value) for value in values]

    def from_payloads(
        self, payloads: Sequence[Payload], type_hints: Sequence[Any] | None = None
    ) -> list[Any]:
        if not type_hints:
            return [self.from_payload(payload) for payload in payloads]
        hints = [*type_hints, *[None] * (len(payloads) - len(type_hints))]
        return [
            self.from_payload(payload, hint) for payload, hint in zip(payloads, hints, strict=False)
        ]

    def to_payload(self, value: Any) -> Payload:
        if isinstance(value, RawValue):
            return value.payload
        for converter in self._ordered:
            payload = converter.to_payload(value)
            if payload is not None:
                return payload
        raise TypeError(
            f"Expected a value that one of {_names(self._ordered)} can encode, found {type(value)}; "
            "pass simpler data or add an EncodingPayloadConverter"
        )

    def from_payload(self, payload: Payload, type_hint: Any = None) -> Any:
        if type_hint is RawValue:
            return RawValue(payload)
        encoding = payload.metadata.get("encoding", b"<none>")
        converter = self.converters.get(encoding)
        if converter is None:
            raise KeyError(
                f"Expected a payload encoded as one of {_names(self._ordered)}, found "
                f"{encoding.decode(errors='replace')}; is a converter or a codec missing here?"
            )
        return converter.from_payload(payload, type_hint)


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

"""Payload converters that do not know of transfer types, made to: those of users that share no code with ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streamflow.converter.payload import CompositePayloadConverter, PayloadConverter
from streamflow.converter.serialization_context import (
    SerializationContext,
    WithSerializationContext,
    in_context,
)
from streamflow.converter.transfer import restored, transfer_hints, transferred
from streamflow.model.payload import Payload


def transferring(converter: PayloadConverter) -> PayloadConverter:
    """The converter itself if it is one of ours, whose methods see to transfer types, else one around it that does."""
    if isinstance(converter, CompositePayloadConverter):
        return converter
    return TransferringPayloadConverter(converter)


class TransferringPayloadConverter(PayloadConverter, WithSerializationContext):
    """Any payload converter, with transfer types before and after it."""

    def __init__(self, inner: PayloadConverter) -> None:
        self.inner = inner

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        return self.inner.to_payloads(transferred(values))

    def from_payloads(
        self, payloads: Sequence[Payload], type_hints: list[Any] | None = None
    ) -> list[Any]:
        inner_hints = transfer_hints(type_hints) if type_hints else None
        if type_hints is None or inner_hints is None:
            return self.inner.from_payloads(payloads, type_hints)
        return restored(self.inner.from_payloads(payloads, inner_hints), type_hints)

    def with_context(self, context: SerializationContext) -> TransferringPayloadConverter:
        inner = in_context(self.inner, context)
        return self if inner is self.inner else TransferringPayloadConverter(inner)

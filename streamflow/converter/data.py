"""The three converters of a program together: values, payloads as stored, and errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from streamflow.converter.codec import PayloadCodec
from streamflow.converter.failure import DefaultFailureConverter, FailureConverter
from streamflow.converter.payload import DefaultPayloadConverter, PayloadConverter
from streamflow.exceptions import FailureError
from streamflow.model.failure import Failure
from streamflow.model.payload import Payload


@dataclass(frozen=True)
class DataConverter:
    """How a program's values are stored. Client, worker and processor of a queue need equal ones.

    Example: ``DataConverter(payload_codec=EncryptionCodec(key))``
    """

    payload_converter_class: type[PayloadConverter] = DefaultPayloadConverter
    payload_codec: PayloadCodec | None = None
    failure_converter_class: type[FailureConverter] = DefaultFailureConverter
    payload_converter: PayloadConverter = field(init=False, compare=False)
    failure_converter: FailureConverter = field(init=False, compare=False)

    default: ClassVar[DataConverter]

    def __post_init__(self) -> None:
        object.__setattr__(self, "payload_converter", self.payload_converter_class())
        object.__setattr__(self, "failure_converter", self.failure_converter_class())

    async def encode(self, values: Sequence[Any]) -> list[Payload]:
        """Payloads as they are to be stored."""
        payloads = self.payload_converter.to_payloads(values)
        if self.payload_codec is None or not payloads:
            return payloads
        return await self.payload_codec.encode(payloads)

    async def decode(
        self, payloads: Sequence[Payload], type_hints: Sequence[Any] | None = None
    ) -> list[Any]:
        """The values, as the hint at the same place wants them."""
        if self.payload_codec is not None and payloads:
            payloads = await self.payload_codec.decode(payloads)
        return self.payload_converter.from_payloads(payloads, type_hints)

    async def encode_failure(self, exception: BaseException) -> Failure:
        """The error as it is to be stored."""
        failure = self.failure_converter.to_failure(exception, self.payload_converter)
        return (
            failure
            if self.payload_codec is None
            else await self.payload_codec.encode_failure(failure)
        )

    async def decode_failure(self, failure: Failure) -> FailureError:
        if self.payload_codec is not None:
            failure = await self.payload_codec.decode_failure(failure)
        return self.failure_converter.from_failure(failure, self.payload_converter)


DataConverter.default = DataConverter()


def default() -> DataConverter:
    """The converter of a client that was given none."""
    return DataConverter.default

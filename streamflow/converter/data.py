"""The converters of a program together: values, payloads as stored, and errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from streamflow.api.common.v1 import Payloads as OpenPayloads
from streamflow.api.failure.stored import opened, stored
from streamflow.api.failure.v1 import Failure as OpenFailure
from streamflow.converter.codec import PayloadCodec, recode_failure
from streamflow.converter.failure import (
    DefaultFailureConverter,
    FailureConverter,
    error_of,
    failure_of,
)
from streamflow.converter.payload import (
    CompositePayloadConverter,
    DefaultPayloadConverter,
    PayloadConverter,
)
from streamflow.converter.pipeline import Pipeline
from streamflow.converter.serialization_context import (
    SerializationContext,
    WithSerializationContext,
    in_context,
)
from streamflow.converter.storage import ExternalStorage, StorageTarget
from streamflow.converter.transferring import TransferringPayloadConverter, transferring
from streamflow.model.failure import Failure
from streamflow.model.payload import Payload


@dataclass(frozen=True)
class DataConverter(WithSerializationContext):
    """How a program's values are stored. Client, worker and processor of a queue need equal ones.

    Example: ``DataConverter(payload_codec=EncryptionCodec(key))``
    """

    payload_converter_class: type[PayloadConverter] = DefaultPayloadConverter
    payload_codec: PayloadCodec | None = None
    failure_converter_class: type[FailureConverter] = DefaultFailureConverter
    external_storage: ExternalStorage | None = None
    payload_converter: PayloadConverter = field(init=False, compare=False)
    failure_converter: FailureConverter = field(init=False, compare=False)
    pipeline: Pipeline | None = field(init=False, compare=False, repr=False)
    """What payloads go through after their conversion; ``None`` if that is nothing."""
    takes_context: bool = field(init=False, compare=False, repr=False)
    """Whether the conversion of values or errors may depend on whose they are."""

    default: ClassVar[DataConverter]

    def __post_init__(self) -> None:
        self._assemble(transferring(self.payload_converter_class()), self.failure_converter_class())

    def _assemble(self, payloads: PayloadConverter, failures: FailureConverter) -> None:
        codec, storage = self.payload_codec, self.external_storage
        pipeline = None if codec is None and storage is None else Pipeline(codec, storage)
        object.__setattr__(self, "payload_converter", payloads)
        object.__setattr__(self, "failure_converter", failures)
        object.__setattr__(self, "pipeline", pipeline)
        takes_context = _takes_context(payloads) or isinstance(failures, WithSerializationContext)
        object.__setattr__(self, "takes_context", takes_context)

    def with_context(self, context: SerializationContext) -> Self:
        """This converter for values of the context; itself if none of its parts cares."""
        if not self.takes_context and (self.pipeline is None or not self.pipeline.takes_context):
            return self
        payloads = in_context(self.payload_converter, context)
        failures = in_context(self.failure_converter, context)
        codec = in_context(self.payload_codec, context)
        storage = in_context(self.external_storage, context)
        if (
            payloads is self.payload_converter
            and failures is self.failure_converter
            and codec is self.payload_codec
            and storage is self.external_storage
        ):
            return self
        made = replace(self, payload_codec=codec, external_storage=storage)
        made._assemble(payloads, failures)
        return made

    def stored_for(self, target: StorageTarget) -> Self:
        """This converter, whose external storage is told of the target; itself if nobody asks."""
        storage = self.external_storage
        if storage is None or not storage.takes_context:
            return self
        made = replace(self, external_storage=storage.stored_for(target))
        made._assemble(self.payload_converter, self.failure_converter)
        return made

    async def encode(self, values: Sequence[Any]) -> list[Payload]:
        """Payloads as they are to be stored."""
        payloads = self.payload_converter.to_payloads(values)
        if self.pipeline is None or not payloads:
            return payloads
        return await self.pipeline.encode(payloads)

    async def decode(
        self, payloads: Sequence[Payload], type_hints: Sequence[Any] | None = None
    ) -> list[Any]:
        """The values, as the hint at the same place wants them."""
        if self.pipeline is not None and payloads:
            payloads = await self.pipeline.decode(payloads)
        return self.payload_converter.from_payloads(
            payloads, None if type_hints is None else [*type_hints]
        )

    async def encode_wrapper(self, values: Sequence[Any]) -> OpenPayloads:
        """As `encode`, in one message."""
        return OpenPayloads(payloads=await self.encode(values))

    async def decode_wrapper(
        self, payloads: OpenPayloads | None, type_hints: Sequence[Any] | None = None
    ) -> list[Any]:
        """As `decode`, out of one message; none for none."""
        if payloads is None or not payloads.payloads:
            return []
        return await self.decode(payloads.payloads, type_hints)

    async def encode_failure(self, exception: BaseException, failure: OpenFailure) -> None:
        """Fills the failure with the error as it is to be stored."""
        failure.CopyFrom(opened(await self.store_failure(exception)))

    async def decode_failure(self, failure: OpenFailure) -> BaseException:
        """The error that the stored failure tells of."""
        return await self.restore_failure(stored(failure))

    async def store_failure(self, exception: BaseException) -> Failure:
        """The error as the engine keeps it."""
        failure = failure_of(self.failure_converter, exception, self.payload_converter)
        if self.pipeline is None:
            return failure
        return await recode_failure(failure, self.pipeline.encode)

    async def restore_failure(self, failure: Failure) -> BaseException:
        """The error that the engine's failure tells of."""
        if self.pipeline is not None:
            failure = await recode_failure(failure, self.pipeline.decode)
        return error_of(self.failure_converter, failure, self.payload_converter)


def _takes_context(converter: PayloadConverter) -> bool:
    if isinstance(converter, TransferringPayloadConverter):
        return _takes_context(converter.inner)
    if isinstance(converter, CompositePayloadConverter) and (
        type(converter).with_context is CompositePayloadConverter.with_context
    ):
        parts = converter.converters.values()
        return any(isinstance(part, WithSerializationContext) for part in parts)
    return isinstance(converter, WithSerializationContext)


DataConverter.default = DataConverter()


def default() -> DataConverter:
    """The converter of a client that was given none."""
    return DataConverter.default

"""What becomes of payloads between the converter and the log: the user's codec, then external storage."""

from __future__ import annotations

from collections.abc import Sequence

from streamflow.converter.codec import PayloadCodec
from streamflow.converter.serialization_context import (
    SerializationContext,
    WithSerializationContext,
    in_context,
)
from streamflow.converter.storage import ExternalStorage, StorageTarget, is_reference
from streamflow.model.payload import Payload


class Pipeline(PayloadCodec, WithSerializationContext):
    """Both steps as one codec. What is stored elsewhere has been through the codec; the reference has not."""

    def __init__(self, codec: PayloadCodec | None, storage: ExternalStorage | None) -> None:
        self._codec = codec
        self._storage = storage

    @property
    def takes_context(self) -> bool:
        """Whether `with_context` may change anything."""
        cared_for = self._storage is not None and self._storage.takes_context
        return cared_for or isinstance(self._codec, WithSerializationContext)

    def encodes(self, payloads: Sequence[Payload]) -> bool:
        """Whether `encode` could change one of them. Asked first, as most payloads are small and few have a codec."""
        if self._codec is not None:
            return True
        return self._storage is not None and self._storage.may_store(payloads)

    def decodes(self, payloads: Sequence[Payload]) -> bool:
        """Whether `decode` could change one of them."""
        return self._codec is not None or any(is_reference(payload) for payload in payloads)

    def with_context(
        self, context: SerializationContext, target: StorageTarget | None = None
    ) -> Pipeline:
        """``target``: whom to store for, where more is known of it than the context says."""
        if not self.takes_context:
            return self
        storage = self._storage
        if storage is not None:
            storage = storage.stored_for(target) if target else storage.with_context(context)
        return Pipeline(in_context(self._codec, context), storage)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        made = [*payloads]
        if not self.encodes(made):
            return made
        if self._codec is not None and made:
            made = [*await self._codec.encode(_copies(made))]
        return made if self._storage is None else await self._storage.store(made)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        made = [*payloads]
        if not self.decodes(made):
            return made
        if self._storage is not None:
            made = await self._storage.retrieve(made)
        if self._codec is None or not made:
            return made
        return [*await self._codec.decode(_copies(made))]


def _copies(payloads: Sequence[Payload]) -> list[Payload]:
    """A codec may change what it is given, and the engine still holds it."""
    return [Payload(dict(payload.metadata), payload.data) for payload in payloads]

"""A codec changes payloads as a whole: encryption, compression, storage elsewhere. It never sees values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import msgspec

from streamflow.model.failure import Failure
from streamflow.model.payload import Payload


class PayloadCodec(ABC):
    """Turns payloads into other payloads and back; may do I/O, as it never runs inside a workflow's step."""

    @abstractmethod
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads as they are to be stored; the number may differ."""

    @abstractmethod
    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads as they were before `encode`."""

    async def encode_one(self, payload: Payload) -> Payload:
        """As `encode`, where exactly one payload has its place."""
        return _only(await self.encode([payload]))

    async def decode_one(self, payload: Payload) -> Payload:
        return _only(await self.decode([payload]))

    async def encode_mapping(self, payloads: Mapping[str, Payload]) -> dict[str, Payload]:
        return {key: await self.encode_one(payload) for key, payload in payloads.items()}

    async def decode_mapping(self, payloads: Mapping[str, Payload]) -> dict[str, Payload]:
        return {key: await self.decode_one(payload) for key, payload in payloads.items()}

    async def encode_failure(self, failure: Failure) -> Failure:
        """The failure and its causes with all their payloads encoded."""
        return msgspec.structs.replace(
            failure,
            details=tuple(await self.encode(failure.details)) if failure.details else (),
            encoded_attributes=(
                tuple(await self.encode(failure.encoded_attributes))
                if failure.encoded_attributes
                else ()
            ),
            cause=None if failure.cause is None else await self.encode_failure(failure.cause),
        )

    async def decode_failure(self, failure: Failure) -> Failure:
        return msgspec.structs.replace(
            failure,
            details=tuple(await self.decode(failure.details)) if failure.details else (),
            encoded_attributes=(
                tuple(await self.decode(failure.encoded_attributes))
                if failure.encoded_attributes
                else ()
            ),
            cause=None if failure.cause is None else await self.decode_failure(failure.cause),
        )


def _only(payloads: list[Payload]) -> Payload:
    if len(payloads) != 1:
        raise ValueError(
            f"Expected the codec to return one payload for one, found {len(payloads)}; "
            "pack them into one payload"
        )
    return payloads[0]

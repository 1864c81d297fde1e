"""A codec changes payloads as a whole: encryption, compression. It never sees values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from streamflow.api.common.v1 import Payloads
from streamflow.api.failure.stored import opened, stored
from streamflow.api.failure.v1 import Failure as OpenFailure
from streamflow.model.failure import Failure
from streamflow.model.payload import Payload

Recode = Callable[[Sequence[Payload]], Awaitable[list[Payload]]]


class PayloadCodec(ABC):
    """Turns payloads into other payloads and back; may do I/O, as it never runs inside a workflow's step."""

    @abstractmethod
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads as they are to be stored; fewer than were given, but not none. Those given stay unchanged."""

    @abstractmethod
    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads as they were before `encode`."""

    async def encode_wrapper(self, payloads: Payloads) -> None:
        """Puts what `encode` makes of its payloads into the wrapper."""
        payloads.payloads[:] = await self.encode([*payloads.payloads])

    async def decode_wrapper(self, payloads: Payloads) -> None:
        """Puts what `decode` makes of its payloads into the wrapper."""
        payloads.payloads[:] = await self.decode([*payloads.payloads])

    async def encode_failure(self, failure: OpenFailure) -> None:
        """Encodes all payloads within the failure and its causes."""
        failure.CopyFrom(opened(await recode_failure(stored(failure), self.encode)))

    async def decode_failure(self, failure: OpenFailure) -> None:
        """Decodes all payloads within the failure and its causes."""
        failure.CopyFrom(opened(await recode_failure(stored(failure), self.decode)))


async def recode_one(payload: Payload, change: Recode) -> Payload:
    """Where exactly one payload has its place."""
    changed = await change([payload])
    if len(changed) != 1:
        raise ValueError(
            f"Expected the codec to return one payload for one, found {len(changed)}; "
            "pack them into one payload"
        )
    return changed[0]


async def recode_mapping(payloads: Mapping[str, Payload], change: Recode) -> dict[str, Payload]:
    return {key: await recode_one(payload, change) for key, payload in payloads.items()}


async def recode_failure(failure: Failure, change: Recode) -> Failure:
    """The failure and its causes with all their payloads changed."""
    attributes = failure.encoded_attributes
    return msgspec.structs.replace(
        failure,
        details=tuple(await change(failure.details)) if failure.details else (),
        encoded_attributes=tuple(await change(attributes)) if attributes else (),
        cause=None if failure.cause is None else await recode_failure(failure.cause, change),
    )

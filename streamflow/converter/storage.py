"""External storage: payloads beyond a size are kept elsewhere, and a small reference stands in their place.

    payload as encoded --driver.store--> claim --> {"driver_name": ..., "driver_claim": {"claim_data": {...}}}

A driver knows one store; `streamflow.converter.file_driver` has one for a folder, `streamflow.contrib.aws.s3driver` one
for S3. What no run refers to any more stays in the store: removing it is the store's business (a lifecycle rule).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import msgspec

from streamflow.converter.serialization_context import (
    ActivitySerializationContext,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from streamflow.converter.together import together
from streamflow.model.payload import REFERENCE_ENCODING, Payload

PAYLOAD_SIZE_THRESHOLD = 256 * 1024
_METADATA_BYTES = 4 * 1024
"""More than any payload has: only near the threshold is the exact size worth its cost."""


class StorageWarning(RuntimeWarning):
    """Something about external storage deserves a look."""


@dataclass(frozen=True)
class StorageDriverClaim:
    """What a driver needs to find one payload again; kept in the history, so it should be small and hold no secret."""

    claim_data: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class StorageDriverWorkflowInfo:
    """The workflow that a payload is stored for; what is not known is ``None``."""

    namespace: str
    id: str | None = None
    run_id: str | None = None
    type: str | None = None


@dataclass(frozen=True, kw_only=True)
class StorageDriverActivityInfo:
    """The standalone activity that a payload is stored for; what is not known is ``None``."""

    namespace: str
    id: str | None = None
    run_id: str | None = None
    type: str | None = None


StorageTarget = StorageDriverWorkflowInfo | StorageDriverActivityInfo


@dataclass(frozen=True)
class StorageDriverStoreContext:
    """For whom payloads are stored; ``None`` where nobody in particular is meant."""

    target: StorageTarget | None = None


@dataclass(frozen=True)
class StorageDriverSelectContext:
    """For whom a payload is about to be stored."""

    target: StorageTarget | None = None


@dataclass(frozen=True)
class StorageDriverRetrieveContext:
    """Nothing yet: claims say all that is needed."""


class StorageDriver(ABC):
    """Stores payloads somewhere and finds them again by claims. Both are called on the event loop, so they await."""

    takes_target: ClassVar[bool] = True
    """Whether `store` looks at its context's target. A driver that does not spares every value the making of one."""

    @abstractmethod
    def name(self) -> str:
        """Which driver this is among those of a program; references hold it, so it must stay the same."""

    def type(self) -> str:
        """What kind of driver this is, whatever its name; default: its class's name."""
        return type(self).__name__

    @abstractmethod
    async def store(
        self, context: StorageDriverStoreContext, payloads: Sequence[Payload]
    ) -> list[StorageDriverClaim]:
        """One claim for each payload. May run again for the same payload: storing twice must do no harm."""

    @abstractmethod
    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """The payload of each claim."""


DriverSelector = Callable[[StorageDriverSelectContext, Payload], StorageDriver | None]


@dataclass(frozen=True)
class ExternalStorage(WithSerializationContext):
    """Which payloads are kept elsewhere, and where.

    Args:
        drivers: at least one, each with a name of its own. Those that only retrieve may be among them.
        driver_selector: chooses the driver for a payload, or ``None`` to keep it inline; needed for several drivers.
        payload_size_threshold: bytes from which on a payload is a candidate; default 256 KiB.
    """

    drivers: Sequence[StorageDriver]
    driver_selector: DriverSelector | None = None
    payload_size_threshold: int = PAYLOAD_SIZE_THRESHOLD
    _target: StorageTarget | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.drivers:
            raise ValueError("Expected at least one driver in ExternalStorage.drivers, found none")
        if self.payload_size_threshold < 0:
            raise ValueError(
                "Expected ExternalStorage.payload_size_threshold to be greater than or equal to zero, "
                f"found {self.payload_size_threshold}"
            )
        if len(self.drivers) > 1 and self.driver_selector is None:
            raise ValueError(
                "Expected ExternalStorage.driver_selector to be specified if multiple drivers are registered, "
                "found none"
            )
        names = [driver.name() for driver in self.drivers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    "Expected each driver of ExternalStorage.drivers to have a unique name, "
                    f"found multiple drivers with name '{name}'"
                )

    def with_context(self, context: SerializationContext) -> ExternalStorage:
        """The same storage, which knows for whom it stores."""
        return self.stored_for(_target_of(context))

    def stored_for(self, target: StorageTarget | None) -> ExternalStorage:
        """The same, where more is known than a serialization context says."""
        bound = replace(self)
        object.__setattr__(bound, "_target", target)
        return bound

    @property
    def takes_context(self) -> bool:
        """Whether it matters for whom something is stored."""
        return self.driver_selector is not None or any(
            driver.takes_target for driver in self.drivers
        )

    def may_store(self, payloads: Sequence[Payload]) -> bool:
        """Whether one of them is large enough; False is certain."""
        least = self.payload_size_threshold - _METADATA_BYTES
        return any(len(payload.data) >= least for payload in payloads)

    async def store(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads, large ones replaced by references. Drivers work at the same time."""
        groups: dict[str, list[int]] = {}
        for index, payload in enumerate(payloads):
            driver = self._select(payload)
            if driver is not None:
                groups.setdefault(driver.name(), []).append(index)
        made = [*payloads]
        context = StorageDriverStoreContext(self._target)
        claims = await together(
            [
                self._driver(name).store(context, [payloads[index] for index in indices])
                for name, indices in groups.items()
            ]
        )
        for (name, indices), group in zip(groups.items(), claims, strict=True):
            _check_count(name, "claims", len(group), len(indices))
            for index, claim in zip(indices, group, strict=True):
                made[index] = _reference(name, claim)
        return made

    async def retrieve(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads, references replaced by what they refer to."""
        groups: dict[str, list[tuple[int, StorageDriverClaim]]] = {}
        for index, payload in enumerate(payloads):
            if is_reference(payload):
                name, claim = _claim(payload)
                groups.setdefault(name, []).append((index, claim))
        made = [*payloads]
        found = await together(
            [
                self._driver(name).retrieve(StorageDriverRetrieveContext(), [c for _, c in claims])
                for name, claims in groups.items()
            ]
        )
        for (name, claims), group in zip(groups.items(), found, strict=True):
            _check_count(name, "payloads", len(group), len(claims))
            for (index, _), payload in zip(claims, group, strict=True):
                made[index] = payload
        return made

    def _select(self, payload: Payload) -> StorageDriver | None:
        if not self.may_store([payload]) or is_reference(payload):
            return None
        if payload.ByteSize() < self.payload_size_threshold:
            return None
        if self.driver_selector is None:
            return self.drivers[0]
        driver = self.driver_selector(StorageDriverSelectContext(self._target), payload)
        if driver is not None and not any(driver is known for known in self.drivers):
            raise ValueError(
                f"Expected driver_selector to return one of ExternalStorage.drivers, found driver '{driver.name()}', "
                "which is not registered there"
            )
        return driver

    def _driver(self, name: str) -> StorageDriver:
        for driver in self.drivers:
            if driver.name() == name:
                return driver
        known = ", ".join(driver.name() for driver in self.drivers)
        raise ValueError(
            f"No driver found with name '{name}' among ExternalStorage.drivers, only: {known}; "
            "add the driver that stored the payload"
        )


def is_reference(payload: Payload) -> bool:
    """Whether this stands for a payload that is kept elsewhere."""
    return payload.metadata.get("encoding") == REFERENCE_ENCODING


def _reference(driver_name: str, claim: StorageDriverClaim) -> Payload:
    content = {
        "driver_name": driver_name,
        "driver_claim": {"claim_data": dict(claim.claim_data)},
    }
    return Payload(
        {"encoding": REFERENCE_ENCODING}, msgspec.json.encode(content, order="deterministic")
    )


class _ClaimContent(msgspec.Struct):
    claim_data: dict[str, str]


class _Reference(msgspec.Struct):
    driver_name: str
    driver_claim: _ClaimContent


def _claim(payload: Payload) -> tuple[str, StorageDriverClaim]:
    found = msgspec.json.decode(payload.data, type=_Reference)
    return found.driver_name, StorageDriverClaim(found.driver_claim.claim_data)


def _target_of(context: SerializationContext) -> StorageTarget | None:
    match context:
        case WorkflowSerializationContext():
            return StorageDriverWorkflowInfo(namespace=context.namespace, id=context.workflow_id)
        case ActivitySerializationContext(workflow_id=None):
            return StorageDriverActivityInfo(
                namespace=context.namespace, id=context.activity_id, type=context.activity_type
            )
        case ActivitySerializationContext():
            return StorageDriverWorkflowInfo(
                namespace=context.namespace, id=context.workflow_id, type=context.workflow_type
            )
        case _:
            return None


def _check_count(driver: str, what: str, found: int, expected: int) -> None:
    if found != expected:
        raise ValueError(f"Driver '{driver}' returned {found} {what}, expected {expected}")

"""How many activities and workflow tasks a worker takes on: fixed numbers, what the machine has left, or code of one's own.

Slots of activities and local activities are reserved before an attempt begins and released when it has ended. A processor
steps its runs one after the other on one thread, so of workflow tasks one slot is in use at most: no fixed number and no
minimum of 1 is ever reached. Suppliers of one's own are told of each step, beside it (`workflow_slots`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from streamflow.common import WorkerDeploymentVersion

RESOURCE_SLOTS_MAX = 500
SLOTS_DEFAULT = 100


@dataclass(frozen=True)
class FixedSizeSlotSupplier:
    """So many at once."""

    num_slots: int

    def __post_init__(self) -> None:
        if self.num_slots < 1:
            raise ValueError(f"Expected num_slots of 1 or more, found {self.num_slots}")


@dataclass(frozen=True)
class ResourceBasedTunerConfig:
    """How much of the machine (or of its container) may be in use before no more is taken on, from 0 to 1."""

    target_memory_usage: float
    target_cpu_usage: float

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 < value <= 1:
                raise ValueError(f"Expected {name} above 0 and at most 1, found {value}")


@dataclass(frozen=True)
class ResourceBasedSlotConfig:
    """Bounds of what the machine's state decides."""

    minimum_slots: int | None = None
    """Given whatever the machine's state. Default: 1; 5 for workflow tasks."""
    maximum_slots: int | None = None
    """Default: 500."""
    ramp_throttle: timedelta | None = None
    """The least time between two slots above the minimum, for the last one to show its effect. Default: 50 ms for
    activities, none for workflow tasks."""


@dataclass(frozen=True)
class ResourceBasedSlotSupplier:
    """As many as memory and CPU allow. All of one tuner look at the same machine, so their targets should be the same."""

    slot_config: ResourceBasedSlotConfig
    tuner_config: ResourceBasedTunerConfig


class SlotPermit:
    """A reserved slot, handed back as it was when it is released; subclass it to remember something."""


class SlotReserveContext(Protocol):
    """Who wants a slot."""

    slot_type: Literal["workflow", "activity", "local-activity"]
    task_queue: str
    worker_identity: str
    worker_build_id: str
    worker_deployment_version: WorkerDeploymentVersion | None
    is_sticky: bool
    """Always False: there are no sticky queues."""


@runtime_checkable
class WorkflowSlotInfo(Protocol):
    """What a workflow task's slot is used for."""

    workflow_type: str
    is_sticky: bool


@runtime_checkable
class ActivitySlotInfo(Protocol):
    """What an activity's slot is used for."""

    activity_type: str


@runtime_checkable
class LocalActivitySlotInfo(Protocol):
    """What a local activity's slot is used for."""

    activity_type: str


@runtime_checkable
class NexusSlotInfo(Protocol):
    """There for ported code; there is no Nexus here."""

    service: str
    operation: str


SlotInfo: TypeAlias = WorkflowSlotInfo | ActivitySlotInfo | LocalActivitySlotInfo | NexusSlotInfo


@dataclass(frozen=True)
class SlotMarkUsedContext:
    """A slot that is about to be used."""

    slot_info: SlotInfo
    permit: SlotPermit


@dataclass(frozen=True)
class SlotReleaseContext:
    """A slot that comes back; ``slot_info`` is ``None`` if nothing used it."""

    slot_info: SlotInfo | None
    permit: SlotPermit


class CustomSlotSupplier(ABC):
    """Slots by code of one's own, called on the worker's event loop. What it raises is logged; a slot is asked for again."""

    @abstractmethod
    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        """Returns when there is a slot. May be cancelled at any time."""

    @abstractmethod
    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        """A slot if there is one now."""

    @abstractmethod
    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        """The slot is about to be used."""

    @abstractmethod
    def release_slot(self, ctx: SlotReleaseContext) -> None:
        """The slot is free again."""


SlotSupplier: TypeAlias = FixedSizeSlotSupplier | ResourceBasedSlotSupplier | CustomSlotSupplier


class WorkerTuner(ABC):
    """The suppliers of each kind of slots. Made by one of the ``create_...`` functions."""

    @staticmethod
    def create_resource_based(
        *,
        target_memory_usage: float,
        target_cpu_usage: float,
        workflow_config: ResourceBasedSlotConfig | None = None,
        activity_config: ResourceBasedSlotConfig | None = None,
        local_activity_config: ResourceBasedSlotConfig | None = None,
        nexus_config: ResourceBasedSlotConfig | None = None,
    ) -> WorkerTuner:
        """As many of each as the machine allows. Targets are from 0 to 1."""
        targets = ResourceBasedTunerConfig(target_memory_usage, target_cpu_usage)
        return _Composite(
            ResourceBasedSlotSupplier(workflow_config or ResourceBasedSlotConfig(), targets),
            ResourceBasedSlotSupplier(activity_config or ResourceBasedSlotConfig(), targets),
            ResourceBasedSlotSupplier(local_activity_config or ResourceBasedSlotConfig(), targets),
            ResourceBasedSlotSupplier(nexus_config or ResourceBasedSlotConfig(), targets),
        )

    @staticmethod
    def create_fixed(
        *,
        workflow_slots: int | None = None,
        activity_slots: int | None = None,
        local_activity_slots: int | None = None,
        nexus_slots: int | None = None,
    ) -> WorkerTuner:
        """So many of each. Default: 100."""
        return _Composite(
            *(
                FixedSizeSlotSupplier(SLOTS_DEFAULT if slots is None else slots)
                for slots in (workflow_slots, activity_slots, local_activity_slots, nexus_slots)
            )
        )

    @staticmethod
    def create_composite(
        *,
        workflow_supplier: SlotSupplier,
        activity_supplier: SlotSupplier,
        local_activity_supplier: SlotSupplier,
        nexus_supplier: SlotSupplier | None = None,
    ) -> WorkerTuner:
        """A supplier for each."""
        return _Composite(
            workflow_supplier,
            activity_supplier,
            local_activity_supplier,
            nexus_supplier or FixedSizeSlotSupplier(SLOTS_DEFAULT),
        )

    @property
    @abstractmethod
    def workflow(self) -> SlotSupplier: ...

    @property
    @abstractmethod
    def activity(self) -> SlotSupplier: ...

    @property
    @abstractmethod
    def local_activity(self) -> SlotSupplier: ...


class _Composite(WorkerTuner):
    def __init__(
        self,
        workflow: SlotSupplier,
        activity: SlotSupplier,
        local_activity: SlotSupplier,
        nexus: SlotSupplier,
    ) -> None:
        for supplier in (workflow, activity, local_activity, nexus):
            _check(supplier)
        self._workflow = workflow
        self._activity = activity
        self._local_activity = local_activity

    @property
    def workflow(self) -> SlotSupplier:
        return self._workflow

    @property
    def activity(self) -> SlotSupplier:
        return self._activity

    @property
    def local_activity(self) -> SlotSupplier:
        return self._local_activity


def _check(supplier: Any) -> None:
    known = FixedSizeSlotSupplier, ResourceBasedSlotSupplier, CustomSlotSupplier
    if not isinstance(supplier, known):
        raise TypeError(
            f"Expected a FixedSizeSlotSupplier, ResourceBasedSlotSupplier or CustomSlotSupplier, found {supplier!r}"
        )


def slots_max(supplier: SlotSupplier) -> int:
    """How many slots it can ever give, for whoever fetches work ahead of them."""
    match supplier:
        case FixedSizeSlotSupplier(num_slots):
            return num_slots
        case ResourceBasedSlotSupplier(slot_config):
            return slot_config.maximum_slots or RESOURCE_SLOTS_MAX
        case _:
            return RESOURCE_SLOTS_MAX

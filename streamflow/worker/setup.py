"""What a worker is made of, as its parts are told: checked, with every default filled in."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor as ThreadExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from streamflow.common import HeaderCodecBehavior, MetricMeter, WorkerDeploymentVersion
from streamflow.converter import DataConverter
from streamflow.coroutine.definition import WorkflowDefinition, definition_of
from streamflow.coroutine.traits import NO_TRAITS, Traits
from streamflow.ports import Log, Objects
from streamflow.worker.capacity.slots import ReserveContext, SlotType
from streamflow.worker.capacity.tuning import SlotSupplier
from streamflow.worker.interceptor import Interceptor
from streamflow.worker.registry import Registry
from streamflow.worker.running.shared_state import SharedStateManager


class MeterSource(Protocol):
    """What a worker needs of a runtime."""

    @property
    def metric_meter(self) -> MetricMeter: ...

    @property
    def has_metrics(self) -> bool:
        """Whether anybody wants metrics."""
        ...

    @property
    def metric_prefix(self) -> str:
        """What the names of our own begin with."""
        ...


class WorkerClient(Protocol):
    """What a worker needs of a client: that of a log, rather than of a gateway."""

    @property
    def log(self) -> Log: ...

    @property
    def namespace(self) -> str: ...

    @property
    def identity(self) -> str: ...

    @property
    def data_converter(self) -> DataConverter: ...

    @property
    def runtime(self) -> MeterSource: ...

    @property
    def create_topics(self) -> bool: ...

    async def require_namespace(self) -> None:
        """Raises what a worker of a namespace that nobody made ends with."""
        ...

    def config(self, *, active_config: bool = ...) -> Mapping[str, Any]:
        """Plugins and interceptors among other things."""
        ...

    @property
    def header_codec_behavior(self) -> HeaderCodecBehavior: ...


@dataclass(frozen=True, kw_only=True)
class Setup:
    """One worker's arguments."""

    client: WorkerClient
    queue: str
    definitions: Mapping[str, WorkflowDefinition]
    """By type; a dynamic one is under the empty name."""
    registry: Registry
    takes_tasks: bool
    """Whether it takes activity tasks of the queue; otherwise activities are there for local use only."""
    threads: ThreadExecutor | None
    shared_state: SharedStateManager | None
    activities_per_second: float | None
    queue_activities_per_second: float | None
    slots: SlotSupplier
    workflow_slots: SlotSupplier
    local_slots: SlotSupplier
    runs_cached_max: int
    retention: timedelta | None
    retention_by_type: Mapping[str, timedelta]
    heartbeat_max: timedelta
    heartbeat_default: timedelta
    identity: str
    build_id: str
    debug: bool
    interceptors: Sequence[Interceptor] = ()
    version: str = ""
    """As ``deployment.build``; empty without versions."""
    carried: Mapping[str, Mapping[str, WorkflowDefinition]] = field(
        default_factory=dict[str, Mapping[str, WorkflowDefinition]]
    )
    """Code of older versions, for runs that are pinned to them."""
    traits: Traits = NO_TRAITS
    name: str | None
    state_dir: Path | None
    partitions: int
    snapshots: Objects | None = None
    snapshot_every: timedelta = timedelta(minutes=10)
    standby: int = 0
    archive: Objects | None = None

    def reserve_context(self, slot_type: SlotType) -> ReserveContext:
        """What a supplier is told of the worker that a slot is for."""
        version = (
            WorkerDeploymentVersion.from_canonical_string(self.version) if self.version else None
        )
        return ReserveContext(
            slot_type=slot_type,
            task_queue=self.queue,
            worker_identity=self.identity,
            worker_build_id=self.build_id,
            worker_deployment_version=version,
        )


def definitions_of(
    workflows: Sequence[type], failure_types: Sequence[type[BaseException]]
) -> dict[str, WorkflowDefinition]:
    """Definitions by type, with the worker's own failure types added to each.

    Raises:
        ValueError: a class is no workflow, or two have one name.
    """
    definitions: dict[str, WorkflowDefinition] = {}
    for workflow in workflows:
        definition = definition_of(workflow)
        name = definition.name or ""
        if name in definitions:
            raise ValueError(
                f"More than one workflow named {name or '(dynamic)'}: expected each workflow type once"
            )
        definitions[name] = dataclasses.replace(
            definition, worker_failure_types=tuple(failure_types)
        )
    return definitions


def type_name(workflow: str | type) -> str:
    """The workflow type's name, however it is given. Raises ValueError for a class that is no workflow."""
    return workflow if isinstance(workflow, str) else definition_of(workflow).name or ""

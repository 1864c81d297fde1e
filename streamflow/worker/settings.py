"""A worker's arguments as one value: what plugins change, and what `Worker.config` returns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Required, TypeAlias, TypedDict, cast

from streamflow.common import VersioningBehavior
from streamflow.ports import Objects
from streamflow.worker.capacity.tuning import WorkerTuner
from streamflow.worker.interceptor import Interceptor
from streamflow.worker.patching import PatchActivationInput
from streamflow.worker.plugin import Plugin
from streamflow.worker.runners import WorkflowRunner
from streamflow.worker.running.shared_state import SharedStateManager
from streamflow.worker.setup import WorkerClient
from streamflow.worker.versions import PinnedVersions, WorkerDeploymentConfig


@dataclass(frozen=True)
class PollerBehaviorSimpleMaximum:
    """Accepted for compatibility: a consumer fetches as much as there is room for, with one request at a time."""

    maximum: int = 5


@dataclass(frozen=True)
class PollerBehaviorAutoscaling:
    """Accepted for compatibility, as `PollerBehaviorSimpleMaximum`."""

    minimum: int = 1
    maximum: int = 100
    initial: int = 5


PollerBehavior: TypeAlias = PollerBehaviorSimpleMaximum | PollerBehaviorAutoscaling


class WorkerConfig(TypedDict, total=False):
    """The arguments of a Worker. Options that change nothing here are kept, so that plugins find them."""

    client: Required[WorkerClient]
    task_queue: Required[str]
    activities: Sequence[Callable[..., Any]]
    nexus_service_handlers: Sequence[Any]
    workflows: Sequence[type]
    activity_executor: Executor | None
    workflow_task_executor: ThreadPoolExecutor | None
    nexus_task_executor: ThreadPoolExecutor | None
    workflow_runner: WorkflowRunner
    unsandboxed_workflow_runner: WorkflowRunner
    plugins: Sequence[Plugin]
    interceptors: Sequence[Interceptor]
    build_id: str | None
    identity: str | None
    max_cached_workflows: int
    max_concurrent_workflow_tasks: int | None
    max_concurrent_activities: int | None
    max_concurrent_local_activities: int | None
    max_concurrent_nexus_tasks: int | None
    tuner: WorkerTuner | None
    max_concurrent_workflow_task_polls: int | None
    nonsticky_to_sticky_poll_ratio: float
    max_concurrent_activity_task_polls: int | None
    no_remote_activities: bool
    sticky_queue_schedule_to_start_timeout: timedelta
    max_heartbeat_throttle_interval: timedelta
    default_heartbeat_throttle_interval: timedelta
    max_activities_per_second: float | None
    max_task_queue_activities_per_second: float | None
    max_eager_activity_reservations_per_workflow_task: int
    graceful_shutdown_timeout: timedelta
    workflow_failure_exception_types: Sequence[type[BaseException]]
    shared_state_manager: SharedStateManager | None
    debug_mode: bool
    disable_eager_activity_execution: bool
    on_fatal_error: Callable[[BaseException], Awaitable[None]] | None
    use_worker_versioning: bool
    disable_safe_workflow_eviction: bool
    deployment_config: WorkerDeploymentConfig | None
    pinned_versions: PinnedVersions
    patch_activation_callback: Callable[[PatchActivationInput], bool] | None
    workflow_task_poller_behavior: PollerBehavior
    activity_task_poller_behavior: PollerBehavior
    nexus_task_poller_behavior: PollerBehavior
    disable_payload_error_limit: bool
    max_workflow_task_external_storage_concurrency: int
    retention: timedelta | None
    retention_by_type: Mapping[str | type, timedelta]
    name: str | None
    state_dir: str | Path | None
    partitions: int
    snapshots: Objects | str | None
    snapshot_every: timedelta
    standby: int
    archive: Objects | str | None


def check(config: WorkerConfig) -> None:
    """Raises ValueError for arguments that contradict each other, NotImplementedError for Nexus."""
    if config.get("nexus_service_handlers"):
        raise NotImplementedError(
            "Nexus has no counterpart in streamflow: register the handlers' workflows and activities on a task queue, and "
            "let callers start them there"
        )
    if not config.get("workflows") and not config.get("activities"):
        raise ValueError(
            "At least one activity, Nexus service, or workflow must be specified: expected something to run, found neither"
        )
    deployment = config.get("deployment_config")
    if config.get("use_worker_versioning") and not config.get("build_id"):
        raise ValueError("build_id must be specified when use_worker_versioning is True")
    if deployment is not None and (config.get("build_id") or config.get("use_worker_versioning")):
        raise ValueError("deployment_config cannot be used with build_id or use_worker_versioning")
    if (
        deployment is not None
        and not deployment.use_worker_versioning
        and deployment.default_versioning_behavior is not VersioningBehavior.UNSPECIFIED
    ):
        raise ValueError(
            "default_versioning_behavior must be UNSPECIFIED when use_worker_versioning is False"
        )
    tuner = cast(object, config.get("tuner"))
    if not isinstance(tuner, WorkerTuner | None):
        raise TypeError(f"Expected a WorkerTuner as tuner, found {tuner!r}")
    if config.get("tuner") is not None and any(
        cast(dict[str, Any], config).get(f"max_concurrent_{what}") is not None
        for what in ("workflow_tasks", "activities", "local_activities", "nexus_tasks")
    ):
        raise ValueError(
            "Cannot specify max_concurrent_workflow_tasks, max_concurrent_activities, max_concurrent_local_activities or "
            "max_concurrent_nexus_tasks when also specifying tuner"
        )
    for name in (
        "max_concurrent_workflow_tasks",
        "max_concurrent_activities",
        "max_concurrent_local_activities",
        "max_concurrent_workflow_task_polls",
        "max_concurrent_activity_task_polls",
        "max_eager_activity_reservations_per_workflow_task",
        "max_workflow_task_external_storage_concurrency",
    ):
        value: Any = cast(dict[str, Any], config).get(name)
        if value is not None and value < 1:
            raise ValueError(
                f"{name} must be positive: expected {name} to be 1 or more, found {value}"
            )
    if config.get("standby", 0) < 0:
        raise ValueError(f"Expected standby to be 0 or more, found {config.get('standby')}")
    if config.get("max_cached_workflows", 1) < 0:
        raise ValueError("Expected max_cached_workflows to be 0 or more, found a negative one")

"""From a worker's arguments, plugins' changes included, to the setup that its parts are told."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Literal

from streamflow import wiring
from streamflow.coroutine.definition import WorkflowDefinition
from streamflow.ports import Objects
from streamflow.worker.capacity.tuning import CustomSlotSupplier, WorkerTuner, slots_max
from streamflow.worker.patching import traits_of
from streamflow.worker.plugin import Plugin
from streamflow.worker.registry import Registry, ThreadPerSlot, warn_of_few_threads
from streamflow.worker.runners import run_by
from streamflow.worker.running.interception import with_inherited
from streamflow.worker.running.metered import Metered
from streamflow.worker.settings import WorkerConfig
from streamflow.worker.setup import Setup, WorkerClient, definitions_of, type_name
from streamflow.worker.versions import canonical, versioned

DEBUG_VARIABLES = ("STREAMFLOW_DEBUG", "TEMPORAL_DEBUG")


def plugins_of(client: WorkerClient, given: Sequence[Plugin]) -> list[Plugin]:
    """The client's plugins that are for workers too, before the worker's own."""
    inherited = [plugin for plugin in client.config()["plugins"] if isinstance(plugin, Plugin)]
    own_types = {type(plugin) for plugin in given}
    for plugin in inherited:
        if type(plugin) in own_types:
            warnings.warn(
                f"The same plugin type {type(plugin)} is present from both client and worker. It may run twice and may not "
                "be the intended behavior.",
                stacklevel=3,
            )
    return [*inherited, *given]


def setup_of(config: WorkerConfig) -> Setup:
    """Raises ValueError for workflows, activities or options that cannot be served."""
    client, deployment = config["client"], config.get("deployment_config")
    activities = config.get("activities", ())
    executor = config.get("activity_executor")
    shared_state = config.get("shared_state_manager")
    registry = Registry(activities)
    registry.check_executor(executor, shared_state)

    def prepared(classes: Sequence[type]) -> dict[str, WorkflowDefinition]:
        definitions = definitions_of(classes, config.get("workflow_failure_exception_types", ()))
        guarded = config.get("workflow_runner")
        free = config.get("unsandboxed_workflow_runner")
        return versioned(run_by(definitions, guarded, free), deployment)

    tuner = config.get("tuner") or WorkerTuner.create_fixed(
        workflow_slots=config.get("max_concurrent_workflow_tasks"),
        activity_slots=config.get("max_concurrent_activities"),
        local_activity_slots=config.get("max_concurrent_local_activities"),
    )
    slots = config.get("max_concurrent_activities")
    if config.get("tuner") and not isinstance(tuner.activity, CustomSlotSupplier):
        slots = slots_max(tuner.activity)
    warn_of_few_threads(executor, slots)
    retention = config.get("retention")
    state_dir = config.get("state_dir")
    build_id = config.get("build_id") or (deployment.version.build_id if deployment else "")
    inherited = client.config(active_config=True)["interceptors"]
    runtime = client.runtime
    metered = [Metered(runtime.metric_prefix)] if runtime.has_metrics else []
    return Setup(
        client=client,
        queue=config["task_queue"],
        definitions=prepared(config.get("workflows", ())),
        version=canonical(deployment),
        carried={
            version.to_canonical_string(): prepared(classes)
            for version, classes in config.get("pinned_versions", {}).items()
        },
        traits=traits_of(
            config.get("patch_activation_callback"),
            lambda: client.runtime.metric_meter,
            pins=deployment is not None and deployment.use_worker_versioning,
            check_local_activity=registry.check,
        ),
        registry=registry,
        takes_tasks=bool(activities) and not config.get("no_remote_activities"),
        threads=None if isinstance(executor, ThreadPerSlot) else executor,
        shared_state=shared_state,
        activities_per_second=_rate(config, "max_activities_per_second"),
        queue_activities_per_second=_rate(config, "max_task_queue_activities_per_second"),
        slots=tuner.activity,
        workflow_slots=tuner.workflow,
        local_slots=tuner.local_activity,
        runs_cached_max=config.get("max_cached_workflows", 1_000),
        retention=None if retention is None else _kept("retention", retention),
        retention_by_type={
            type_name(workflow): _kept("retention_by_type", duration)
            for workflow, duration in config.get("retention_by_type", {}).items()
        },
        heartbeat_max=config.get("max_heartbeat_throttle_interval", timedelta(seconds=60)),
        heartbeat_default=config.get("default_heartbeat_throttle_interval", timedelta(seconds=30)),
        identity=config.get("identity") or client.identity,
        build_id=build_id,
        interceptors=[*with_inherited(config.get("interceptors", ()), inherited), *metered],
        debug=bool(config.get("debug_mode")) or debug_wanted(),
        name=config.get("name"),
        state_dir=None if state_dir is None else Path(state_dir),
        partitions=config.get("partitions", 12),
        snapshots=_objects(config, "snapshots"),
        standby=config.get("standby", 0),
        archive=_objects(config, "archive"),
        snapshot_every=_interval(
            "snapshot_every", config.get("snapshot_every", timedelta(minutes=10))
        ),
    )


def debug_wanted() -> bool:
    """Whether the environment asks for debug mode."""
    return any(os.environ.get(name) for name in DEBUG_VARIABLES)


def _rate(config: WorkerConfig, name: str) -> float | None:
    value = config.get(name)
    if value is None:
        return None
    assert isinstance(value, int | float)
    if value <= 0:
        raise ValueError(f"Expected {name} to be more than 0, found {value}")
    return value


def _objects(config: WorkerConfig, name: Literal["snapshots", "archive"]) -> Objects | None:
    given = config.get(name)
    return wiring.open_objects(given) if isinstance(given, str) else given


def _interval(name: str, duration: timedelta) -> timedelta:
    if duration < timedelta(seconds=1):
        raise ValueError(f"Expected {name} to be a second or more, found {duration}")
    return duration


def _kept(name: str, duration: timedelta) -> timedelta:
    if duration < timedelta():
        raise ValueError(f"Expected {name} to be 0 or more, found {duration}")
    return duration

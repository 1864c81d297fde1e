"""What a run knows of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from streamflow.common import (
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    WorkerDeploymentVersion,
)
from streamflow.common.durations import optional_duration
from streamflow.coroutine.context import current
from streamflow.coroutine.instance import Instance
from streamflow.model.options import Parent
from streamflow.model.payload import Payload
from streamflow.workflow.interception import outbound


@dataclass(frozen=True)
class ParentInfo:
    """The run that started this one as its child."""

    namespace: str
    run_id: str
    workflow_id: str


@dataclass(frozen=True)
class RootInfo:
    """The run at the top of the chain of parents."""

    run_id: str
    workflow_id: str


@dataclass(frozen=True)
class UpdateInfo:
    """The update that is being handled."""

    id: str
    name: str


@dataclass(frozen=True)
class Info:
    """What a run knows of itself. `workflow.info()` gives the running one's."""

    attempt: int
    continued_run_id: str | None
    cron_schedule: str | None
    execution_timeout: timedelta | None
    first_execution_run_id: str
    headers: Mapping[str, Payload]
    namespace: str
    original_execution_run_id: str
    """The run's own ID, or that of the run which was reset to become it."""
    parent: ParentInfo | None
    root: RootInfo | None
    priority: Priority
    raw_memo: Mapping[str, Payload]
    retry_policy: RetryPolicy | None
    run_id: str
    run_timeout: timedelta | None
    search_attributes: SearchAttributes
    """Deprecated: lists of values by name, changed by upserts. Use ``typed_search_attributes``."""
    start_time: datetime
    """Of the run's first event."""
    task_queue: str
    task_timeout: timedelta
    """As given at the start, else 10 s. It limits nothing: the limit of a step is the processor's own."""
    typed_search_attributes: TypedSearchAttributes
    workflow_id: str
    workflow_start_time: datetime
    workflow_type: str

    def get_current_build_id(self) -> str:
        """The build ID of the code that runs this step, or ran it when it was recorded. Deprecated: use the version."""
        activation = current().activation
        return "" if activation is None else activation.build_id

    def get_current_deployment_version(self) -> WorkerDeploymentVersion | None:
        """The version of the code that runs this step, or ran it when it was recorded. It replays alike."""
        activation = current().activation
        if activation is None or not activation.deployment:
            return None
        return WorkerDeploymentVersion(activation.deployment, activation.build_id)

    def get_current_history_length(self) -> int:
        """Events of the history before the current step."""
        return current().history_length

    def get_current_history_size(self) -> int:
        """Bytes of the history before the current step."""
        activation = current().activation
        return 0 if activation is None else activation.history_bytes

    def is_continue_as_new_suggested(self) -> bool:
        """Whether the history is so long that the run should continue as new soon."""
        return current().continue_suggested

    def is_target_worker_deployment_version_changed(self) -> bool:
        """Whether the run is pinned to a version while its processor is of another: continuing as new may upgrade it."""
        activation = current().activation
        return activation is not None and activation.target_changed

    def _logger_details(self) -> Mapping[str, Any]:
        return {
            "attempt": self.attempt,
            "namespace": self.namespace,
            "run_id": self.run_id,
            "task_queue": self.task_queue,
            "workflow_id": self.workflow_id,
            "workflow_type": self.workflow_type,
        }


_MEMORY = "info"
DEFAULT_TASK_TIMEOUT = timedelta(seconds=10)


def info() -> Info:
    """What the running workflow knows of itself."""
    first = outbound()
    return own_info() if first is None else first.info()


def own_info() -> Info:
    """The same, past all interceptors."""
    instance = current()
    found = instance.memory.get(_MEMORY)
    if found is None:
        found = instance.memory[_MEMORY] = _info_of(instance)
    assert isinstance(found, Info)
    return found


def _info_of(instance: Instance) -> Info:
    facts = instance.facts
    started = facts.started
    start_time = datetime.fromtimestamp(facts.start_ms / 1_000, tz=UTC)
    parent, retry = started.parent, started.retry_policy
    return Info(
        attempt=started.attempt,
        continued_run_id=started.continued_from,
        cron_schedule=started.cron_schedule or None,
        execution_timeout=optional_duration(started.execution_timeout_ms),
        first_execution_run_id=started.first_run_id,
        headers=started.headers,
        namespace=facts.namespace,
        original_execution_run_id=started.original_run_id or facts.run_id,
        parent=ParentInfo(parent.namespace, parent.run_id, parent.workflow_id) if parent else None,
        root=_root(parent),
        priority=Priority._from_model(started),
        raw_memo=instance.properties.raw_memo,
        retry_policy=RetryPolicy._from_model(retry) if retry else None,
        run_id=facts.run_id,
        run_timeout=optional_duration(started.run_timeout_ms),
        search_attributes=instance.properties.untyped,
        start_time=start_time,
        task_queue=facts.queue,
        task_timeout=optional_duration(started.task_timeout_ms) or DEFAULT_TASK_TIMEOUT,
        typed_search_attributes=instance.properties.typed,
        workflow_id=facts.workflow_id,
        workflow_start_time=start_time,
        workflow_type=started.workflow_type,
    )


def _root(parent: Parent | None) -> RootInfo | None:
    """``None`` for a run that is itself at the top."""
    if parent is None:
        return None
    if parent.root_workflow_id:
        return RootInfo(parent.root_run_id, parent.root_workflow_id)
    return RootInfo(parent.run_id, parent.workflow_id)

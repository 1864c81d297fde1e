"""What an attempt is told of itself, from its task. Made only when somebody asks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from streamflow.activity.context import Info
from streamflow.common import Priority, RetryPolicy
from streamflow.common.durations import optional_duration
from streamflow.converter import (
    ActivitySerializationContext,
    DataConverter,
    StorageDriverActivityInfo,
    StorageDriverWorkflowInfo,
)
from streamflow.converter.storage import StorageTarget
from streamflow.model import standalone
from streamflow.model.payload import Payloads
from streamflow.wire.task_token import encode_task_token
from streamflow.worker.running.attempt import Attempt


def info_of(attempt: Attempt, namespace: str, converter: DataConverter) -> Info:
    task = attempt.task
    limits = task.timeouts
    alone = task.workflow_type == standalone.WORKFLOW_TYPE
    return Info(
        activity_id=task.activity_id,
        activity_type=task.activity_type,
        attempt=task.attempt + attempt.earlier,
        current_attempt_scheduled_time=_time(task.attempt_scheduled_ms),
        heartbeat_details=_details(attempt.last_details, converter),
        heartbeat_timeout=optional_duration(limits.heartbeat_ms),
        is_local=attempt.is_local,
        namespace=namespace,
        schedule_to_close_timeout=optional_duration(limits.schedule_to_close_ms),
        scheduled_time=_time(task.scheduled_ms),
        start_to_close_timeout=optional_duration(limits.start_to_close_ms),
        started_time=_time(attempt.started_ms),
        task_queue=task.queue,
        task_token=encode_task_token(task),
        workflow_id=None if alone else task.workflow_id,
        workflow_namespace=None if alone else namespace,
        workflow_run_id=None if alone else task.run_id,
        workflow_type=None if alone else task.workflow_type,
        priority=Priority._from_model(task),
        retry_policy=RetryPolicy._from_model(task.retry_policy),
        activity_run_id=task.run_id if alone else None,
    )


def converter_of(attempt: Attempt, namespace: str, converter: DataConverter) -> DataConverter:
    """The converter for the values of this activity."""
    pipeline, task = converter.pipeline, attempt.task
    if not converter.takes_context and (pipeline is None or not pipeline.takes_context):
        return converter
    alone = task.workflow_type == standalone.WORKFLOW_TYPE
    context = ActivitySerializationContext(
        namespace=namespace,
        activity_id=task.activity_id,
        activity_type=task.activity_type,
        activity_task_queue=task.queue,
        workflow_id=None if alone else task.workflow_id,
        workflow_type=None if alone else task.workflow_type,
        is_local=attempt.is_local,
    )
    target: StorageTarget
    if alone:
        target = StorageDriverActivityInfo(
            namespace=namespace, id=task.activity_id, run_id=task.run_id, type=task.activity_type
        )
    else:
        target = StorageDriverWorkflowInfo(
            namespace=namespace, id=task.workflow_id, run_id=task.run_id, type=task.workflow_type
        )
    return converter.with_context(context).stored_for(target)


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1_000, UTC)


def _details(payloads: Payloads, converter: DataConverter) -> list[Any]:
    return converter.payload_converter.from_payloads(payloads) if payloads else []

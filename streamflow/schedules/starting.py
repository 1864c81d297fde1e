"""The child workflow that an action becomes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import msgspec

from streamflow import workflow
from streamflow.common import (
    Priority,
    RawValue,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
)
from streamflow.converter import decode_search_attributes
from streamflow.coroutine.context import current
from streamflow.model.bounds import refused_priority
from streamflow.schedules.facts import Action, Info, Waiting
from streamflow.schedules.times import EPOCH
from streamflow.workflow.child_options import ChildWorkflowOptions, input_of, request_of
from streamflow.workflow.children import start_requested

SCHEDULED_BY: Final = SearchAttributeKey.for_keyword("TemporalScheduledById")
SCHEDULED_AT: Final = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")


async def start_action(
    schedule_id: str, action: Action, workflow_id: str, waiting: Waiting, info: Info
) -> workflow.ChildWorkflowHandle[Any, Any]:
    """Returns when it has started. Awaiting the handle gives its result as stored. Raises ValueError for an unfit priority."""
    refused = refused_priority(action)
    if refused:  # not the nearest: runs are recorded in which it was not started
        raise ValueError(refused)
    policy = action.retry_policy
    reuse = WorkflowIDReusePolicy
    options: ChildWorkflowOptions = {
        "task_queue": action.queue,
        "parent_close_policy": workflow.ParentClosePolicy.ABANDON,
        "id_reuse_policy": reuse.REJECT_DUPLICATE if waiting.once else reuse.ALLOW_DUPLICATE,
        "execution_timeout": _duration(action.execution_timeout_ms),
        "run_timeout": _duration(action.run_timeout_ms),
        "task_timeout": _duration(action.task_timeout_ms),
        "retry_policy": None if policy is None else RetryPolicy._from_model(policy),
        "memo": {name: RawValue(payload) for name, payload in action.memo.items()},
        "search_attributes": _search_attributes(schedule_id, action, waiting),
        "static_summary": action.static_summary or None,
        "static_details": action.static_details or None,
        "priority": Priority._from_model(action),
    }
    given = input_of(
        action.workflow,
        workflow_id,
        [RawValue(payload) for payload in action.args],
        options,
        arg_types=None,
        ret_type=RawValue,
    )
    given.headers = action.headers
    values = current().values
    request = request_of(given, values)
    told = msgspec.structs.replace(
        request.options, last_result=info.last_result, last_failure=info.last_failure
    )
    return await start_requested(
        msgspec.structs.replace(request, options=told), values, given.ret_type
    )


def _search_attributes(schedule_id: str, action: Action, waiting: Waiting) -> TypedSearchAttributes:
    nominal = EPOCH + timedelta(milliseconds=waiting.nominal_ms)
    return decode_search_attributes(action.search_attributes).updated(
        SearchAttributePair(SCHEDULED_BY, schedule_id),
        SearchAttributePair(SCHEDULED_AT, nominal),
    )


def _duration(milliseconds: int | None) -> timedelta | None:
    return None if milliseconds is None else timedelta(milliseconds=milliseconds)

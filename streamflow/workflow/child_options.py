"""What can be said about a child workflow when it is started, and how that becomes a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import IntEnum
from typing import Any, TypedDict

from streamflow.common import (
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
)
from streamflow.common.options import shows
from streamflow.converter import encode_search_attributes
from streamflow.coroutine.machines.child import ChildRequest
from streamflow.coroutine.values import Values
from streamflow.model import relations as model
from streamflow.model.ids import WorkflowId
from streamflow.model.payload import NO_HEADERS
from streamflow.workflow.activity_options import VersioningIntent
from streamflow.workflow.durations import optional_milliseconds
from streamflow.workflow.inputs import StartChildWorkflowInput


class ChildWorkflowCancellationType(IntEnum):
    """What cancelling an awaited child workflow does."""

    ABANDON = 0
    """The code goes on at once; the child is not told."""
    TRY_CANCEL = 1
    """The child is asked to stop, and the code goes on at once."""
    WAIT_CANCELLATION_COMPLETED = 2
    """The child is asked to stop, and the code waits for its end."""
    WAIT_CANCELLATION_REQUESTED = 3
    """The child is asked to stop, and the code waits until it has heard that."""


class ParentClosePolicy(IntEnum):
    """What becomes of a child when its parent ends, by continuing as new too."""

    UNSPECIFIED = 0
    """As TERMINATE."""
    TERMINATE = 1
    ABANDON = 2
    REQUEST_CANCEL = 3


class ChildWorkflowConfig(TypedDict, total=False):
    """Options of a child workflow, for ``**options``."""

    id: str | None
    """Default: a random UUID."""
    task_queue: str | None
    """Default: the parent's own."""
    cancellation_type: ChildWorkflowCancellationType
    """Default: WAIT_CANCELLATION_COMPLETED."""
    parent_close_policy: ParentClosePolicy
    """Default: TERMINATE."""
    execution_timeout: timedelta | None
    """Of the child's whole chain of runs. Default: none."""
    run_timeout: timedelta | None
    """Of one run. Default: none."""
    task_timeout: timedelta | None
    """Kept for those who pass it; the step limit of a processor is its own setting."""
    id_reuse_policy: WorkflowIDReusePolicy
    """Default: ALLOW_DUPLICATE."""
    retry_policy: RetryPolicy | None
    """Default: a failed child is not run again."""
    cron_schedule: str
    """When runs of the child begin, again and again. Default: once, now."""
    memo: Mapping[str, Any] | None
    search_attributes: TypedSearchAttributes | SearchAttributes | None
    versioning_intent: VersioningIntent | None
    """Accepted for compatibility, and without effect."""
    static_summary: str | None
    static_details: str | None
    priority: Priority


class ChildWorkflowOptions(ChildWorkflowConfig, total=False):
    result_type: type | None
    """What to decode the result as; default: what the workflow's hints say."""


takes_options = shows(
    ChildWorkflowOptions,
    {
        "cancellation_type": ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        "parent_close_policy": ParentClosePolicy.TERMINATE,
        "id_reuse_policy": WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        "cron_schedule": "",
        "priority": Priority.default,
    },
)


_CANCELLATION = {
    ChildWorkflowCancellationType.ABANDON: model.ChildCancellationType.ABANDON,
    ChildWorkflowCancellationType.TRY_CANCEL: model.ChildCancellationType.TRY_CANCEL,
    ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED: (
        model.ChildCancellationType.WAIT_CANCELLATION_COMPLETED
    ),
    ChildWorkflowCancellationType.WAIT_CANCELLATION_REQUESTED: (
        model.ChildCancellationType.WAIT_CANCELLATION_REQUESTED
    ),
}
_CLOSE = {
    ParentClosePolicy.UNSPECIFIED: model.ParentClosePolicy.TERMINATE,
    ParentClosePolicy.TERMINATE: model.ParentClosePolicy.TERMINATE,
    ParentClosePolicy.ABANDON: model.ParentClosePolicy.ABANDON,
    ParentClosePolicy.REQUEST_CANCEL: model.ParentClosePolicy.REQUEST_CANCEL,
}


def input_of(
    workflow_type: str,
    workflow_id: str,
    arguments: Sequence[Any],
    options: Mapping[str, Any],
    *,
    arg_types: list[type] | None,
    ret_type: type | None,
) -> StartChildWorkflowInput:
    """The options with their defaults.

    Raises:
        TypeError: there is no such option.
    """
    if unknown := options.keys() - ChildWorkflowOptions.__annotations__.keys():
        raise TypeError(
            f"Expected options of a child workflow, found unknown {', '.join(sorted(unknown))}"
        )
    get = options.get
    waits = ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED
    return StartChildWorkflowInput(
        workflow=workflow_type,
        args=arguments,
        id=workflow_id,
        task_queue=get("task_queue"),
        cancellation_type=get("cancellation_type", waits),
        parent_close_policy=get("parent_close_policy", ParentClosePolicy.TERMINATE),
        execution_timeout=get("execution_timeout"),
        run_timeout=get("run_timeout"),
        task_timeout=get("task_timeout"),
        id_reuse_policy=get("id_reuse_policy", WorkflowIDReusePolicy.ALLOW_DUPLICATE),
        retry_policy=get("retry_policy"),
        cron_schedule=get("cron_schedule") or "",
        memo=get("memo"),
        search_attributes=get("search_attributes"),
        headers=NO_HEADERS,
        versioning_intent=get("versioning_intent"),
        static_summary=get("static_summary"),
        static_details=get("static_details"),
        priority=get("priority", Priority.default),
        arg_types=arg_types,
        ret_type=ret_type,
    )


def request_of(given: StartChildWorkflowInput, values: Values) -> ChildRequest:
    retry_policy, attributes = given.retry_policy, given.search_attributes
    return ChildRequest(
        workflow_id=WorkflowId(given.id),
        workflow_type=given.workflow,
        queue=given.task_queue or "",
        args=values.encode(given.args),
        headers=given.headers,
        options=model.ChildOptions(
            id_reuse_policy=given.id_reuse_policy._to_model(),
            parent_close_policy=_CLOSE[given.parent_close_policy],
            cancellation_type=_CANCELLATION[given.cancellation_type],
            execution_timeout_ms=optional_milliseconds(given.execution_timeout),
            run_timeout_ms=optional_milliseconds(given.run_timeout),
            task_timeout_ms=optional_milliseconds(given.task_timeout),
            retry_policy=None if retry_policy is None else retry_policy._to_model(),
            cron_schedule=given.cron_schedule,
            memo=values.encode_each(given.memo or {}),
            search_attributes={} if attributes is None else encode_search_attributes(attributes),
            static_summary=given.static_summary or "",
            static_details=given.static_details or "",
            **given.priority._to_model(),
        ),
    )

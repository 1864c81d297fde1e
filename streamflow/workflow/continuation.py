"""Ending a run by beginning the next one of the same workflow, with a fresh history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from typing import Any, NoReturn

from streamflow.common import RetryPolicy, TypedSearchAttributes
from streamflow.converter import encode_search_attributes
from streamflow.coroutine.context import current
from streamflow.coroutine.definition import definition_of
from streamflow.coroutine.errors import ContinueAsNewError
from streamflow.model.intents import ContinueAsNew
from streamflow.workflow.activity_options import VersioningIntent
from streamflow.workflow.arguments import NO_ARGUMENT, arguments_of
from streamflow.workflow.durations import optional_milliseconds


class ContinueAsNewVersioningBehavior(Enum):
    """Accepted for compatibility, and without effect until workers have versions."""

    UNSPECIFIED = 0
    AUTO_UPGRADE = 1
    USE_RAMPING_VERSION = 2


def continue_as_new(
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    workflow: Callable[..., Any] | type | str | None = None,
    task_queue: str | None = None,
    run_timeout: timedelta | None = None,
    task_timeout: timedelta | None = None,
    backoff_start_interval: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    memo: Mapping[str, Any] | None = None,
    search_attributes: TypedSearchAttributes | None = None,
    versioning_intent: VersioningIntent | None = None,
    initial_versioning_behavior: ContinueAsNewVersioningBehavior | None = None,
) -> NoReturn:
    """Ends this run and begins the next with these arguments; what is not given stays as it is.

    Raises:
        ContinueAsNewError: always, to leave the code. It passes through ``except Exception``; do not catch it.
    """
    instance = current()
    instance.refuse_changes()
    raise ContinueAsNewError(
        ContinueAsNew(
            workflow_type=_workflow_type(workflow),
            queue=task_queue or "",
            args=instance.values.encode(arguments_of(arg, args)),
            run_timeout_ms=optional_milliseconds(run_timeout),
            task_timeout_ms=optional_milliseconds(task_timeout),
            retry_policy=None if retry_policy is None else retry_policy._to_model(),
            memo=None if memo is None else instance.values.encode_each(memo),
            search_attributes=None
            if search_attributes is None
            else encode_search_attributes(search_attributes),
            backoff_ms=optional_milliseconds(backoff_start_interval) or 0,
        )
    )


def _workflow_type(workflow: Callable[..., Any] | type | str | None) -> str:
    if workflow is None or isinstance(workflow, str):
        return workflow or ""
    name = definition_of(workflow).name
    if name is None:
        raise ValueError("Expected a workflow with a name, found a dynamic one; give the name")
    return name

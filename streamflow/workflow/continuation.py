"""Ending a run by beginning the next one of the same workflow, with a fresh history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import IntEnum
from typing import Any, NoReturn

from streamflow.common import RetryPolicy, SearchAttributes, TypedSearchAttributes
from streamflow.common.search_attributes import warn_of_untyped
from streamflow.converter import encode_search_attributes
from streamflow.coroutine.context import current
from streamflow.coroutine.errors import ContinueAsNewError
from streamflow.model.intents import ContinueAsNew
from streamflow.model.payload import NO_HEADERS
from streamflow.workflow.activity_options import VersioningIntent
from streamflow.workflow.arguments import NO_ARGUMENT, arguments_of
from streamflow.workflow.durations import optional_milliseconds
from streamflow.workflow.inputs import ContinueAsNewInput
from streamflow.workflow.interception import outbound
from streamflow.workflow.naming import type_of


class ContinueAsNewVersioningBehavior(IntEnum):
    """Which worker version the next run begins on."""

    UNSPECIFIED = 0
    """That of the ending run, if it is pinned."""
    AUTO_UPGRADE = 1
    """Any: the processor's own."""
    USE_RAMPING_VERSION = 2
    """Like AUTO_UPGRADE: versions are not ramped here."""


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
    search_attributes: TypedSearchAttributes | SearchAttributes | None = None,
    versioning_intent: VersioningIntent | None = None,
    initial_versioning_behavior: ContinueAsNewVersioningBehavior | None = None,
) -> NoReturn:
    """Ends this run and begins the next with these arguments; what is not given stays as it is.

    Raises:
        ContinueAsNewError: always, to leave the code. It passes through ``except Exception``; do not catch it.
    """
    current().refuse_changes()
    warn_of_untyped(search_attributes)
    name, arg_types = _named(workflow)
    given = ContinueAsNewInput(
        workflow=name,
        args=arguments_of(arg, args),
        task_queue=task_queue,
        run_timeout=run_timeout,
        task_timeout=task_timeout,
        backoff_start_interval=backoff_start_interval,
        retry_policy=retry_policy,
        memo=memo,
        search_attributes=search_attributes,
        headers=NO_HEADERS,
        versioning_intent=versioning_intent,
        initial_versioning_behavior=initial_versioning_behavior,
        arg_types=arg_types,
    )
    first = outbound()
    if first is not None:
        first.continue_as_new(given)
    continue_with(given)


def continue_with(given: ContinueAsNewInput) -> NoReturn:
    """Leaves the code for the next run, as the last interceptor passed it on."""
    values, retry_policy = current().values, given.retry_policy
    raise ContinueAsNewError(
        ContinueAsNew(
            workflow_type=given.workflow or "",
            queue=given.task_queue or "",
            args=values.encode(given.args),
            run_timeout_ms=optional_milliseconds(given.run_timeout),
            task_timeout_ms=optional_milliseconds(given.task_timeout),
            retry_policy=None if retry_policy is None else retry_policy._to_model(),
            memo=None if given.memo is None else values.encode_each(given.memo),
            search_attributes=None
            if given.search_attributes is None
            else encode_search_attributes(given.search_attributes),
            headers=given.headers,
            backoff_ms=optional_milliseconds(given.backoff_start_interval) or 0,
            versioning="auto_upgrade" if given.initial_versioning_behavior else "",
        )
    )


def _named(
    workflow: Callable[..., Any] | type | str | None,
) -> tuple[str | None, list[type] | None]:
    """The workflow's type, and what its arguments are; ``None`` is the running one's."""
    if workflow is None:
        return None, None
    name, _, arg_types = type_of(workflow)
    return name, arg_types

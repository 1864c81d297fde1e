"""The options of a start: as the caller says them, as interceptors see them, and the command they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Required, TypedDict

from streamflow.client.calls.values import encode, encode_mapping
from streamflow.client.inputs import StartWorkflowInput
from streamflow.common import (
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    VersioningOverride,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from streamflow.common.durations import optional_ms, to_ms
from streamflow.common.options import shows
from streamflow.common.search_attributes import warn_of_untyped
from streamflow.converter import encode_search_attributes
from streamflow.model.commands import StartWorkflow, WaitFor
from streamflow.model.ids import WorkflowId
from streamflow.model.payload import NO_HEADERS, Payload
from streamflow.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from streamflow.converter import DataConverter

NO_METADATA: Mapping[str, str | bytes] = {}


class CommonStartOptions(TypedDict, total=False):
    """Keywords of every start."""

    id: Required[str]
    """The workflow's ID: unique among the open runs of a queue."""
    task_queue: Required[str]
    stack_level: int
    """Of the caller that is warned of search attributes without types. Default: 2, who calls the method."""
    execution_timeout: timedelta | None
    """Of the whole chain of runs, retries and continuations included. Default: none."""
    run_timeout: timedelta | None
    """Of one run. Default: none."""
    task_timeout: timedelta | None
    """Kept for those who pass it; the step limit of a processor is its own setting."""
    id_reuse_policy: WorkflowIDReusePolicy
    """Default: ALLOW_DUPLICATE."""
    retry_policy: RetryPolicy | None
    """Default: a failed workflow is not run again."""
    cron_schedule: str
    """When runs begin, again and again: five fields, ``@daily`` and the like, ``@every 90m``; with ``CRON_TZ=...`` in front.
    Awaiting the result follows from run to run, to the end of the whole chain. Default: one run, now."""
    memo: Mapping[str, Any] | None
    search_attributes: TypedSearchAttributes | SearchAttributes | None
    static_summary: str | None
    static_details: str | None
    start_delay: timedelta | None
    """How long the first step waits. Default: not at all."""
    priority: Priority
    versioning_override: VersioningOverride | None


class StartOptions(CommonStartOptions, total=False):
    """Keywords of `Client.start_workflow` and `Client.execute_workflow`."""

    id_conflict_policy: WorkflowIDConflictPolicy
    """Default: UNSPECIFIED, which is FAIL."""
    start_signal: str | None
    """Signal-with-start: delivered to the open run if there is one, else to the one begun."""
    start_signal_args: Sequence[Any]
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    """Deadline of the call. Default: 10 s for a start, none for a result."""
    request_eager_start: bool


class WithStartOptions(CommonStartOptions, total=False):
    """Keywords of a start that an update brings with it."""

    id_conflict_policy: Required[WorkflowIDConflictPolicy]
    """What becomes of an open run of this ID."""


DEFAULTS: Final[Mapping[str, Any]] = {
    "stack_level": 2,
    "id_reuse_policy": WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    "id_conflict_policy": WorkflowIDConflictPolicy.UNSPECIFIED,
    "cron_schedule": "",
    "start_signal_args": (),
    "priority": Priority.default,
    "rpc_metadata": NO_METADATA,
    "request_eager_start": False,
}
"""Of every start; those that are not here are None."""
takes_start_options = shows(StartOptions, DEFAULTS)
takes_with_start_options = shows(WithStartOptions, DEFAULTS)


def start_input(
    workflow_type: str, args: Sequence[Any], ret_type: type | None, options: StartOptions
) -> StartWorkflowInput:
    """What interceptors are given: the options with their defaults. Raises TypeError for an option that nobody knows."""
    check_options("start options", options, StartOptions)
    warn_of_untyped(
        options.get("search_attributes"),
        stack_level=2 + options.get("stack_level", DEFAULTS["stack_level"]),
    )
    return StartWorkflowInput(
        workflow=workflow_type,
        args=args,
        id=options["id"],
        task_queue=options["task_queue"],
        execution_timeout=options.get("execution_timeout"),
        run_timeout=options.get("run_timeout"),
        task_timeout=options.get("task_timeout"),
        id_reuse_policy=options.get("id_reuse_policy", DEFAULTS["id_reuse_policy"]),
        id_conflict_policy=options.get("id_conflict_policy", DEFAULTS["id_conflict_policy"]),
        retry_policy=options.get("retry_policy"),
        cron_schedule=options.get("cron_schedule", ""),
        memo=options.get("memo"),
        search_attributes=options.get("search_attributes"),
        start_delay=options.get("start_delay"),
        headers=NO_HEADERS,
        start_signal=options.get("start_signal"),
        start_signal_args=options.get("start_signal_args", ()),
        static_summary=options.get("static_summary"),
        static_details=options.get("static_details"),
        ret_type=ret_type,
        rpc_metadata=options.get("rpc_metadata", NO_METADATA),
        rpc_timeout=options.get("rpc_timeout"),
        request_eager_start=options.get("request_eager_start", False),
        priority=options.get("priority", Priority.default),
        versioning_override=options.get("versioning_override"),
    )


def check_options(
    what: str,
    options: Mapping[str, object],
    known: type,
    needed: Sequence[str] = ("id", "task_queue"),
) -> None:
    """Raises TypeError for an option that nobody knows, and for a missing one, as Python does for arguments."""
    if unknown := options.keys() - known.__annotations__.keys():
        raise TypeError(f"Expected {what}, found unknown {', '.join(sorted(unknown))}")
    if missing := [name for name in needed if name not in options]:
        raise TypeError(f"Expected {what}, missing required {', '.join(missing)}")


def refuse_empty(what: str, given: str) -> None:
    if not given:
        raise RPCError(
            f"{what} is not set on request: expected one, found an empty text",
            RPCStatusCode.INVALID_ARGUMENT,
        )


async def start_command(
    given: StartWorkflowInput,
    *,
    headers: Mapping[str, Payload],
    converter: DataConverter,
    identity: str,
    wait_for: WaitFor,
    declared: Mapping[str, str] | None,
) -> StartWorkflow:
    """The command that asks for what is given. ``declared`` are the types of search attributes, if they matter.

    Raises:
        RPCError: INVALID_ARGUMENT, for an empty ID or queue.
    """
    refuse_empty("WorkflowId", given.id)
    refuse_empty("TaskQueue", given.task_queue)
    retry_policy, attributes = given.retry_policy, given.search_attributes
    return StartWorkflow(
        workflow_id=WorkflowId(given.id),
        workflow_type=given.workflow,
        args=await encode(converter, given.args),
        id_reuse_policy=given.id_reuse_policy._to_model(),
        id_conflict_policy=given.id_conflict_policy._to_model(),
        retry_policy=None if retry_policy is None else retry_policy._to_model(),
        execution_timeout_ms=optional_ms(given.execution_timeout),
        run_timeout_ms=optional_ms(given.run_timeout),
        task_timeout_ms=optional_ms(given.task_timeout),
        start_delay_ms=to_ms(given.start_delay) if given.start_delay else 0,
        cron_schedule=given.cron_schedule,
        **given.priority._to_model(),
        memo=await encode_mapping(converter, given.memo),
        search_attributes={}
        if attributes is None
        else encode_search_attributes(attributes, declared),
        headers=headers,
        static_summary=given.static_summary or "",
        static_details=given.static_details or "",
        version_override=""
        if given.versioning_override is None
        else given.versioning_override._override(),
        signal_name=given.start_signal or "",
        signal_args=await encode(converter, given.start_signal_args),
        identity=identity,
        wait_for=wait_for,
    )

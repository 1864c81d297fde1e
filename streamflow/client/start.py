"""The options of a start, and the command they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Required, TypedDict

from streamflow.client.errors import NotYetError
from streamflow.client.values import encode, encode_mapping
from streamflow.common import (
    Priority,
    RetryPolicy,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
    _optional_ms,
    _to_ms,
)
from streamflow.converter import encode_search_attributes
from streamflow.model.commands import StartWorkflow, WaitFor
from streamflow.model.ids import WorkflowId

if TYPE_CHECKING:
    from streamflow.converter import DataConverter


class StartOptions(TypedDict, total=False):
    """Keywords of `Client.start_workflow` and `Client.execute_workflow`."""

    id: Required[str]
    """The workflow's ID: unique among the open runs of a queue."""
    task_queue: Required[str]
    execution_timeout: timedelta | None
    """Of the whole chain of runs, retries and continuations included. Default: none."""
    run_timeout: timedelta | None
    """Of one run. Default: none."""
    task_timeout: timedelta | None
    """Kept for those who pass it; the step limit of a processor is its own setting."""
    id_reuse_policy: WorkflowIDReusePolicy
    """Default: ALLOW_DUPLICATE."""
    id_conflict_policy: WorkflowIDConflictPolicy
    """Default: UNSPECIFIED, which is FAIL."""
    retry_policy: RetryPolicy | None
    """Default: a failed workflow is not run again."""
    cron_schedule: str
    memo: Mapping[str, Any] | None
    search_attributes: TypedSearchAttributes | None
    static_summary: str | None
    static_details: str | None
    start_delay: timedelta | None
    """How long the first step waits. Default: not at all."""
    start_signal: str | None
    """Signal-with-start: delivered to the open run if there is one, else to the one begun."""
    start_signal_args: Sequence[Any]
    rpc_metadata: Mapping[str, str]
    rpc_timeout: timedelta | None
    """Deadline of the call. Default: 10 s for a start, none for a result."""
    request_eager_start: bool
    priority: Priority
    versioning_override: Any


async def start_command(
    workflow_type: str,
    args: Sequence[Any],
    options: StartOptions,
    *,
    converter: DataConverter,
    identity: str,
    wait_for: WaitFor,
) -> StartWorkflow:
    """Only what differs from the defaults is looked at: most starts name an ID and a queue."""
    if len(options) == 2:
        return StartWorkflow(
            workflow_id=WorkflowId(options["id"]),
            workflow_type=workflow_type,
            args=await encode(converter, args),
            identity=identity,
            wait_for=wait_for,
        )
    _refuse_later_options(options)
    retry_policy = options.get("retry_policy")
    attributes = options.get("search_attributes")
    start_delay = options.get("start_delay")
    reuse = options.get("id_reuse_policy", WorkflowIDReusePolicy.ALLOW_DUPLICATE)
    conflict = options.get("id_conflict_policy", WorkflowIDConflictPolicy.UNSPECIFIED)
    return StartWorkflow(
        workflow_id=WorkflowId(options["id"]),
        workflow_type=workflow_type,
        args=await encode(converter, args),
        id_reuse_policy=reuse._to_model(),
        id_conflict_policy=conflict._to_model(),
        retry_policy=None if retry_policy is None else retry_policy._to_model(),
        execution_timeout_ms=_optional_ms(options.get("execution_timeout")),
        run_timeout_ms=_optional_ms(options.get("run_timeout")),
        task_timeout_ms=_optional_ms(options.get("task_timeout")),
        start_delay_ms=_to_ms(start_delay) if start_delay else 0,
        memo=await encode_mapping(converter, options.get("memo")),
        search_attributes={} if attributes is None else encode_search_attributes(attributes),
        static_summary=options.get("static_summary") or "",
        static_details=options.get("static_details") or "",
        signal_name=options.get("start_signal") or "",
        signal_args=await encode(converter, options.get("start_signal_args", ())),
        identity=identity,
        wait_for=wait_for,
    )


def _refuse_later_options(options: StartOptions) -> None:
    if unknown := options.keys() - StartOptions.__annotations__.keys():
        raise TypeError(f"Expected start options, found unknown {', '.join(sorted(unknown))}")
    if options.get("cron_schedule"):
        raise NotYetError("cron_schedule")
    if options.get("versioning_override"):
        raise NotYetError("versioning_override")

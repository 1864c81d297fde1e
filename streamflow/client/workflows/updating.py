"""Updating a workflow: methods of `WorkflowHandle`. The work is `root.updates`'s."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, overload

from typing_extensions import Unpack

from streamflow.client.calls import naming
from streamflow.client.calls.start import NO_METADATA
from streamflow.client.calls.values import NOT_GIVEN, arguments
from streamflow.client.inputs import StartWorkflowUpdateInput
from streamflow.client.workflows.update_handle import WorkflowUpdateHandle, WorkflowUpdateStage
from streamflow.common.options import shows
from streamflow.model.payload import NO_HEADERS

if TYPE_CHECKING:
    from streamflow.client.workflows.handle import WorkflowHandle
    from streamflow.workflow.definitions import UpdateMethodMultiParam

SelfT = TypeVar("SelfT")
ArgT = TypeVar("ArgT")
ResultT = TypeVar("ResultT")


class UpdateOptions(TypedDict, total=False):
    """Keywords of every call that sends an update."""

    id: str | None
    """Names the update within its run: a second one of the same ID gets the first's outcome. Default: a new UUID."""
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    """Deadline of the call. Default: none."""


takes_update_options = shows(UpdateOptions, {"rpc_metadata": NO_METADATA})


@overload
async def execute_update(
    self: WorkflowHandle[SelfT, Any],
    update: UpdateMethodMultiParam[[SelfT], ResultT],
    **options: Unpack[UpdateOptions],
) -> ResultT: ...


@overload
async def execute_update(
    self: WorkflowHandle[SelfT, Any],
    update: UpdateMethodMultiParam[[SelfT, ArgT], ResultT],
    arg: ArgT,
    **options: Unpack[UpdateOptions],
) -> ResultT: ...


@overload
async def execute_update(
    self: WorkflowHandle[SelfT, Any],
    update: UpdateMethodMultiParam[..., ResultT],
    *,
    args: Sequence[Any],
    **options: Unpack[UpdateOptions],
) -> ResultT: ...


@overload
async def execute_update(
    self: WorkflowHandle[SelfT, Any],
    update: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type[ResultT],
    **options: Unpack[UpdateOptions],
) -> ResultT: ...


@overload
async def execute_update(
    self: WorkflowHandle[SelfT, Any],
    update: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[UpdateOptions],
) -> Any: ...


@takes_update_options
async def execute_update(
    self: WorkflowHandle[Any, Any],
    update: str | Callable[..., Any],
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    result_type: type | None = None,
    **options: Unpack[UpdateOptions],
) -> Any:
    """Sends an update and returns its result. Waits without a deadline unless ``rpc_timeout`` sets one.

    Raises:
        WorkflowUpdateFailedError: it was refused, or failed, or the run ended first; ``cause`` says how.
        WorkflowUpdateRPCTimeoutOrCancelledError: this call timed out or was cancelled; the update may go on.
        RPCError: NOT_FOUND when there is no such workflow, or it is closed.
    """
    stage = WorkflowUpdateStage.COMPLETED
    handle = await _start(self, update, arguments(arg, args), stage, result_type, options)
    return await handle.result(rpc_timeout=options.get("rpc_timeout"))


@overload
async def start_update(
    self: WorkflowHandle[SelfT, Any],
    update: UpdateMethodMultiParam[[SelfT], ResultT],
    *,
    wait_for_stage: WorkflowUpdateStage,
    **options: Unpack[UpdateOptions],
) -> WorkflowUpdateHandle[ResultT]: ...


@overload
async def start_update(
    self: WorkflowHandle[SelfT, Any],
    update: UpdateMethodMultiParam[[SelfT, ArgT], ResultT],
    arg: ArgT,
    *,
    wait_for_stage: WorkflowUpdateStage,
    **options: Unpack[UpdateOptions],
) -> WorkflowUpdateHandle[ResultT]: ...


@overload
async def start_update(
    self: WorkflowHandle[SelfT, Any],
    update: UpdateMethodMultiParam[..., ResultT],
    *,
    args: Sequence[Any],
    wait_for_stage: WorkflowUpdateStage,
    **options: Unpack[UpdateOptions],
) -> WorkflowUpdateHandle[ResultT]: ...


@overload
async def start_update(
    self: WorkflowHandle[SelfT, Any],
    update: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    wait_for_stage: WorkflowUpdateStage,
    result_type: type[ResultT],
    **options: Unpack[UpdateOptions],
) -> WorkflowUpdateHandle[ResultT]: ...


@overload
async def start_update(
    self: WorkflowHandle[SelfT, Any],
    update: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    wait_for_stage: WorkflowUpdateStage,
    **options: Unpack[UpdateOptions],
) -> WorkflowUpdateHandle[Any]: ...


@takes_update_options
async def start_update(
    self: WorkflowHandle[Any, Any],
    update: str | Callable[..., Any],
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    wait_for_stage: WorkflowUpdateStage,
    result_type: type | None = None,
    **options: Unpack[UpdateOptions],
) -> WorkflowUpdateHandle[Any]:
    """Sends an update and returns a handle to it, once it has come as far as ``wait_for_stage``.

    An update that is refused by its validator is completed: the handle's `result` says so.

    Raises:
        ValueError: ``wait_for_stage`` is ADMITTED.
        WorkflowUpdateRPCTimeoutOrCancelledError: this call timed out or was cancelled; the update may go on.
        RPCError: NOT_FOUND when there is no such workflow, or it is closed.
    """
    return await _start(self, update, arguments(arg, args), wait_for_stage, result_type, options)


async def _start(
    handle: WorkflowHandle[Any, Any],
    update: str | Callable[..., Any],
    args: Sequence[Any],
    stage: WorkflowUpdateStage,
    result_type: type | None,
    options: UpdateOptions,
) -> WorkflowUpdateHandle[Any]:
    refuse_admitted(stage)
    refuse_unknown(options)
    name, hint = naming.update_name(update)
    address = handle.address
    given = StartWorkflowUpdateInput(
        id=handle.id,
        run_id=handle.run_id,
        first_execution_run_id=handle.first_execution_run_id,
        update_id=options.get("id"),
        update=name,
        args=args,
        wait_for_stage=stage,
        headers=NO_HEADERS,
        ret_type=result_type or hint,
        rpc_metadata=options.get("rpc_metadata", NO_METADATA),
        rpc_timeout=options.get("rpc_timeout"),
        task_queue=address.queue or None,
    )
    started: WorkflowUpdateHandle[Any] = await address.client.outbound.start_workflow_update(given)
    return started


def refuse_admitted(stage: WorkflowUpdateStage) -> None:
    if stage is WorkflowUpdateStage.ADMITTED:
        raise ValueError("ADMITTED wait stage not supported: wait for ACCEPTED or COMPLETED")


def refuse_unknown(options: UpdateOptions) -> None:
    if unknown := options.keys() - UpdateOptions.__annotations__.keys():
        raise TypeError(
            f"Expected options of an update, found unknown {', '.join(sorted(unknown))}"
        )


def get_update_handle(
    self: WorkflowHandle[Any, Any],
    id: str,
    *,
    workflow_run_id: str | None = None,
    result_type: type | None = None,
) -> WorkflowUpdateHandle[Any]:
    """A handle to an update that may exist; nothing is asked yet. The run is the handle's unless it is named."""
    return WorkflowUpdateHandle(
        self._client,
        id,
        self.id,
        workflow_run_id=workflow_run_id or self.run_id,
        result_type=result_type,
        task_queue=self._address.queue or None,
    )


def get_update_handle_for(
    self: WorkflowHandle[Any, Any],
    update: UpdateMethodMultiParam[..., ResultT],
    id: str,
    *,
    workflow_run_id: str | None = None,
) -> WorkflowUpdateHandle[ResultT]:
    """As `get_update_handle`, with the result type of this update."""
    _, hint = naming.update_name(update)
    return get_update_handle(self, id, workflow_run_id=workflow_run_id, result_type=hint)

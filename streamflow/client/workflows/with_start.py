"""An update together with the start of its workflow: methods of `Client`. The work is `root.updates`'s."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, cast, overload

from typing_extensions import Unpack

from streamflow.client.calls import naming
from streamflow.client.calls.start import (
    NO_METADATA,
    StartOptions,
    WithStartOptions,
    start_input,
    takes_with_start_options,
)
from streamflow.client.calls.values import NOT_GIVEN, arguments
from streamflow.client.inputs import (
    StartWorkflowUpdateWithStartInput,
    UpdateWithStartStartWorkflowInput,
    UpdateWithStartUpdateWorkflowInput,
)
from streamflow.client.workflows.handle import WorkflowHandle
from streamflow.client.workflows.update_handle import WorkflowUpdateHandle, WorkflowUpdateStage
from streamflow.client.workflows.updating import (
    UpdateOptions,
    refuse_admitted,
    refuse_unknown,
    takes_update_options,
)
from streamflow.common import WorkflowIDConflictPolicy
from streamflow.model.answers import UpdateOutcome
from streamflow.model.payload import NO_HEADERS

if TYPE_CHECKING:
    from streamflow.client.client import Client
    from streamflow.workflow.definitions import UpdateMethodMultiParam

SelfT = TypeVar("SelfT")
ArgT = TypeVar("ArgT")
ResultT = TypeVar("ResultT")
UpdateT = TypeVar("UpdateT")
Params = ParamSpec("Params")


class WithStartWorkflowOperation(Generic[SelfT, ResultT]):
    """The start that an update brings with it, for use in one call.

    Takes the arguments of `Client.start_workflow`; ``id_conflict_policy`` must say what becomes of an open run.
    """

    @overload
    def __init__(
        self,
        workflow: Callable[[SelfT], Awaitable[ResultT]],
        **options: Unpack[WithStartOptions],
    ) -> None: ...

    @overload
    def __init__(
        self,
        workflow: Callable[[SelfT, ArgT], Awaitable[ResultT]],
        arg: ArgT,
        **options: Unpack[WithStartOptions],
    ) -> None: ...

    @overload
    def __init__(
        self,
        workflow: Callable[Concatenate[SelfT, Params], Awaitable[ResultT]],
        *,
        args: Sequence[Any],
        **options: Unpack[WithStartOptions],
    ) -> None: ...

    @overload
    def __init__(
        self,
        workflow: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type[ResultT],
        **options: Unpack[WithStartOptions],
    ) -> None: ...

    @overload
    def __init__(
        self: WithStartWorkflowOperation[Any, Any],
        workflow: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        **options: Unpack[WithStartOptions],
    ) -> None: ...

    @takes_with_start_options
    def __init__(
        self,
        workflow: str | Callable[..., Awaitable[Any]],
        arg: Any = NOT_GIVEN,
        *,
        args: Sequence[Any] = (),
        result_type: type | None = None,
        **options: Unpack[WithStartOptions],
    ) -> None:
        """
        Raises:
            ValueError: ``id_conflict_policy`` is UNSPECIFIED.
        """
        if "id_conflict_policy" not in options:
            raise TypeError(
                "Expected id_conflict_policy=..., found none: say what becomes of an open run"
            )
        if options["id_conflict_policy"] is WorkflowIDConflictPolicy.UNSPECIFIED:
            raise ValueError(
                "WorkflowIDConflictPolicy is required: FAIL, USE_EXISTING or TERMINATE_EXISTING"
            )
        if unknown := options.keys() - WithStartOptions.__annotations__.keys():
            raise TypeError(
                f"Expected options of a start with an update, found {', '.join(sorted(unknown))}"
            )
        name, hint = naming.workflow_name(workflow)
        given = start_input(
            name,
            arguments(arg, args),
            result_type or hint,
            cast("StartOptions", options),
        )
        fields = UpdateWithStartStartWorkflowInput.__dataclass_fields__
        self._start_workflow_input = UpdateWithStartStartWorkflowInput(
            **{field: getattr(given, field) for field in fields}
        )
        self._future: asyncio.Future[WorkflowHandle[SelfT, ResultT]] | None = None
        self._used = False

    async def workflow_handle(self) -> WorkflowHandle[SelfT, ResultT]:
        """The workflow, once it is known to run. Raises what the start was refused with."""
        return await asyncio.shield(self._handle)

    @property
    def _handle(self) -> asyncio.Future[WorkflowHandle[SelfT, ResultT]]:
        if self._future is None:
            self._future = asyncio.get_running_loop().create_future()
        return self._future

    def _use(self) -> None:
        if self._used:
            raise RuntimeError(
                "WithStartWorkflowOperation cannot be reused: make one for each call"
            )
        self._used = True

    def _started(self, client: Client, outcome: UpdateOutcome) -> None:
        given = self._start_workflow_input
        handle: WorkflowHandle[SelfT, ResultT] = WorkflowHandle(
            client,
            given.id,
            result_run_id=outcome.run_id,
            first_execution_run_id=outcome.first_run_id or outcome.run_id,
            result_type=given.ret_type,
            task_queue=given.task_queue,
        )
        if not self._handle.done():
            self._handle.set_result(handle)

    def _refused(self, error: BaseException) -> None:
        if not self._handle.done():
            self._handle.set_exception(error)
            self._handle.exception()  # whoever made the call is told; nobody else need ask


@overload
async def execute_update_with_start_workflow(
    self: Client,
    update: UpdateMethodMultiParam[[SelfT], UpdateT],
    *,
    start_workflow_operation: WithStartWorkflowOperation[SelfT, Any],
    **options: Unpack[UpdateOptions],
) -> UpdateT: ...


@overload
async def execute_update_with_start_workflow(
    self: Client,
    update: UpdateMethodMultiParam[[SelfT, ArgT], UpdateT],
    arg: ArgT,
    *,
    start_workflow_operation: WithStartWorkflowOperation[SelfT, Any],
    **options: Unpack[UpdateOptions],
) -> UpdateT: ...


@overload
async def execute_update_with_start_workflow(
    self: Client,
    update: UpdateMethodMultiParam[..., UpdateT],
    *,
    args: Sequence[Any],
    start_workflow_operation: WithStartWorkflowOperation[Any, Any],
    **options: Unpack[UpdateOptions],
) -> UpdateT: ...


@overload
async def execute_update_with_start_workflow(
    self: Client,
    update: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    start_workflow_operation: WithStartWorkflowOperation[Any, Any],
    result_type: type[UpdateT],
    **options: Unpack[UpdateOptions],
) -> UpdateT: ...


@overload
async def execute_update_with_start_workflow(
    self: Client,
    update: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    start_workflow_operation: WithStartWorkflowOperation[Any, Any],
    **options: Unpack[UpdateOptions],
) -> Any: ...


@takes_update_options
async def execute_update_with_start_workflow(
    self: Client,
    update: str | Callable[..., Any],
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    start_workflow_operation: WithStartWorkflowOperation[Any, Any],
    result_type: type | None = None,
    **options: Unpack[UpdateOptions],
) -> Any:
    """Updates a workflow, starting it if the operation's policies say so, and returns the update's result.

    Raises:
        WorkflowAlreadyStartedError: an open run, or a closed one, stands in the way of the start.
        WorkflowUpdateFailedError: the update was refused, or failed; the workflow is started all the same.
        WorkflowUpdateRPCTimeoutOrCancelledError: this call timed out or was cancelled.
        RuntimeError: the operation was used before.
    """
    handle = await _start(
        self,
        update,
        arguments(arg, args),
        WorkflowUpdateStage.COMPLETED,
        start_workflow_operation,
        result_type,
        options,
    )
    return await handle.result(rpc_timeout=options.get("rpc_timeout"))


@overload
async def start_update_with_start_workflow(
    self: Client,
    update: UpdateMethodMultiParam[[SelfT], UpdateT],
    *,
    start_workflow_operation: WithStartWorkflowOperation[SelfT, Any],
    wait_for_stage: WorkflowUpdateStage,
    **options: Unpack[UpdateOptions],
) -> WorkflowUpdateHandle[UpdateT]: ...


@overload
async def start_update_with_start_workflow(
    self: Client,
    update: UpdateMethodMultiParam[[SelfT, ArgT], UpdateT],
    arg: ArgT,
    *,
    start_workflow_operation: WithStartWorkflowOperation[SelfT, Any],
    wait_for_stage: WorkflowUpdateStage,
    **options: Unpack[UpdateOptions],
) -> WorkflowUpdateHandle[UpdateT]: ...


@overload
async def start_update_with_start_workflow(
    self: Client,
    update: UpdateMethodMultiParam[..., UpdateT],
    *,
    args: Sequence[Any],
    start_workflow_operation: WithStartWorkflowOperation[Any, Any],
    wait_for_stage: WorkflowUpdateStage,
    **options: Unpack[UpdateOptions],
) -> WorkflowUpdateHandle[UpdateT]: ...


@overload
async def start_update_with_start_workflow(
    self: Client,
    update: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    start_workflow_operation: WithStartWorkflowOperation[Any, Any],
    wait_for_stage: WorkflowUpdateStage,
    result_type: type[UpdateT] | None = ...,
    **options: Unpack[UpdateOptions],
) -> WorkflowUpdateHandle[Any]: ...


@takes_update_options
async def start_update_with_start_workflow(
    self: Client,
    update: str | Callable[..., Any],
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    start_workflow_operation: WithStartWorkflowOperation[Any, Any],
    wait_for_stage: WorkflowUpdateStage,
    result_type: type | None = None,
    **options: Unpack[UpdateOptions],
) -> WorkflowUpdateHandle[Any]:
    """As `execute_update_with_start_workflow`, and returns a handle once the update has come to ``wait_for_stage``.

    Raises:
        ValueError: ``wait_for_stage`` is ADMITTED.
    """
    return await _start(
        self,
        update,
        arguments(arg, args),
        wait_for_stage,
        start_workflow_operation,
        result_type,
        options,
    )


async def _start(
    client: Client,
    update: str | Callable[..., Any],
    args: Sequence[Any],
    stage: WorkflowUpdateStage,
    operation: WithStartWorkflowOperation[Any, Any],
    result_type: type | None,
    options: UpdateOptions,
) -> WorkflowUpdateHandle[Any]:
    refuse_admitted(stage)
    refuse_unknown(options)
    operation._use()
    name, hint = naming.update_name(update)
    given = StartWorkflowUpdateWithStartInput(
        start_workflow_input=operation._start_workflow_input,
        update_workflow_input=UpdateWithStartUpdateWorkflowInput(
            update_id=options.get("id"),
            update=name,
            args=args,
            wait_for_stage=stage,
            headers=NO_HEADERS,
            ret_type=result_type or hint,
        ),
        rpc_metadata=options.get("rpc_metadata", NO_METADATA),
        rpc_timeout=options.get("rpc_timeout"),
        _on_start=lambda outcome: operation._started(client, outcome),
        _on_start_error=operation._refused,
    )
    started: WorkflowUpdateHandle[Any] = await client.outbound.start_update_with_start_workflow(
        given
    )
    return started

"""Starting a workflow, with or without waiting for its result. The first two functions are methods of `Client`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, NoReturn, ParamSpec, TypeVar, overload

from typing_extensions import Unpack

from streamflow.client import naming
from streamflow.client.address import seconds
from streamflow.client.ending import outcome
from streamflow.client.errors import raise_refusal
from streamflow.client.handle import WorkflowHandle
from streamflow.client.start import StartOptions, start_command
from streamflow.client.values import NOT_GIVEN, arguments
from streamflow.exceptions import WorkflowAlreadyStartedError
from streamflow.model.answers import Done, Reason, Rejection, RunResult
from streamflow.model.commands import WaitFor

if TYPE_CHECKING:
    from streamflow.client.client import Client

SelfT = TypeVar("SelfT")
ArgT = TypeVar("ArgT")
ResultT = TypeVar("ResultT")
Params = ParamSpec("Params")


@overload
async def start_workflow(
    self: Client,
    workflow: Callable[[SelfT], Awaitable[ResultT]],
    **options: Unpack[StartOptions],
) -> WorkflowHandle[SelfT, ResultT]: ...


@overload
async def start_workflow(
    self: Client,
    workflow: Callable[[SelfT, ArgT], Awaitable[ResultT]],
    arg: ArgT,
    **options: Unpack[StartOptions],
) -> WorkflowHandle[SelfT, ResultT]: ...


@overload
async def start_workflow(
    self: Client,
    workflow: Callable[Concatenate[SelfT, Params], Awaitable[ResultT]],
    *,
    args: Sequence[Any],
    **options: Unpack[StartOptions],
) -> WorkflowHandle[SelfT, ResultT]: ...


@overload
async def start_workflow(
    self: Client,
    workflow: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type[ResultT],
    **options: Unpack[StartOptions],
) -> WorkflowHandle[Any, ResultT]: ...


@overload
async def start_workflow(
    self: Client,
    workflow: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[StartOptions],
) -> WorkflowHandle[Any, Any]: ...


async def start_workflow(
    self: Client,
    workflow: str | Callable[..., Awaitable[Any]],
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    result_type: type | None = None,
    **options: Unpack[StartOptions],
) -> WorkflowHandle[Any, Any]:
    """Starts a run and returns as soon as the log has it. With ``start_signal`` it is signalled too.

    Raises:
        WorkflowAlreadyStartedError: a run of this ID is open, or the policy refuses to follow a closed one.
        RPCError: the queue does not exist, or nobody answered in time.
    """
    return await _start(self, workflow, arguments(arg, args), result_type, options)


@overload
async def execute_workflow(
    self: Client,
    workflow: Callable[[SelfT], Awaitable[ResultT]],
    **options: Unpack[StartOptions],
) -> ResultT: ...


@overload
async def execute_workflow(
    self: Client,
    workflow: Callable[[SelfT, ArgT], Awaitable[ResultT]],
    arg: ArgT,
    **options: Unpack[StartOptions],
) -> ResultT: ...


@overload
async def execute_workflow(
    self: Client,
    workflow: Callable[Concatenate[SelfT, Params], Awaitable[ResultT]],
    *,
    args: Sequence[Any],
    **options: Unpack[StartOptions],
) -> ResultT: ...


@overload
async def execute_workflow(
    self: Client,
    workflow: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type[ResultT],
    **options: Unpack[StartOptions],
) -> ResultT: ...


@overload
async def execute_workflow(
    self: Client,
    workflow: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[StartOptions],
) -> Any: ...


async def execute_workflow(
    self: Client,
    workflow: str | Callable[..., Awaitable[Any]],
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    result_type: type | None = None,
    **options: Unpack[StartOptions],
) -> Any:
    """Starts a run and returns its result: one request, one answer.

    Raises:
        WorkflowFailureError: it ended without a result; ``cause`` says how.
        WorkflowAlreadyStartedError, RPCError: as `start_workflow`.
    """
    return await _execute(self, workflow, arguments(arg, args), result_type, options)


async def _start(
    client: Client,
    workflow: str | Callable[..., Awaitable[Any]],
    args: Sequence[Any],
    result_type: type | None,
    options: StartOptions,
) -> WorkflowHandle[Any, Any]:
    """A handle to what was started, as soon as the log has it."""
    name, hint = naming.workflow_name(workflow)
    command = await start_command(
        name,
        args,
        options,
        converter=client.data_converter,
        identity=client.identity,
        wait_for=WaitFor.ACCEPTED,
    )
    queue = options["task_queue"]
    answer = await client.transport.ask(
        queue, command, deadline_s=seconds(options.get("rpc_timeout"))
    )
    match answer:
        case Done():
            pass
        case Rejection():
            raise_start_refusal(answer, command.workflow_id, name)
        case _:
            raise AssertionError(f"Expected Done or a refusal, found {answer!r}")
    client.remember_queue(command.workflow_id, queue)
    return WorkflowHandle(
        client,
        command.workflow_id,
        result_run_id=answer.run_id or None,
        first_execution_run_id=(answer.first_run_id or answer.run_id) or None,
        result_type=result_type or hint,
        task_queue=queue,
    )


async def _execute(
    client: Client,
    workflow: str | Callable[..., Awaitable[Any]],
    args: Sequence[Any],
    result_type: type | None,
    options: StartOptions,
) -> Any:
    """The run's result: one request, one answer."""
    name, hint = naming.workflow_name(workflow)
    command = await start_command(
        name,
        args,
        options,
        converter=client.data_converter,
        identity=client.identity,
        wait_for=WaitFor.RESULT,
    )
    queue = options["task_queue"]
    timeout = options.get("rpc_timeout")
    answer = await client.transport.ask(
        queue, command, deadline_s=timeout.total_seconds() if timeout else None
    )
    match answer:
        case RunResult(new_run_id=None):
            return await outcome(client, answer, result_type or hint)
        case RunResult(new_run_id=following):
            handle: WorkflowHandle[Any, Any] = WorkflowHandle(
                client,
                command.workflow_id,
                result_run_id=following,
                result_type=result_type or hint,
                task_queue=queue,
            )
            return await handle.result(rpc_timeout=timeout)
        case Rejection():
            raise_start_refusal(answer, command.workflow_id, name)
        case _:
            raise AssertionError(f"Expected a result or a refusal, found {answer!r}")


def raise_start_refusal(refusal: Rejection, workflow_id: str, workflow_type: str) -> NoReturn:
    if refusal.reason is Reason.ALREADY_STARTED:
        raise WorkflowAlreadyStartedError(workflow_id, workflow_type, run_id=refusal.run_id)
    raise_refusal(refusal)

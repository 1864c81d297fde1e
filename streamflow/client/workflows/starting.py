"""Starting a workflow, with or without waiting for its result: methods of `Client`. The work is `root.starting`'s."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, overload

from typing_extensions import Unpack

from streamflow.client.calls import naming
from streamflow.client.calls.start import StartOptions, start_input, takes_start_options
from streamflow.client.calls.values import NOT_GIVEN, arguments
from streamflow.client.workflows.handle import WorkflowHandle

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


@takes_start_options
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
    name, hint = naming.workflow_name(workflow)
    given = start_input(name, arguments(arg, args), result_type or hint, options)
    return await self.outbound.start_workflow(given)


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


@takes_start_options
async def execute_workflow(
    self: Client,
    workflow: str | Callable[..., Awaitable[Any]],
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    result_type: type | None = None,
    **options: Unpack[StartOptions],
) -> Any:
    """Starts a run and returns its result: one request and one answer, unless an interceptor wants to see the start.

    Raises:
        WorkflowFailureError: it ended without a result; ``cause`` says how.
        WorkflowAlreadyStartedError, RPCError: as `start_workflow`.
    """
    name, hint = naming.workflow_name(workflow)
    given = start_input(name, arguments(arg, args), result_type or hint, options)
    if self.root is self.outbound:
        return await self.root.execute_workflow(given)
    # Interceptors know a start and a result, not the two in one.
    handle = await self.outbound.start_workflow(given)
    return await handle.result(rpc_timeout=given.rpc_timeout)

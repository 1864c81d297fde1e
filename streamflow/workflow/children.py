"""Child workflows: started (a handle to await, signal or cancel) or started and awaited (``execute_...``).

A child runs in a history of its own, on the parent's queue or another, and outlives its parent only if its parent close
policy says so. Its start and its result are recorded in both histories, each in one transaction with what caused it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, Unpack, cast, overload

from streamflow.coroutine.beginning import begin_child
from streamflow.coroutine.context import current
from streamflow.coroutine.machines.child import ChildHandle, ChildRequest
from streamflow.coroutine.values import Values
from streamflow.model.payload import NO_HEADERS
from streamflow.model.relations import Target
from streamflow.workflow.arguments import NO_ARGUMENT, arguments_of
from streamflow.workflow.child_options import (
    ChildWorkflowOptions,
    input_of,
    request_of,
    takes_options,
)
from streamflow.workflow.clock import uuid4
from streamflow.workflow.external import signal_given_child, targets_of
from streamflow.workflow.inputs import SignalChildWorkflowInput, StartChildWorkflowInput
from streamflow.workflow.interception import outbound
from streamflow.workflow.naming import signal_name, type_of

SelfT = TypeVar("SelfT")
ArgT = TypeVar("ArgT")
ResultT = TypeVar("ResultT")
Params = ParamSpec("Params")


class ChildWorkflowHandle(ChildHandle[ResultT], Generic[SelfT, ResultT]):
    """A started child: await it for its result, ``cancel()`` it as its cancellation type says, signal it.

    Awaiting raises ChildWorkflowError if the child ended without a result; ``cause`` says how.
    """

    __slots__ = ()

    @property
    def id(self) -> str:
        return self.workflow_id

    @property
    def first_execution_run_id(self) -> str | None:
        """The run that it began with."""
        return self.first_run_id

    @property
    def target(self) -> Target:
        """Where its messages go."""
        return Target(workflow_id=self.workflow_id, queue=self.queue, child_op=self.op)

    @overload
    async def signal(self, signal: Callable[[SelfT], Awaitable[None] | None]) -> None: ...

    @overload
    async def signal(
        self, signal: Callable[[SelfT, ArgT], Awaitable[None] | None], arg: ArgT
    ) -> None: ...

    @overload
    async def signal(
        self,
        signal: Callable[Concatenate[SelfT, Params], Awaitable[None] | None],
        *,
        args: Sequence[Any],
    ) -> None: ...

    @overload
    async def signal(self, signal: str, arg: Any = ..., *, args: Sequence[Any] = ...) -> None: ...

    async def signal(
        self,
        signal: str | Callable[..., Any],
        arg: Any = NO_ARGUMENT,
        *,
        args: Sequence[Any] = (),
    ) -> None:
        """Returns when the signal is in the child's history.

        Raises:
            ApplicationError: of type ``ExternalWorkflowExecutionNotFound`` when the child has ended.
        """
        instance = current()
        instance.refuse_changes()
        given = SignalChildWorkflowInput(
            signal=signal_name(signal),
            args=arguments_of(arg, args),
            child_workflow_id=self.id,
            headers=NO_HEADERS,
        )
        first = outbound()
        if first is not None:
            await first.signal_child_workflow(given)
        else:
            await signal_given_child(given)


@overload
async def start_child_workflow(
    workflow: Callable[[SelfT], Awaitable[ResultT]],
    **options: Unpack[ChildWorkflowOptions],
) -> ChildWorkflowHandle[SelfT, ResultT]: ...


@overload
async def start_child_workflow(
    workflow: Callable[[SelfT, ArgT], Awaitable[ResultT]],
    arg: ArgT,
    **options: Unpack[ChildWorkflowOptions],
) -> ChildWorkflowHandle[SelfT, ResultT]: ...


@overload
async def start_child_workflow(
    workflow: Callable[Concatenate[SelfT, Params], Awaitable[ResultT]],
    *,
    args: Sequence[Any],
    **options: Unpack[ChildWorkflowOptions],
) -> ChildWorkflowHandle[SelfT, ResultT]: ...


@overload
async def start_child_workflow(
    workflow: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[ChildWorkflowOptions],
) -> ChildWorkflowHandle[Any, Any]: ...


@takes_options
async def start_child_workflow(
    workflow: str | Callable[..., Awaitable[Any]],
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ChildWorkflowOptions],
) -> ChildWorkflowHandle[Any, Any]:
    """Starts a child and returns when it has started.

    Raises:
        WorkflowAlreadyStartedError: the ID is in use on that queue, or may not be used again.
        ChildWorkflowError: it was cancelled before it started, or its queue does not exist.
        asyncio.CancelledError: the workflow was cancelled before the child had started, or as it did. The child is then
            cancelled as its cancellation type says.
    """
    return await start_child(workflow, arguments_of(arg, args), {**options})


@overload
async def execute_child_workflow(
    workflow: Callable[[SelfT], Awaitable[ResultT]],
    **options: Unpack[ChildWorkflowOptions],
) -> ResultT: ...


@overload
async def execute_child_workflow(
    workflow: Callable[[SelfT, ArgT], Awaitable[ResultT]],
    arg: ArgT,
    **options: Unpack[ChildWorkflowOptions],
) -> ResultT: ...


@overload
async def execute_child_workflow(
    workflow: Callable[Concatenate[SelfT, Params], Awaitable[ResultT]],
    *,
    args: Sequence[Any],
    **options: Unpack[ChildWorkflowOptions],
) -> ResultT: ...


@overload
async def execute_child_workflow(
    workflow: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[ChildWorkflowOptions],
) -> Any: ...


@takes_options
async def execute_child_workflow(
    workflow: str | Callable[..., Awaitable[Any]],
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ChildWorkflowOptions],
) -> Any:
    """The result of a child.

    Raises:
        ChildWorkflowError: it ended without one; ``cause`` is why (ApplicationError, CancelledError, TerminatedError,
            TimeoutError).
        WorkflowAlreadyStartedError: as `start_child_workflow`.
    """
    return await (await start_child(workflow, arguments_of(arg, args), {**options}))


async def start_child(
    workflow: str | Callable[..., Any], arguments: Sequence[Any], options: Mapping[str, Any]
) -> ChildWorkflowHandle[Any, Any]:
    instance = current()
    instance.refuse_changes()
    workflow_type, hint, arg_types = type_of(workflow)
    given = input_of(
        workflow_type,
        options.get("id") or str(uuid4()),
        arguments,
        options,
        arg_types=arg_types,
        ret_type=options.get("result_type") or hint,
    )
    first = outbound()
    if first is not None:
        intercepted: ChildWorkflowHandle[Any, Any] = await first.start_child_workflow(given)
        return intercepted
    return await start_given(given)


async def start_given(given: StartChildWorkflowInput) -> ChildWorkflowHandle[Any, Any]:
    """Starts what the last interceptor passed on."""
    instance = current()
    values = instance.values.of_workflow(instance.facts, given.id)
    return await start_requested(request_of(given, values), values, given.ret_type)


async def start_requested(
    request: ChildRequest, values: Values, result_type: Any
) -> ChildWorkflowHandle[Any, Any]:
    instance = current()
    machine = begin_child(instance, request, values, result_type, handle_class=ChildWorkflowHandle)
    try:
        await machine.start
    except asyncio.CancelledError:
        machine.leave()
        raise
    handle = cast("ChildWorkflowHandle[Any, Any]", machine.handle)
    targets_of(instance)[handle.id] = handle.target
    return handle

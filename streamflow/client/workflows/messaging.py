"""Signals to a workflow and queries of it: methods of `WorkflowHandle`. The work is `root.workflows`'s."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, overload

from streamflow.client.calls import naming
from streamflow.client.calls.start import NO_METADATA
from streamflow.client.calls.values import NOT_GIVEN, arguments
from streamflow.client.inputs import QueryWorkflowInput, SignalWorkflowInput
from streamflow.common import QueryRejectCondition
from streamflow.model.payload import NO_HEADERS

if TYPE_CHECKING:
    from streamflow.client.workflows.handle import WorkflowHandle

SelfT = TypeVar("SelfT")
ArgT = TypeVar("ArgT")
# What a query answers, which has nothing to do with what the workflow returns.
AnswerT = TypeVar("AnswerT")


@overload
async def signal(
    self: WorkflowHandle[SelfT, Any],
    signal: Callable[[SelfT], Awaitable[None] | None],
    *,
    rpc_metadata: Mapping[str, str | bytes] = ...,
    rpc_timeout: timedelta | None = ...,
) -> None: ...


@overload
async def signal(
    self: WorkflowHandle[SelfT, Any],
    signal: Callable[[SelfT, ArgT], Awaitable[None] | None],
    arg: ArgT,
    *,
    rpc_metadata: Mapping[str, str | bytes] = ...,
    rpc_timeout: timedelta | None = ...,
) -> None: ...


@overload
async def signal(
    self: WorkflowHandle[Any, Any],
    signal: str | Callable[..., Awaitable[None] | None],
    *,
    args: Sequence[Any],
    rpc_metadata: Mapping[str, str | bytes] = ...,
    rpc_timeout: timedelta | None = ...,
) -> None: ...


@overload
async def signal(
    self: WorkflowHandle[Any, Any],
    signal: str,
    arg: Any = ...,
    *,
    rpc_metadata: Mapping[str, str | bytes] = ...,
    rpc_timeout: timedelta | None = ...,
) -> None: ...


async def signal(
    self: WorkflowHandle[Any, Any],
    signal: str | Callable[..., Any],
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
    rpc_timeout: timedelta | None = None,
) -> None:
    """Delivered once it returns, and never lost. The workflow need not be running its code at the time.

    Raises:
        RPCError: NOT_FOUND when there is no such workflow, or it is closed.
    """
    address = self.address
    await address.client.outbound.signal_workflow(
        SignalWorkflowInput(
            id=self.id,
            run_id=self.run_id,
            signal=naming.signal_name(signal),
            args=arguments(arg, args),
            headers=NO_HEADERS,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
            task_queue=address.queue or None,
        )
    )


@overload
async def query(
    self: WorkflowHandle[SelfT, Any],
    query: Callable[[SelfT], AnswerT],
    *,
    reject_condition: QueryRejectCondition | None = ...,
    rpc_metadata: Mapping[str, str | bytes] = ...,
    rpc_timeout: timedelta | None = ...,
) -> AnswerT: ...


@overload
async def query(
    self: WorkflowHandle[SelfT, Any],
    query: Callable[[SelfT, ArgT], AnswerT],
    arg: ArgT,
    *,
    reject_condition: QueryRejectCondition | None = ...,
    rpc_metadata: Mapping[str, str | bytes] = ...,
    rpc_timeout: timedelta | None = ...,
) -> AnswerT: ...


@overload
async def query(
    self: WorkflowHandle[Any, Any],
    query: Callable[..., AnswerT],
    *,
    args: Sequence[Any],
    reject_condition: QueryRejectCondition | None = ...,
    rpc_metadata: Mapping[str, str | bytes] = ...,
    rpc_timeout: timedelta | None = ...,
) -> AnswerT: ...


@overload
async def query(
    self: WorkflowHandle[Any, Any],
    query: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type[AnswerT],
    reject_condition: QueryRejectCondition | None = ...,
    rpc_metadata: Mapping[str, str | bytes] = ...,
    rpc_timeout: timedelta | None = ...,
) -> AnswerT: ...


@overload
async def query(
    self: WorkflowHandle[Any, Any],
    query: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: None = ...,
    reject_condition: QueryRejectCondition | None = ...,
    rpc_metadata: Mapping[str, str | bytes] = ...,
    rpc_timeout: timedelta | None = ...,
) -> Any: ...


async def query(
    self: WorkflowHandle[Any, Any],
    query: str | Callable[..., Any],
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    result_type: type | None = None,
    reject_condition: QueryRejectCondition | None = None,
    rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
    rpc_timeout: timedelta | None = None,
) -> Any:
    """The answer of the workflow's code, which has seen every signal that was sent before.

    Closed runs answer too, as long as they are retained and a worker is up.

    Raises:
        WorkflowQueryFailedError: the query's code raised, or there is no such query.
        WorkflowQueryRejectedError: the run's status is one that ``reject_condition`` excludes.
    """
    name, hint = naming.query_name(query)
    address = self.address
    return await address.client.outbound.query_workflow(
        QueryWorkflowInput(
            id=self.id,
            run_id=self.run_id,
            query=name,
            args=arguments(arg, args),
            reject_condition=reject_condition,
            headers=NO_HEADERS,
            ret_type=result_type or hint,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
            task_queue=address.queue or None,
        )
    )

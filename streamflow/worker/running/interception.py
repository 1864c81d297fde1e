"""Puts a worker's interceptors around attempts and runs, and says which interceptors those are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from streamflow.worker.interceptor import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    WorkflowInterceptorClassInput,
)
from streamflow.workflow.interception import interception

if TYPE_CHECKING:
    from streamflow.activity import Info
    from streamflow.activity.context import Context
    from streamflow.coroutine.interception import Intercept

Call = Callable[[Callable[..., Any], Sequence[Any]], Awaitable[Any]]
"""Runs a function with its arguments where it belongs: on the loop, or in a thread."""


def workflow_intercept(interceptors: Sequence[Interceptor]) -> Intercept | None:
    """What a processor puts around the code of its runs; ``None`` when nobody wants to."""
    functions: dict[str, Callable[..., Any]] = {}
    asked = [
        interceptor.workflow_interceptor_class(WorkflowInterceptorClassInput(functions))
        for interceptor in interceptors
    ]
    classes = [cls for cls in asked if cls is not None]
    return interception(classes, functions) if classes or functions else None


def with_inherited(given: Sequence[Interceptor], of_client: Sequence[object]) -> list[Interceptor]:
    """The client's interceptors that are for workers too, outside of the worker's own."""
    return [i for i in of_client if isinstance(i, Interceptor)] + list(given)


async def run_intercepted(
    interceptors: Sequence[Interceptor], context: Context, input: ExecuteActivityInput, call: Call
) -> Any:
    """The result of an attempt that goes through these interceptors, the first outermost."""
    inbound: ActivityInboundInterceptor = _Innermost(context, call)
    for interceptor in reversed(interceptors):
        inbound = interceptor.intercept_activity(inbound)
    inbound.init(_Outermost(context))
    return await inbound.execute_activity(input)


class _Innermost(ActivityInboundInterceptor):
    """Runs the activity."""

    def __init__(self, context: Context, call: Call) -> None:
        self._context = context
        self._call = call

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        self._context.redirect(
            info=outbound.info, heartbeat=lambda details: outbound.heartbeat(*details)
        )

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        return await self._call(input.fn, input.args)


class _Outermost(ActivityOutboundInterceptor):
    """What the context did before anything was put in its way."""

    def __init__(self, context: Context) -> None:
        self._info = context.info
        self._heartbeat = context.heartbeat

    def info(self) -> Info:
        return self._info

    def heartbeat(self, *details: Any) -> None:
        self._heartbeat(details)

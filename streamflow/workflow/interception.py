"""The chain of interceptors of one run, and its two ends: the code on the inside, the run on the outside."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from streamflow.coroutine.context import current
from streamflow.coroutine.interception import Headers, Intercept
from streamflow.workflow.inputs import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    StartNexusOperationInput,
)
from streamflow.workflow.interceptor import (
    WorkflowInboundInterceptor,
    WorkflowOutboundInterceptor,
)

if TYPE_CHECKING:
    from streamflow.coroutine.handlers import Handler
    from streamflow.coroutine.instance import Instance
    from streamflow.coroutine.machines.activity import ActivityHandle
    from streamflow.workflow.info import Info

ExternFunctions = Mapping[str, Callable[..., Any]]
NO_FUNCTIONS: ExternFunctions = {}


def interception(
    classes: Sequence[type[WorkflowInboundInterceptor]], extern_functions: ExternFunctions
) -> Intercept:
    """Makes chains of these classes, the first outermost."""

    def intercept(instance: Instance) -> RunInterception:
        return RunInterception(instance, classes, extern_functions)

    return intercept


def outbound() -> WorkflowOutboundInterceptor | None:
    """The first outbound interceptor of the running workflow; ``None`` when nothing intercepts it."""
    found = current().interception
    return found.outbound if isinstance(found, RunInterception) else None


class RunInterception:
    """Implements `streamflow.coroutine.interception.Interception`."""

    def __init__(
        self,
        instance: Instance,
        classes: Sequence[type[WorkflowInboundInterceptor]],
        extern_functions: ExternFunctions,
    ) -> None:
        self.extern_functions = extern_functions
        self._type = instance.definition.cls
        inner = _Innermost(instance)
        inbound: WorkflowInboundInterceptor = inner
        for cls in reversed(classes):
            inbound = cls(inbound)
        self._inbound = inbound
        self.outbound: WorkflowOutboundInterceptor = _Outermost()
        # From here on the code may ask: interceptors themselves do, while they are set up.
        instance.interception = self
        inbound.init(self.outbound)
        self.outbound = inner.outbound

    def execute(
        self, run: Callable[..., Awaitable[Any]], args: Sequence[Any], headers: Headers
    ) -> Awaitable[Any]:
        return self._inbound.execute_workflow(ExecuteWorkflowInput(self._type, run, args, headers))

    def signal(self, name: str, args: Sequence[Any], headers: Headers) -> Awaitable[None]:
        return self._inbound.handle_signal(HandleSignalInput(name, args, headers))

    def query(self, id: str, name: str, args: Sequence[Any], headers: Headers) -> Awaitable[Any]:
        return self._inbound.handle_query(HandleQueryInput(id, name, args, headers))

    def validate(self, id: str, name: str, args: Sequence[Any], headers: Headers) -> None:
        self._inbound.handle_update_validator(HandleUpdateInput(id, name, args, headers))

    def update(self, id: str, name: str, args: Sequence[Any], headers: Headers) -> Awaitable[Any]:
        return self._inbound.handle_update_handler(HandleUpdateInput(id, name, args, headers))


class _Innermost(WorkflowInboundInterceptor):
    """Calls the code. Handlers are looked up by the name that the interceptors pass on."""

    outbound: WorkflowOutboundInterceptor

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        self.outbound = outbound

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        return await input.run_fn(self._instance.workflow, *input.args)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        await _called(self._instance.messages.signals.find(input.signal), input.args)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        return await _called(self._instance.messages.queries.find(input.query), input.args)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        handler = self._instance.updates.handlers.find(input.update)
        if handler is not None and handler.validator is not None:
            handler.validator(*input.args)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        return await _called(self._instance.updates.handlers.find(input.update), input.args)


async def _called(handler: Handler | None, args: Sequence[Any]) -> Any:
    assert handler is not None, "a message without a handler does not come this far"
    result = handler.function(*args)
    return await result if inspect.isawaitable(result) else result


class _Outermost(WorkflowOutboundInterceptor):
    """Asks the run for what the code wants."""

    def __init__(self) -> None:
        pass

    def info(self) -> Info:
        from streamflow.workflow.info import own_info

        return own_info()

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        from streamflow.workflow.continuation import continue_with

        continue_with(input)

    def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        from streamflow.workflow.activity_options import begin_intercepted

        return begin_intercepted(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> ActivityHandle[Any]:
        from streamflow.workflow.activity_options import begin_intercepted

        return begin_intercepted(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> Any:
        from streamflow.workflow.children import start_given

        return await start_given(input)

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        from streamflow.workflow.external import signal_given_child

        await signal_given_child(input)

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        from streamflow.workflow.external import signal_given

        await signal_given(input)

    async def start_nexus_operation(self, input: StartNexusOperationInput) -> Any:
        raise NotImplementedError(
            "Nexus has no counterpart in streamflow: start a child workflow on the other team's task queue"
        )

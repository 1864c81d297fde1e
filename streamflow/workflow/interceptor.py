"""Interceptors of workflow code: inbound, between a run's inputs and the code; outbound, for what the code asks for.

    input --> first inbound --> ... --> the code --> first outbound --> ... --> the run

They run inside the workflow, on its loop and under its guards, and again on every replay, so they have to be as
deterministic as the code itself. `streamflow.worker.Interceptor.workflow_interceptor_class` names the class; an inbound
interceptor puts its outbound one in place by overriding `WorkflowInboundInterceptor.init`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from streamflow import workflow
    from streamflow.workflow import inputs


class WorkflowInboundInterceptor:
    """One object for each run. Passes everything on; override what is to be seen, changed or refused."""

    def __init__(self, next: WorkflowInboundInterceptor) -> None:
        self.next = next

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        """Called once, before the workflow's object is made; pass an outbound interceptor of one's own on to the next."""
        self.next.init(outbound)

    async def execute_workflow(self, input: inputs.ExecuteWorkflowInput) -> Any:
        return await self.next.execute_workflow(input)

    async def handle_signal(self, input: inputs.HandleSignalInput) -> None:
        await self.next.handle_signal(input)

    async def handle_query(self, input: inputs.HandleQueryInput) -> Any:
        return await self.next.handle_query(input)

    def handle_update_validator(self, input: inputs.HandleUpdateInput) -> None:
        self.next.handle_update_validator(input)

    async def handle_update_handler(self, input: inputs.HandleUpdateInput) -> Any:
        return await self.next.handle_update_handler(input)


class WorkflowOutboundInterceptor:
    """Passes what the code asks for on; override what is to be seen, changed or refused."""

    def __init__(self, next: WorkflowOutboundInterceptor) -> None:
        self.next = next

    def continue_as_new(self, input: inputs.ContinueAsNewInput) -> NoReturn:
        self.next.continue_as_new(input)

    def info(self) -> workflow.Info:
        return self.next.info()

    async def signal_child_workflow(self, input: inputs.SignalChildWorkflowInput) -> None:
        await self.next.signal_child_workflow(input)

    async def signal_external_workflow(self, input: inputs.SignalExternalWorkflowInput) -> None:
        await self.next.signal_external_workflow(input)

    def start_activity(self, input: inputs.StartActivityInput) -> workflow.ActivityHandle[Any]:
        return self.next.start_activity(input)

    async def start_child_workflow(self, input: inputs.StartChildWorkflowInput) -> Any:
        return await self.next.start_child_workflow(input)

    def start_local_activity(
        self, input: inputs.StartLocalActivityInput
    ) -> workflow.ActivityHandle[Any]:
        return self.next.start_local_activity(input)

    async def start_nexus_operation(self, input: inputs.StartNexusOperationInput) -> Any:
        return await self.next.start_nexus_operation(input)

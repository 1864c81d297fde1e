"""Interceptors of a client's calls: each is given the next one and passes calls on, changed or not.

    Client, WorkflowHandle, ... --> first interceptor --> ... --> last interceptor --> `root.Root`, which does the work

An interceptor that is a `streamflow.worker.Interceptor` too is also used by the Workers of its client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streamflow.client import inputs

if TYPE_CHECKING:
    from streamflow.client.history.events import WorkflowHistoryEventAsyncIterator
    from streamflow.client.workflows.execution import WorkflowExecutionDescription
    from streamflow.client.workflows.handle import WorkflowHandle
    from streamflow.client.workflows.listing import (
        WorkflowExecutionAsyncIterator,
        WorkflowExecutionCount,
    )


class Interceptor:
    """Stands between callers and the log. Give it to `Client.connect(interceptors=[...])`; the first is outermost."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        """What calls go through: usually an `OutboundInterceptor` made with ``next``. Default: ``next`` itself."""
        return next


class OutboundInterceptor:
    """Passes every call on to the next one; override those to look at, change, refuse or answer."""

    def __init__(self, next: OutboundInterceptor) -> None:
        self.next = next

    # -- workflows ----------------------------------------------------------------------------------------------

    async def start_workflow(self, input: inputs.StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        return await self.next.start_workflow(input)

    async def cancel_workflow(self, input: inputs.CancelWorkflowInput) -> None:
        await self.next.cancel_workflow(input)

    async def describe_workflow(
        self, input: inputs.DescribeWorkflowInput
    ) -> WorkflowExecutionDescription:
        return await self.next.describe_workflow(input)

    def fetch_workflow_history_events(
        self, input: inputs.FetchWorkflowHistoryEventsInput
    ) -> WorkflowHistoryEventAsyncIterator:
        return self.next.fetch_workflow_history_events(input)

    def list_workflows(self, input: inputs.ListWorkflowsInput) -> WorkflowExecutionAsyncIterator:
        return self.next.list_workflows(input)

    async def count_workflows(self, input: inputs.CountWorkflowsInput) -> WorkflowExecutionCount:
        return await self.next.count_workflows(input)

    async def query_workflow(self, input: inputs.QueryWorkflowInput) -> Any:
        return await self.next.query_workflow(input)

    async def signal_workflow(self, input: inputs.SignalWorkflowInput) -> None:
        await self.next.signal_workflow(input)

    async def terminate_workflow(self, input: inputs.TerminateWorkflowInput) -> None:
        await self.next.terminate_workflow(input)

    # -- activities that clients start --------------------------------------------------------------------------

    async def start_activity(self, input: inputs.StartActivityInput) -> Any:
        return await self.next.start_activity(input)

    async def cancel_activity(self, input: inputs.CancelActivityInput) -> None:
        await self.next.cancel_activity(input)

    async def terminate_activity(self, input: inputs.TerminateActivityInput) -> None:
        await self.next.terminate_activity(input)

    async def pause_activity(self, input: inputs.PauseActivityInput) -> None:
        await self.next.pause_activity(input)

    async def unpause_activity(self, input: inputs.UnpauseActivityInput) -> None:
        await self.next.unpause_activity(input)

    async def reset_activity(self, input: inputs.ResetActivityInput) -> None:
        await self.next.reset_activity(input)

    async def update_activity_options(self, input: inputs.UpdateActivityOptionsInput) -> Any:
        return await self.next.update_activity_options(input)

    async def describe_activity(self, input: inputs.DescribeActivityInput) -> Any:
        return await self.next.describe_activity(input)

    def list_activities(self, input: inputs.ListActivitiesInput) -> Any:
        return self.next.list_activities(input)

    async def count_activities(self, input: inputs.CountActivitiesInput) -> Any:
        return await self.next.count_activities(input)

    # -- updates ------------------------------------------------------------------------------------------------

    async def start_workflow_update(self, input: inputs.StartWorkflowUpdateInput) -> Any:
        return await self.next.start_workflow_update(input)

    async def start_update_with_start_workflow(
        self, input: inputs.StartWorkflowUpdateWithStartInput
    ) -> Any:
        return await self.next.start_update_with_start_workflow(input)

    # -- activities that are completed from outside -------------------------------------------------------------

    async def heartbeat_async_activity(self, input: inputs.HeartbeatAsyncActivityInput) -> None:
        await self.next.heartbeat_async_activity(input)

    async def complete_async_activity(self, input: inputs.CompleteAsyncActivityInput) -> None:
        await self.next.complete_async_activity(input)

    async def fail_async_activity(self, input: inputs.FailAsyncActivityInput) -> None:
        await self.next.fail_async_activity(input)

    async def report_cancellation_async_activity(
        self, input: inputs.ReportCancellationAsyncActivityInput
    ) -> None:
        await self.next.report_cancellation_async_activity(input)

    # -- schedules ----------------------------------------------------------------------------------------------

    async def create_schedule(self, input: inputs.CreateScheduleInput) -> Any:
        return await self.next.create_schedule(input)

    def list_schedules(self, input: inputs.ListSchedulesInput) -> Any:
        return self.next.list_schedules(input)

    async def backfill_schedule(self, input: inputs.BackfillScheduleInput) -> None:
        await self.next.backfill_schedule(input)

    async def delete_schedule(self, input: inputs.DeleteScheduleInput) -> None:
        await self.next.delete_schedule(input)

    async def describe_schedule(self, input: inputs.DescribeScheduleInput) -> Any:
        return await self.next.describe_schedule(input)

    async def pause_schedule(self, input: inputs.PauseScheduleInput) -> None:
        await self.next.pause_schedule(input)

    async def trigger_schedule(self, input: inputs.TriggerScheduleInput) -> None:
        await self.next.trigger_schedule(input)

    async def unpause_schedule(self, input: inputs.UnpauseScheduleInput) -> None:
        await self.next.unpause_schedule(input)

    async def update_schedule(self, input: inputs.UpdateScheduleInput) -> None:
        await self.next.update_schedule(input)

    # -- build-ID sets and Nexus, which have no counterpart here ------------------------------------------------

    async def update_worker_build_id_compatibility(
        self, input: inputs.UpdateWorkerBuildIdCompatibilityInput
    ) -> None:
        await self.next.update_worker_build_id_compatibility(input)

    async def get_worker_build_id_compatibility(
        self, input: inputs.GetWorkerBuildIdCompatibilityInput
    ) -> Any:
        return await self.next.get_worker_build_id_compatibility(input)

    async def get_worker_task_reachability(
        self, input: inputs.GetWorkerTaskReachabilityInput
    ) -> Any:
        return await self.next.get_worker_task_reachability(input)

    async def start_nexus_operation(self, input: inputs.StartNexusOperationInput) -> Any:
        return await self.next.start_nexus_operation(input)

    async def describe_nexus_operation(self, input: inputs.DescribeNexusOperationInput) -> Any:
        return await self.next.describe_nexus_operation(input)

    async def get_nexus_operation_result(self, input: inputs.GetNexusOperationResultInput) -> Any:
        return await self.next.get_nexus_operation_result(input)

    async def cancel_nexus_operation(self, input: inputs.CancelNexusOperationInput) -> None:
        await self.next.cancel_nexus_operation(input)

    async def terminate_nexus_operation(self, input: inputs.TerminateNexusOperationInput) -> None:
        await self.next.terminate_nexus_operation(input)

    def list_nexus_operations(self, input: inputs.ListNexusOperationsInput) -> Any:
        return self.next.list_nexus_operations(input)

    async def count_nexus_operations(self, input: inputs.CountNexusOperationsInput) -> Any:
        return await self.next.count_nexus_operations(input)

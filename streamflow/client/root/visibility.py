"""Calls that look for workflows."""

from __future__ import annotations

from streamflow.client.activities.listing import about_workflows
from streamflow.client.calls.address import seconds
from streamflow.client.inputs import CountWorkflowsInput, ListWorkflowsInput
from streamflow.client.root.calls import Calls
from streamflow.client.workflows.listing import (
    WorkflowExecutionAsyncIterator,
    WorkflowExecutionCount,
    counted,
)


class VisibilityCalls(Calls):
    def list_workflows(self, input: ListWorkflowsInput) -> WorkflowExecutionAsyncIterator:
        return WorkflowExecutionAsyncIterator(self._client, input)

    async def count_workflows(self, input: CountWorkflowsInput) -> WorkflowExecutionCount:
        found = await self._client.transport.count_executions(
            about_workflows(input.query or ""), deadline_s=seconds(input.rpc_timeout)
        )
        return counted(found)

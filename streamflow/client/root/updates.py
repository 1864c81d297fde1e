"""Calls about updates."""

from __future__ import annotations

from typing import Any

from streamflow.client.errors import NotYetError
from streamflow.client.inputs import StartWorkflowUpdateInput, StartWorkflowUpdateWithStartInput
from streamflow.client.root.calls import Calls


class UpdateCalls(Calls):
    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> Any:
        raise NotYetError("WorkflowHandle.start_update")

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> Any:
        raise NotYetError("Client.start_update_with_start_workflow")

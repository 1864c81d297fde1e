"""Calls that look for workflows."""

from __future__ import annotations

from typing import Any

from streamflow.client.errors import NotYetError
from streamflow.client.inputs import CountWorkflowsInput, ListWorkflowsInput
from streamflow.client.root.calls import Calls


class VisibilityCalls(Calls):
    def list_workflows(self, input: ListWorkflowsInput) -> Any:
        raise NotYetError("Client.list_workflows")

    async def count_workflows(self, input: CountWorkflowsInput) -> Any:
        raise NotYetError("Client.count_workflows")

"""What a run knows of itself from its start on."""

from __future__ import annotations

import msgspec

from streamflow.model.events import WorkflowStarted
from streamflow.model.ids import QueueName, RunId, WorkflowId


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    namespace: str
    queue: QueueName | str
    workflow_id: WorkflowId
    run_id: RunId
    started: WorkflowStarted
    start_ms: int
    """When the run's first event was recorded."""

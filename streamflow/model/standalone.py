"""Names of the activities that clients start: each is a run of one built-in workflow, on a queue of the namespace's own."""

from __future__ import annotations

from typing import Final

from streamflow.model.ids import WorkflowId

QUEUE: Final = "streamflow-activities"
"""Its processors are the namespace's activity workers, all with the same one workflow."""

WORKFLOW_TYPE: Final = "streamflow.StandaloneActivity"

_PREFIX: Final = "activity/"
"""No workflow of a user's has such an ID on that queue: nobody else starts any there."""


def workflow_id_of(activity_id: str) -> WorkflowId:
    return WorkflowId(_PREFIX + activity_id)


def activity_id_of(workflow_id: str) -> str:
    return workflow_id.removeprefix(_PREFIX)

"""A run's history in the user's hands."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from streamflow.client import history_file
from streamflow.model.events import Closed, History, Recorded
from streamflow.model.ids import RunId, WorkflowId


class WorkflowHistoryEventFilterType(IntEnum):
    """Which events to fetch: all, or only the one that closed the run."""

    ALL_EVENT = 1
    CLOSE_EVENT = 2


@dataclass(frozen=True)
class WorkflowHistory:
    """A run's events from the first. `to_json` is what `streamflow replay` and a Replayer read."""

    workflow_id: str
    events: Sequence[Recorded]
    run_id: str = ""

    @staticmethod
    def from_json(
        workflow_id: str | None, history: str | bytes | Mapping[str, Any]
    ) -> WorkflowHistory:
        """Reads what `to_json` or `streamflow workflow history` wrote; ``None`` takes the ID that is in it.

        A history that Temporal's tools exported is mapped onto our events, where it can be (see `temporal_history`).

        Raises:
            HistoryFileError (a ValueError): this is no history that this release can read.
        """
        facts = history_file.from_json_of_any(workflow_id, history)
        return WorkflowHistory(workflow_id or facts.workflow_id, facts.events, facts.run_id)

    def to_json(self) -> str:
        return json.dumps(self.to_json_dict(), indent=2)

    def to_json_dict(self) -> dict[str, Any]:
        return history_file.to_json_dict(self.to_model())

    def to_model(self) -> History:
        return History(
            workflow_id=WorkflowId(self.workflow_id),
            run_id=RunId(self.run_id),
            events=tuple(self.events),
        )


def closes(recorded: Recorded) -> bool:
    """Whether this event ended the run."""
    return isinstance(recorded.event, Closed)

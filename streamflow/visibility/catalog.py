"""The names that a list filter may use: the engine's own, and the search attributes of users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from streamflow.common import SearchAttributeIndexedValueType
from streamflow.model.options import Status
from streamflow.visibility.errors import FilterError, nearest
from streamflow.visibility.syntax import Name


class Kind(Enum):
    """What values of an attribute are, which decides how they compare."""

    KEYWORD = "Keyword"
    TEXT = "Text"
    INT = "Int"
    DOUBLE = "Double"
    BOOL = "Bool"
    DATETIME = "Datetime"
    KEYWORD_LIST = "KeywordList"
    STATUS = "Status"
    DURATION = "Duration"
    """Compared in milliseconds."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A name with its meaning. ``column`` is where the engine's own are kept; ``None`` for a user's attribute."""

    name: str
    kind: Kind
    column: str | None = None


_BUILT_IN: Final = (
    Attribute("WorkflowId", Kind.KEYWORD, "workflow_id"),
    Attribute("RunId", Kind.KEYWORD, "run_id"),
    Attribute("FirstRunId", Kind.KEYWORD, "first_run_id"),
    Attribute("WorkflowType", Kind.KEYWORD, "workflow_type"),
    Attribute("TaskQueue", Kind.KEYWORD, "queue"),
    Attribute("ExecutionStatus", Kind.STATUS, "status"),
    Attribute("StartTime", Kind.DATETIME, "started_ms"),
    Attribute("ExecutionTime", Kind.DATETIME, "execution_ms"),
    Attribute("CloseTime", Kind.DATETIME, "closed_ms"),
    Attribute("UpdateTime", Kind.DATETIME, "updated_ms"),
    Attribute("ExecutionDuration", Kind.DURATION, "duration_ms"),
    Attribute("HistoryLength", Kind.INT, "history_length"),
    Attribute("HistorySizeBytes", Kind.INT, "history_bytes"),
    Attribute("ParentWorkflowId", Kind.KEYWORD, "parent_workflow_id"),
    Attribute("ParentRunId", Kind.KEYWORD, "parent_run_id"),
    Attribute("RootWorkflowId", Kind.KEYWORD, "root_workflow_id"),
    Attribute("RootRunId", Kind.KEYWORD, "root_run_id"),
    Attribute("CurrentStep", Kind.KEYWORD, "current_step"),
    Attribute("PendingActivities", Kind.INT, "pending_activities"),
    Attribute("MaxAttempt", Kind.INT, "max_attempt"),
    Attribute("NextRetryTime", Kind.DATETIME, "next_retry_ms"),
    Attribute("LastFailure", Kind.KEYWORD, "last_failure"),
    Attribute("Trouble", Kind.KEYWORD, "trouble"),
    Attribute("TemporalChangeVersion", Kind.KEYWORD_LIST),
    Attribute("TemporalScheduledById", Kind.KEYWORD),
    Attribute("TemporalScheduledStartTime", Kind.DATETIME),
    Attribute("TemporalSchedulePaused", Kind.BOOL),
)
BUILT_IN: Final = {attribute.name: attribute for attribute in _BUILT_IN}

STATUS_NAMES: Final = {
    Status.RUNNING: "Running",
    Status.COMPLETED: "Completed",
    Status.FAILED: "Failed",
    Status.CANCELED: "Canceled",
    Status.TERMINATED: "Terminated",
    Status.CONTINUED_AS_NEW: "ContinuedAsNew",
    Status.TIMED_OUT: "TimedOut",
}
"""Statuses as filters write them, in the order of their numbers, which begin with 1."""


@dataclass(frozen=True)
class Catalog:
    """Every name there is in a namespace: the engine's own, and users' with their types."""

    users: Mapping[str, SearchAttributeIndexedValueType] = field(
        default_factory=dict[str, SearchAttributeIndexedValueType]
    )

    def find(self, name: Name) -> Attribute:
        """The attribute of this name. Raises `FilterError` with the nearest one."""
        own = BUILT_IN.get(name.text)
        if own is not None:
            return own
        kind = self.users.get(name.text)
        if kind is None:
            known = [*BUILT_IN, *self.users]
            raise FilterError(
                f"Expected a search attribute, found {name.text!r}{nearest(name.text, known)}",
                name.at,
            )
        return Attribute(name.text, Kind(kind.type_name))

"""Enums under the names that programs import them by; members are numbers."""

from __future__ import annotations

from typing import Any

from streamflow.api.enums.v1.causes import (
    ActivityTaskFailedCause,
    ContinueAsNewVersioningBehavior,
    SignalExternalWorkflowExecutionFailedCause,
    StartChildWorkflowExecutionFailedCause,
    UpdateAdmittedEventOrigin,
)
from streamflow.api.enums.v1.events import (
    CommandType,
    EventType,
    WorkflowTaskFailedCause,
)
from streamflow.api.enums.v1.kinds import (
    ActivityExecutionStatus,
    ApplicationErrorCategory,
    CancelExternalWorkflowExecutionFailedCause,
    ContinueAsNewInitiator,
    EncodingType,
    HistoryEventFilterType,
    IndexedValueType,
    NamespaceState,
    ParentClosePolicy,
    PendingActivityState,
    PendingWorkflowTaskState,
    QueryRejectCondition,
    ResetReapplyExcludeType,
    ResetReapplyType,
    RetryState,
    ScheduleOverlapPolicy,
    TaskQueueKind,
    TaskQueueType,
    TimeoutType,
    UpdateWorkflowExecutionLifecycleStage,
    VersioningBehavior,
    WorkflowExecutionStatus,
    WorkflowIdConflictPolicy,
    WorkflowIdReusePolicy,
)
from streamflow.api.files import also_in

__all__ = [
    "ActivityExecutionStatus",
    "ActivityTaskFailedCause",
    "ApplicationErrorCategory",
    "CancelExternalWorkflowExecutionFailedCause",
    "CommandType",
    "ContinueAsNewInitiator",
    "ContinueAsNewVersioningBehavior",
    "EncodingType",
    "EventType",
    "HistoryEventFilterType",
    "IndexedValueType",
    "NamespaceState",
    "ParentClosePolicy",
    "PendingActivityState",
    "PendingWorkflowTaskState",
    "QueryRejectCondition",
    "ResetReapplyExcludeType",
    "ResetReapplyType",
    "RetryState",
    "ScheduleOverlapPolicy",
    "SignalExternalWorkflowExecutionFailedCause",
    "StartChildWorkflowExecutionFailedCause",
    "TaskQueueKind",
    "TaskQueueType",
    "TimeoutType",
    "UpdateAdmittedEventOrigin",
    "UpdateWorkflowExecutionLifecycleStage",
    "VersioningBehavior",
    "WorkflowExecutionStatus",
    "WorkflowIdConflictPolicy",
    "WorkflowIdReusePolicy",
    "WorkflowTaskFailedCause",
]


def __getattr__(name: str) -> Any:
    """A member by its name, as files that a protobuf compiler makes have them beside their enums."""
    for enum in __all__:
        members: dict[str, Any] = getattr(globals()[enum], "__members__", {})
        if name in members:
            return members[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


also_in(
    __name__,
    "command_type_pb2",
    "common_pb2",
    "event_type_pb2",
    "failed_cause_pb2",
    "namespace_pb2",
    "query_pb2",
    "reset_pb2",
    "schedule_pb2",
    "task_queue_pb2",
    "update_pb2",
    "workflow_pb2",
)

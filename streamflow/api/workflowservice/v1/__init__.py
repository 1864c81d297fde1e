"""What `describe` answers, for programs that look into it. Other names are as in `streamflow.api.absent`."""

from __future__ import annotations

from streamflow.api.absent import absent_messages
from streamflow.api.files import also_in
from streamflow.api.message import Message, child, many
from streamflow.api.workflow.v1 import (
    PendingActivityInfo,
    PendingChildExecutionInfo,
    PendingWorkflowTaskInfo,
    WorkflowExecutionConfig,
    WorkflowExecutionExtendedInfo,
    WorkflowExecutionInfo,
)

__all__ = ["DescribeWorkflowExecutionResponse"]

__getattr__ = absent_messages(__name__)


class DescribeWorkflowExecutionResponse(Message):
    """A run with what it waits for."""

    execution_config = child(1, WorkflowExecutionConfig)
    workflow_execution_info = child(2, WorkflowExecutionInfo)
    pending_activities = many(3, PendingActivityInfo)
    pending_children = many(4, PendingChildExecutionInfo)
    pending_workflow_task = child(5, PendingWorkflowTaskInfo)
    workflow_extended_info = child(8, WorkflowExecutionExtendedInfo)


also_in(__name__, "request_response_pb2")

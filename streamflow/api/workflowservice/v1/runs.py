"""Messages about runs: what they are, their histories, and lists of them."""

from __future__ import annotations

from streamflow.api.common.v1 import Payload, Payloads, WorkflowExecution
from streamflow.api.enums.v1 import HistoryEventFilterType, QueryRejectCondition
from streamflow.api.history.v1 import History
from streamflow.api.message import Message, child, field, many
from streamflow.api.message_fields import choice, long
from streamflow.api.query.v1 import QueryRejected, WorkflowQuery
from streamflow.api.workflow.v1 import (
    PendingActivityInfo,
    PendingChildExecutionInfo,
    PendingWorkflowTaskInfo,
    WorkflowExecutionConfig,
    WorkflowExecutionExtendedInfo,
    WorkflowExecutionInfo,
)


class DescribeWorkflowExecutionRequest(Message):
    namespace = field(1, "")
    execution = child(2, WorkflowExecution)


class DescribeWorkflowExecutionResponse(Message):
    """A run with what it waits for."""

    execution_config = child(1, WorkflowExecutionConfig)
    workflow_execution_info = child(2, WorkflowExecutionInfo)
    pending_activities = many(3, PendingActivityInfo)
    pending_children = many(4, PendingChildExecutionInfo)
    pending_workflow_task = child(5, PendingWorkflowTaskInfo)
    workflow_extended_info = child(8, WorkflowExecutionExtendedInfo)


class GetWorkflowExecutionHistoryRequest(Message):
    namespace = field(1, "")
    execution = child(2, WorkflowExecution)
    maximum_page_size = field(3, 0)
    next_page_token = field(4, b"")
    wait_new_event = field(5, False)
    history_event_filter_type = choice(6, HistoryEventFilterType)
    skip_archival = field(7, False)


class GetWorkflowExecutionHistoryResponse(Message):
    history = child(1, History)
    next_page_token = field(3, b"")
    archived = field(4, False)


class ListWorkflowExecutionsRequest(Message):
    namespace = field(1, "")
    page_size = field(2, 0)
    next_page_token = field(3, b"")
    query = field(4, "")


class ListWorkflowExecutionsResponse(Message):
    executions = many(1, WorkflowExecutionInfo)
    next_page_token = field(2, b"")


class CountWorkflowExecutionsRequest(Message):
    namespace = field(1, "")
    query = field(2, "")


class _AggregationGroup(Message):
    """How many runs have these values of the attributes grouped by."""

    group_values = many(1, Payload)
    count = long(2)


class CountWorkflowExecutionsResponse(Message):
    AggregationGroup = _AggregationGroup

    count = long(1)
    groups = many(2, _AggregationGroup)


class QueryWorkflowRequest(Message):
    namespace = field(1, "")
    execution = child(2, WorkflowExecution)
    query = child(3, WorkflowQuery)
    query_reject_condition = choice(4, QueryRejectCondition)


class QueryWorkflowResponse(Message):
    query_result = child(1, Payloads)
    query_rejected = child(2, QueryRejected)

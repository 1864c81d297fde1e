"""The user's way to workflows: start them, await them, signal and query them, look at them.

    Client, handles --inputs--> interceptors --> root --commands--> transport

`client`, `starting` and `handle` are the API. Each call is a value of `inputs` that goes through the `interceptor`s to
`root`, where each group of calls has a module that asks with a command and makes of the answer what users read. `start`,
`values` and `naming` turn what users write into commands, `errors`, `execution` and `history` what comes back into what
they read. `address` is where a workflow's commands go; `transport` how they travel: `log_transport` (with `requests` and
`locate`) over a log, `http_transport` over a gateway.
"""

from __future__ import annotations

from streamflow.client.activity_execution import (
    ActivityExecution,
    ActivityExecutionDescription,
    ActivityExecutionStatus,
    PendingActivityState,
)
from streamflow.client.activity_handle import ActivityHandle
from streamflow.client.async_activity import AsyncActivityHandle, AsyncActivityIDReference
from streamflow.client.client import Client, ClientConfig
from streamflow.client.errors import (
    ActivityFailureError,
    AsyncActivityCancelledError,
    NoCounterpartError,
    NotYetError,
    RPCTimeoutOrCancelledError,
    WorkflowContinuedAsNewError,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from streamflow.client.execution import (
    PendingActivity,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
)
from streamflow.client.handle import WorkflowHandle
from streamflow.client.history import WorkflowHistory, WorkflowHistoryEventFilterType
from streamflow.client.history_events import WorkflowHistoryEventAsyncIterator
from streamflow.client.history_file import HistoryFileError
from streamflow.client.inputs import (
    BackfillScheduleInput,
    CancelActivityInput,
    CancelNexusOperationInput,
    CancelWorkflowInput,
    CompleteAsyncActivityInput,
    CountActivitiesInput,
    CountNexusOperationsInput,
    CountWorkflowsInput,
    CreateScheduleInput,
    DeleteScheduleInput,
    DescribeActivityInput,
    DescribeNexusOperationInput,
    DescribeScheduleInput,
    DescribeWorkflowInput,
    FailAsyncActivityInput,
    FetchWorkflowHistoryEventsInput,
    GetNexusOperationResultInput,
    GetWorkerBuildIdCompatibilityInput,
    GetWorkerTaskReachabilityInput,
    HeartbeatAsyncActivityInput,
    ListActivitiesInput,
    ListNexusOperationsInput,
    ListSchedulesInput,
    ListWorkflowsInput,
    PauseScheduleInput,
    QueryWorkflowInput,
    ReportCancellationAsyncActivityInput,
    SignalWorkflowInput,
    StartActivityInput,
    StartNexusOperationInput,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
    TerminateActivityInput,
    TerminateNexusOperationInput,
    TerminateWorkflowInput,
    TriggerScheduleInput,
    UnpauseScheduleInput,
    UpdateScheduleInput,
    UpdateWithStartStartWorkflowInput,
    UpdateWithStartUpdateWorkflowInput,
    UpdateWorkerBuildIdCompatibilityInput,
)
from streamflow.client.interceptor import Interceptor, OutboundInterceptor
from streamflow.client.listing import (
    WorkflowExecutionAsyncIterator,
    WorkflowExecutionCount,
    WorkflowExecutionCountAggregationGroup,
)
from streamflow.client.plugin import Plugin
from streamflow.client.update_handle import WorkflowUpdateHandle, WorkflowUpdateStage
from streamflow.client.with_start import WithStartWorkflowOperation
from streamflow.exceptions import WorkflowAlreadyStartedError
from streamflow.service import RPCError, RPCStatusCode

__all__ = [
    "ActivityExecution",
    "ActivityExecutionDescription",
    "ActivityExecutionStatus",
    "ActivityFailureError",
    "ActivityHandle",
    "AsyncActivityCancelledError",
    "AsyncActivityHandle",
    "AsyncActivityIDReference",
    "BackfillScheduleInput",
    "CancelActivityInput",
    "CancelNexusOperationInput",
    "CancelWorkflowInput",
    "Client",
    "ClientConfig",
    "CompleteAsyncActivityInput",
    "CountActivitiesInput",
    "CountNexusOperationsInput",
    "CountWorkflowsInput",
    "CreateScheduleInput",
    "DeleteScheduleInput",
    "DescribeActivityInput",
    "DescribeNexusOperationInput",
    "DescribeScheduleInput",
    "DescribeWorkflowInput",
    "FailAsyncActivityInput",
    "FetchWorkflowHistoryEventsInput",
    "GetNexusOperationResultInput",
    "GetWorkerBuildIdCompatibilityInput",
    "GetWorkerTaskReachabilityInput",
    "HeartbeatAsyncActivityInput",
    "HistoryFileError",
    "Interceptor",
    "ListActivitiesInput",
    "ListNexusOperationsInput",
    "ListSchedulesInput",
    "ListWorkflowsInput",
    "NoCounterpartError",
    "NotYetError",
    "OutboundInterceptor",
    "PauseScheduleInput",
    "PendingActivity",
    "PendingActivityState",
    "Plugin",
    "QueryWorkflowInput",
    "RPCError",
    "RPCStatusCode",
    "RPCTimeoutOrCancelledError",
    "ReportCancellationAsyncActivityInput",
    "SignalWorkflowInput",
    "StartActivityInput",
    "StartNexusOperationInput",
    "StartWorkflowInput",
    "StartWorkflowUpdateInput",
    "StartWorkflowUpdateWithStartInput",
    "TerminateActivityInput",
    "TerminateNexusOperationInput",
    "TerminateWorkflowInput",
    "TriggerScheduleInput",
    "UnpauseScheduleInput",
    "UpdateScheduleInput",
    "UpdateWithStartStartWorkflowInput",
    "UpdateWithStartUpdateWorkflowInput",
    "UpdateWorkerBuildIdCompatibilityInput",
    "WithStartWorkflowOperation",
    "WorkflowAlreadyStartedError",
    "WorkflowContinuedAsNewError",
    "WorkflowExecution",
    "WorkflowExecutionAsyncIterator",
    "WorkflowExecutionCount",
    "WorkflowExecutionCountAggregationGroup",
    "WorkflowExecutionDescription",
    "WorkflowExecutionStatus",
    "WorkflowFailureError",
    "WorkflowHandle",
    "WorkflowHistory",
    "WorkflowHistoryEventAsyncIterator",
    "WorkflowHistoryEventFilterType",
    "WorkflowQueryFailedError",
    "WorkflowQueryRejectedError",
    "WorkflowUpdateFailedError",
    "WorkflowUpdateHandle",
    "WorkflowUpdateRPCTimeoutOrCancelledError",
    "WorkflowUpdateStage",
]

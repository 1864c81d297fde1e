"""What interceptors are given: one mutable value for each call of a client.

Fields are what the caller said, defaults filled in; an interceptor may change them before it passes them on. `headers`
travel with the call and are found by the worker's interceptors, and in `workflow.info().headers`.
"""

from __future__ import annotations

from streamflow.client.inputs.activities import (
    CancelActivityInput,
    CompleteAsyncActivityInput,
    CountActivitiesInput,
    DescribeActivityInput,
    FailAsyncActivityInput,
    HeartbeatAsyncActivityInput,
    ListActivitiesInput,
    PauseActivityInput,
    ReportCancellationAsyncActivityInput,
    StartActivityInput,
    TerminateActivityInput,
    UnpauseActivityInput,
)
from streamflow.client.inputs.elsewhere import (
    CancelNexusOperationInput,
    CountNexusOperationsInput,
    DescribeNexusOperationInput,
    GetNexusOperationResultInput,
    GetWorkerBuildIdCompatibilityInput,
    GetWorkerTaskReachabilityInput,
    ListNexusOperationsInput,
    StartNexusOperationInput,
    TerminateNexusOperationInput,
    UpdateWorkerBuildIdCompatibilityInput,
)
from streamflow.client.inputs.schedules import (
    BackfillScheduleInput,
    CreateScheduleInput,
    DeleteScheduleInput,
    DescribeScheduleInput,
    ListSchedulesInput,
    PauseScheduleInput,
    TriggerScheduleInput,
    UnpauseScheduleInput,
    UpdateScheduleInput,
)
from streamflow.client.inputs.updates import (
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
    UpdateWithStartStartWorkflowInput,
    UpdateWithStartUpdateWorkflowInput,
)
from streamflow.client.inputs.workflows import (
    CancelWorkflowInput,
    CountWorkflowsInput,
    DescribeWorkflowInput,
    FetchWorkflowHistoryEventsInput,
    ListWorkflowsInput,
    QueryWorkflowInput,
    SignalWorkflowInput,
    StartWorkflowInput,
    TerminateWorkflowInput,
)

__all__ = [
    "BackfillScheduleInput",
    "CancelActivityInput",
    "CancelNexusOperationInput",
    "CancelWorkflowInput",
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
    "ListActivitiesInput",
    "ListNexusOperationsInput",
    "ListSchedulesInput",
    "ListWorkflowsInput",
    "PauseActivityInput",
    "PauseScheduleInput",
    "QueryWorkflowInput",
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
    "UnpauseActivityInput",
    "UnpauseScheduleInput",
    "UpdateScheduleInput",
    "UpdateWithStartStartWorkflowInput",
    "UpdateWithStartUpdateWorkflowInput",
    "UpdateWorkerBuildIdCompatibilityInput",
]

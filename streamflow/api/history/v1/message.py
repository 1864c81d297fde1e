"""A run's history as a list of events, each with the attributes of its type."""

from __future__ import annotations

from typing import ClassVar

from streamflow.api.enums.v1 import EventType
from streamflow.api.history.v1.nexus import (
    NexusOperationCanceledEventAttributes,
    NexusOperationCancelRequestCompletedEventAttributes,
    NexusOperationCancelRequestedEventAttributes,
    NexusOperationCancelRequestFailedEventAttributes,
    NexusOperationCompletedEventAttributes,
    NexusOperationFailedEventAttributes,
    NexusOperationScheduledEventAttributes,
    NexusOperationStartedEventAttributes,
    NexusOperationTimedOutEventAttributes,
)
from streamflow.api.history.v1.others import (
    ChildWorkflowExecutionCanceledEventAttributes,
    ChildWorkflowExecutionCompletedEventAttributes,
    ChildWorkflowExecutionFailedEventAttributes,
    ChildWorkflowExecutionStartedEventAttributes,
    ChildWorkflowExecutionTerminatedEventAttributes,
    ChildWorkflowExecutionTimedOutEventAttributes,
    ExternalWorkflowExecutionCancelRequestedEventAttributes,
    ExternalWorkflowExecutionSignaledEventAttributes,
    RequestCancelExternalWorkflowExecutionFailedEventAttributes,
    RequestCancelExternalWorkflowExecutionInitiatedEventAttributes,
    SignalExternalWorkflowExecutionFailedEventAttributes,
    SignalExternalWorkflowExecutionInitiatedEventAttributes,
    StartChildWorkflowExecutionFailedEventAttributes,
    StartChildWorkflowExecutionInitiatedEventAttributes,
)
from streamflow.api.history.v1.runs import (
    UpsertWorkflowSearchAttributesEventAttributes,
    WorkflowExecutionCanceledEventAttributes,
    WorkflowExecutionCancelRequestedEventAttributes,
    WorkflowExecutionCompletedEventAttributes,
    WorkflowExecutionContinuedAsNewEventAttributes,
    WorkflowExecutionFailedEventAttributes,
    WorkflowExecutionOptionsUpdatedEventAttributes,
    WorkflowExecutionPausedEventAttributes,
    WorkflowExecutionSignaledEventAttributes,
    WorkflowExecutionStartedEventAttributes,
    WorkflowExecutionTerminatedEventAttributes,
    WorkflowExecutionTimedOutEventAttributes,
    WorkflowExecutionTimeSkippingTransitionedEventAttributes,
    WorkflowExecutionUnpausedEventAttributes,
    WorkflowPropertiesModifiedEventAttributes,
    WorkflowPropertiesModifiedExternallyEventAttributes,
)
from streamflow.api.history.v1.steps import (
    MarkerRecordedEventAttributes,
    WorkflowTaskCompletedEventAttributes,
    WorkflowTaskFailedEventAttributes,
    WorkflowTaskScheduledEventAttributes,
    WorkflowTaskStartedEventAttributes,
    WorkflowTaskTimedOutEventAttributes,
)
from streamflow.api.history.v1.updates import (
    WorkflowExecutionUpdateAcceptedEventAttributes,
    WorkflowExecutionUpdateAdmittedEventAttributes,
    WorkflowExecutionUpdateCompletedEventAttributes,
    WorkflowExecutionUpdateRejectedEventAttributes,
)
from streamflow.api.history.v1.work import (
    ActivityPropertiesModifiedExternallyEventAttributes,
    ActivityTaskCanceledEventAttributes,
    ActivityTaskCancelRequestedEventAttributes,
    ActivityTaskCompletedEventAttributes,
    ActivityTaskFailedEventAttributes,
    ActivityTaskScheduledEventAttributes,
    ActivityTaskStartedEventAttributes,
    ActivityTaskTimedOutEventAttributes,
    TimerCanceledEventAttributes,
    TimerFiredEventAttributes,
    TimerStartedEventAttributes,
)
from streamflow.api.message import Message, child, field, many
from streamflow.api.message_fields import choice, long
from streamflow.api.sdk.v1 import UserMetadata
from streamflow.api.times import Timestamp
from streamflow.model.events import Recorded


class HistoryEvent(Message):
    """One event. Its type says which of the attributes are there: the one that `HasField` and ``WhichOneof("attributes")`` name."""

    event_id = long(1)
    event_time = child(2, Timestamp)
    event_type = choice(3, EventType)
    version = long(4)
    task_id = long(5)
    workflow_execution_started_event_attributes = child(6, WorkflowExecutionStartedEventAttributes)
    workflow_execution_completed_event_attributes = child(
        7, WorkflowExecutionCompletedEventAttributes
    )
    workflow_execution_failed_event_attributes = child(8, WorkflowExecutionFailedEventAttributes)
    workflow_execution_timed_out_event_attributes = child(
        9, WorkflowExecutionTimedOutEventAttributes
    )
    workflow_task_scheduled_event_attributes = child(10, WorkflowTaskScheduledEventAttributes)
    workflow_task_started_event_attributes = child(11, WorkflowTaskStartedEventAttributes)
    workflow_task_completed_event_attributes = child(12, WorkflowTaskCompletedEventAttributes)
    workflow_task_timed_out_event_attributes = child(13, WorkflowTaskTimedOutEventAttributes)
    workflow_task_failed_event_attributes = child(14, WorkflowTaskFailedEventAttributes)
    activity_task_scheduled_event_attributes = child(15, ActivityTaskScheduledEventAttributes)
    activity_task_started_event_attributes = child(16, ActivityTaskStartedEventAttributes)
    activity_task_completed_event_attributes = child(17, ActivityTaskCompletedEventAttributes)
    activity_task_failed_event_attributes = child(18, ActivityTaskFailedEventAttributes)
    activity_task_timed_out_event_attributes = child(19, ActivityTaskTimedOutEventAttributes)
    timer_started_event_attributes = child(20, TimerStartedEventAttributes)
    timer_fired_event_attributes = child(21, TimerFiredEventAttributes)
    activity_task_cancel_requested_event_attributes = child(
        22, ActivityTaskCancelRequestedEventAttributes
    )
    activity_task_canceled_event_attributes = child(23, ActivityTaskCanceledEventAttributes)
    timer_canceled_event_attributes = child(24, TimerCanceledEventAttributes)
    marker_recorded_event_attributes = child(25, MarkerRecordedEventAttributes)
    workflow_execution_signaled_event_attributes = child(
        26, WorkflowExecutionSignaledEventAttributes
    )
    workflow_execution_terminated_event_attributes = child(
        27, WorkflowExecutionTerminatedEventAttributes
    )
    workflow_execution_cancel_requested_event_attributes = child(
        28, WorkflowExecutionCancelRequestedEventAttributes
    )
    workflow_execution_canceled_event_attributes = child(
        29, WorkflowExecutionCanceledEventAttributes
    )
    request_cancel_external_workflow_execution_initiated_event_attributes = child(
        30, RequestCancelExternalWorkflowExecutionInitiatedEventAttributes
    )
    request_cancel_external_workflow_execution_failed_event_attributes = child(
        31, RequestCancelExternalWorkflowExecutionFailedEventAttributes
    )
    external_workflow_execution_cancel_requested_event_attributes = child(
        32, ExternalWorkflowExecutionCancelRequestedEventAttributes
    )
    workflow_execution_continued_as_new_event_attributes = child(
        33, WorkflowExecutionContinuedAsNewEventAttributes
    )
    start_child_workflow_execution_initiated_event_attributes = child(
        34, StartChildWorkflowExecutionInitiatedEventAttributes
    )
    start_child_workflow_execution_failed_event_attributes = child(
        35, StartChildWorkflowExecutionFailedEventAttributes
    )
    child_workflow_execution_started_event_attributes = child(
        36, ChildWorkflowExecutionStartedEventAttributes
    )
    child_workflow_execution_completed_event_attributes = child(
        37, ChildWorkflowExecutionCompletedEventAttributes
    )
    child_workflow_execution_failed_event_attributes = child(
        38, ChildWorkflowExecutionFailedEventAttributes
    )
    child_workflow_execution_canceled_event_attributes = child(
        39, ChildWorkflowExecutionCanceledEventAttributes
    )
    child_workflow_execution_timed_out_event_attributes = child(
        40, ChildWorkflowExecutionTimedOutEventAttributes
    )
    child_workflow_execution_terminated_event_attributes = child(
        41, ChildWorkflowExecutionTerminatedEventAttributes
    )
    signal_external_workflow_execution_initiated_event_attributes = child(
        42, SignalExternalWorkflowExecutionInitiatedEventAttributes
    )
    signal_external_workflow_execution_failed_event_attributes = child(
        43, SignalExternalWorkflowExecutionFailedEventAttributes
    )
    external_workflow_execution_signaled_event_attributes = child(
        44, ExternalWorkflowExecutionSignaledEventAttributes
    )
    upsert_workflow_search_attributes_event_attributes = child(
        45, UpsertWorkflowSearchAttributesEventAttributes
    )
    workflow_execution_update_accepted_event_attributes = child(
        46, WorkflowExecutionUpdateAcceptedEventAttributes
    )
    workflow_execution_update_rejected_event_attributes = child(
        47, WorkflowExecutionUpdateRejectedEventAttributes
    )
    workflow_execution_update_completed_event_attributes = child(
        48, WorkflowExecutionUpdateCompletedEventAttributes
    )
    workflow_properties_modified_externally_event_attributes = child(
        49, WorkflowPropertiesModifiedExternallyEventAttributes
    )
    activity_properties_modified_externally_event_attributes = child(
        50, ActivityPropertiesModifiedExternallyEventAttributes
    )
    workflow_properties_modified_event_attributes = child(
        51, WorkflowPropertiesModifiedEventAttributes
    )
    workflow_execution_update_admitted_event_attributes = child(
        52, WorkflowExecutionUpdateAdmittedEventAttributes
    )
    nexus_operation_scheduled_event_attributes = child(53, NexusOperationScheduledEventAttributes)
    nexus_operation_started_event_attributes = child(54, NexusOperationStartedEventAttributes)
    nexus_operation_completed_event_attributes = child(55, NexusOperationCompletedEventAttributes)
    nexus_operation_failed_event_attributes = child(56, NexusOperationFailedEventAttributes)
    nexus_operation_canceled_event_attributes = child(57, NexusOperationCanceledEventAttributes)
    nexus_operation_timed_out_event_attributes = child(58, NexusOperationTimedOutEventAttributes)
    nexus_operation_cancel_requested_event_attributes = child(
        59, NexusOperationCancelRequestedEventAttributes
    )
    workflow_execution_options_updated_event_attributes = child(
        60, WorkflowExecutionOptionsUpdatedEventAttributes
    )
    nexus_operation_cancel_request_completed_event_attributes = child(
        61, NexusOperationCancelRequestCompletedEventAttributes
    )
    nexus_operation_cancel_request_failed_event_attributes = child(
        62, NexusOperationCancelRequestFailedEventAttributes
    )
    workflow_execution_paused_event_attributes = child(63, WorkflowExecutionPausedEventAttributes)
    workflow_execution_unpaused_event_attributes = child(
        64, WorkflowExecutionUnpausedEventAttributes
    )
    workflow_execution_time_skipping_transitioned_event_attributes = child(
        65, WorkflowExecutionTimeSkippingTransitionedEventAttributes
    )
    worker_may_ignore = field(300, False)
    user_metadata = child(301, UserMetadata)

    _oneofs: ClassVar = {
        "attributes": (
            "workflow_execution_started_event_attributes",
            "workflow_execution_completed_event_attributes",
            "workflow_execution_failed_event_attributes",
            "workflow_execution_timed_out_event_attributes",
            "workflow_task_scheduled_event_attributes",
            "workflow_task_started_event_attributes",
            "workflow_task_completed_event_attributes",
            "workflow_task_timed_out_event_attributes",
            "workflow_task_failed_event_attributes",
            "activity_task_scheduled_event_attributes",
            "activity_task_started_event_attributes",
            "activity_task_completed_event_attributes",
            "activity_task_failed_event_attributes",
            "activity_task_timed_out_event_attributes",
            "timer_started_event_attributes",
            "timer_fired_event_attributes",
            "activity_task_cancel_requested_event_attributes",
            "activity_task_canceled_event_attributes",
            "timer_canceled_event_attributes",
            "marker_recorded_event_attributes",
            "workflow_execution_signaled_event_attributes",
            "workflow_execution_terminated_event_attributes",
            "workflow_execution_cancel_requested_event_attributes",
            "workflow_execution_canceled_event_attributes",
            "request_cancel_external_workflow_execution_initiated_event_attributes",
            "request_cancel_external_workflow_execution_failed_event_attributes",
            "external_workflow_execution_cancel_requested_event_attributes",
            "workflow_execution_continued_as_new_event_attributes",
            "start_child_workflow_execution_initiated_event_attributes",
            "start_child_workflow_execution_failed_event_attributes",
            "child_workflow_execution_started_event_attributes",
            "child_workflow_execution_completed_event_attributes",
            "child_workflow_execution_failed_event_attributes",
            "child_workflow_execution_canceled_event_attributes",
            "child_workflow_execution_timed_out_event_attributes",
            "child_workflow_execution_terminated_event_attributes",
            "signal_external_workflow_execution_initiated_event_attributes",
            "signal_external_workflow_execution_failed_event_attributes",
            "external_workflow_execution_signaled_event_attributes",
            "upsert_workflow_search_attributes_event_attributes",
            "workflow_execution_update_accepted_event_attributes",
            "workflow_execution_update_rejected_event_attributes",
            "workflow_execution_update_completed_event_attributes",
            "workflow_properties_modified_externally_event_attributes",
            "activity_properties_modified_externally_event_attributes",
            "workflow_properties_modified_event_attributes",
            "workflow_execution_update_admitted_event_attributes",
            "nexus_operation_scheduled_event_attributes",
            "nexus_operation_started_event_attributes",
            "nexus_operation_completed_event_attributes",
            "nexus_operation_failed_event_attributes",
            "nexus_operation_canceled_event_attributes",
            "nexus_operation_timed_out_event_attributes",
            "nexus_operation_cancel_requested_event_attributes",
            "workflow_execution_options_updated_event_attributes",
            "nexus_operation_cancel_request_completed_event_attributes",
            "nexus_operation_cancel_request_failed_event_attributes",
            "workflow_execution_paused_event_attributes",
            "workflow_execution_unpaused_event_attributes",
            "workflow_execution_time_skipping_transitioned_event_attributes",
        )
    }

    recorded: Recorded | None = None
    """The event of our own history that this one tells of; none has only what our history does not hold: a task's
    schedule and start, an activity's start."""
    sources: tuple[Recorded, ...] = ()
    """All of our events that this one stands for, in their order: with `recorded` those that have none of their own."""


class History(Message):
    events = many(1, HistoryEvent)

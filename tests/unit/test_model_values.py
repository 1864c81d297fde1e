"""Public values are what ported programs take them for: enums are numbers, and what is changed there can be changed."""

from __future__ import annotations

import importlib
from dataclasses import FrozenInstanceError, fields
from enum import IntEnum
from typing import Any

import pytest

NUMBERED = {
    "client": """
        ActivityExecutionStatus 0 UNSPECIFIED RUNNING COMPLETED FAILED CANCELED TERMINATED TIMED_OUT PAUSED
        HeaderCodecBehavior 1 NO_CODEC CODEC WORKFLOW_ONLY_CODEC
        PendingActivityState 0 UNSPECIFIED SCHEDULED STARTED CANCEL_REQUESTED PAUSED PAUSE_REQUESTED
        RPCStatusCode 0 OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS \
            PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL \
            UNAVAILABLE DATA_LOSS UNAUTHENTICATED
        ScheduleOverlapPolicy 1 SKIP BUFFER_ONE BUFFER_ALL CANCEL_OTHER TERMINATE_OTHER ALLOW_ALL
        WorkflowExecutionStatus 1 RUNNING COMPLETED FAILED CANCELED TERMINATED CONTINUED_AS_NEW TIMED_OUT
        WorkflowHistoryEventFilterType 1 ALL_EVENT CLOSE_EVENT
        WorkflowUpdateStage 1 ADMITTED ACCEPTED COMPLETED""",
    "common": """
        ActivityIDConflictPolicy 0 UNSPECIFIED FAIL USE_EXISTING
        ActivityIDReusePolicy 0 UNSPECIFIED ALLOW_DUPLICATE ALLOW_DUPLICATE_FAILED_ONLY REJECT_DUPLICATE
        QueryRejectCondition 1 NONE NOT_OPEN NOT_COMPLETED_CLEANLY
        SearchAttributeIndexedValueType 1 TEXT KEYWORD INT DOUBLE BOOL DATETIME KEYWORD_LIST
        VersioningBehavior 0 UNSPECIFIED PINNED AUTO_UPGRADE
        WorkflowIDConflictPolicy 0 UNSPECIFIED FAIL USE_EXISTING TERMINATE_EXISTING
        WorkflowIDReusePolicy 1 ALLOW_DUPLICATE ALLOW_DUPLICATE_FAILED_ONLY REJECT_DUPLICATE TERMINATE_IF_RUNNING""",
    "exceptions": """
        ApplicationErrorCategory 0 UNSPECIFIED BENIGN
        RetryState 1 IN_PROGRESS NON_RETRYABLE_FAILURE TIMEOUT MAXIMUM_ATTEMPTS_REACHED RETRY_POLICY_NOT_SET \
            INTERNAL_SERVER_ERROR CANCEL_REQUESTED
        TimeoutType 1 START_TO_CLOSE SCHEDULE_TO_START SCHEDULE_TO_CLOSE HEARTBEAT""",
    "workflow": """
        ActivityCancellationType 0 TRY_CANCEL WAIT_CANCELLATION_COMPLETED ABANDON
        ChildWorkflowCancellationType 0 ABANDON TRY_CANCEL WAIT_CANCELLATION_COMPLETED WAIT_CANCELLATION_REQUESTED
        ContinueAsNewVersioningBehavior 0 UNSPECIFIED AUTO_UPGRADE USE_RAMPING_VERSION
        ParentClosePolicy 0 UNSPECIFIED TERMINATE ABANDON REQUEST_CANCEL""",
}
"""Name, number of the first member, members in the order of their numbers."""


@pytest.mark.parametrize(
    ("module", "line"),
    [
        (module, line)
        for module, lines in NUMBERED.items()
        for line in lines.strip().replace("\\\n", "").splitlines()
    ],
)
def test_an_enum_has_the_models_numbers(module: str, line: str) -> None:
    name, first, *members = line.split()
    enum = getattr(importlib.import_module(f"streamflow.{module}"), name)
    assert issubclass(enum, IntEnum)
    assert {member.name: member.value for member in enum} == {
        member: number for number, member in enumerate(members, start=int(first))
    }


CHANGEABLE = {
    "client": """
        Schedule action spec policy state
        ScheduleActionExecutionStartWorkflow workflow_id first_execution_run_id
        ScheduleActionResult scheduled_at started_at action
        ScheduleBackfill start_at end_at overlap
        ScheduleCalendarSpec second minute hour day_of_month month year day_of_week comment
        ScheduleInfo num_actions num_actions_missed_catchup_window num_actions_skipped_overlap running_actions \
            recent_actions next_action_times created_at last_updated_at
        ScheduleIntervalSpec every offset
        ScheduleListActionStartWorkflow workflow
        ScheduleListInfo recent_actions next_action_times
        ScheduleListSchedule action spec state
        ScheduleListState note paused
        SchedulePolicy overlap catchup_window pause_on_failure
        ScheduleSpec calendars intervals cron_expressions skip start_at end_at jitter time_zone_name
        ScheduleState note paused limited_actions remaining_actions
        ScheduleUpdate schedule search_attributes
        WorkflowExecutionCount count groups
        WorkflowExecutionCountAggregationGroup count group_values""",
    "common": """
        RetryPolicy initial_interval backoff_coefficient maximum_interval maximum_attempts non_retryable_error_types""",
    "service": """
        RetryConfig initial_interval_millis randomization_factor multiplier max_interval_millis \
            max_elapsed_time_millis max_retries
        TLSConfig server_root_ca_cert domain client_cert client_private_key verification_server_name""",
}
"""Name, and fields in the order in which they may be given."""
FROZEN = {
    "client": """
        ActivityExecutionCount count groups
        ScheduleRange start end step
        WorkflowHistory workflow_id events""",
    "common": """
        PinnedVersioningOverride version
        Priority priority_key fairness_key fairness_weight
        RawValue payload
        WorkerDeploymentVersion deployment_name build_id""",
    "service": """
        HttpConnectProxyConfig target_host basic_auth
        KeepAliveConfig interval_millis timeout_millis""",
}


def classes(table: dict[str, str]) -> list[tuple[type, list[str]]]:
    """Each class with the names of its fields."""
    lines = [
        (module, line.split())
        for module, lines in table.items()
        for line in lines.strip().replace("\\\n", "").splitlines()
    ]
    return [
        (getattr(importlib.import_module(f"streamflow.{module}"), name), expected)
        for module, (name, *expected) in lines
    ]


@pytest.mark.parametrize(("cls", "expected"), classes(CHANGEABLE))
def test_a_value_that_is_changeable_there_is_so_here(cls: type, expected: list[str]) -> None:
    value: Any = object.__new__(cls)
    for name in expected:
        setattr(value, name, None)
    assert [field.name for field in fields(cls)][: len(expected)] == expected


@pytest.mark.parametrize(("cls", "expected"), classes(FROZEN))
def test_a_value_that_is_frozen_there_is_so_here(cls: type, expected: list[str]) -> None:
    value: Any = object.__new__(cls)
    with pytest.raises(FrozenInstanceError):
        setattr(value, expected[0], None)
    assert [field.name for field in fields(cls)][: len(expected)] == expected

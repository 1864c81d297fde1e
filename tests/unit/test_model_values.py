"""The public enums are numbers, and have the numbers that ported programs store, send and compare."""

from __future__ import annotations

import importlib
from enum import IntEnum

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

"""What is written to topics: every Struct that has a schema, in which area, and the codes of events.

Codes and area names are released: they never change, and a code is never used again.
"""

from __future__ import annotations

from typing import Final

import msgspec

from streamflow.model import (
    activity_options,
    answers,
    audit,
    commands,
    control,
    events,
    failed_attempts,
    options,
    payload,
    processes,
    queues,
    relations,
    settings,
    tasks,
)
from streamflow.wire.schema import RecordOf, Schema

Struct = type[msgspec.Struct]

EVENT_CODES: Final[dict[Struct, int]] = {
    events.WorkflowStarted: 1,
    events.SignalReceived: 2,
    events.CancelRequested: 3,
    events.TimerFired: 4,
    events.ActivityCompleted: 5,
    events.ActivityFailed: 6,
    events.ActivityCanceled: 7,
    events.Activated: 8,
    events.ActivityScheduled: 9,
    events.ActivityCancelRequested: 10,
    events.TimerStarted: 11,
    events.TimerCanceled: 12,
    events.WorkflowCompleted: 13,
    events.WorkflowFailed: 14,
    events.WorkflowCanceled: 15,
    events.WorkflowContinuedAsNew: 16,
    events.WorkflowTerminated: 17,
    events.WorkflowTimedOut: 18,
    events.PatchMarked: 19,
    events.MemoUpserted: 20,
    events.SearchAttributesUpserted: 21,
    relations.ChildInitiated: 30,
    relations.ChildStarted: 31,
    relations.ChildStartFailed: 32,
    relations.ChildCancelRequested: 33,
    relations.ChildCancelDelivered: 34,
    relations.ChildClosed: 35,
    relations.ExternalSignalSent: 36,
    relations.ExternalCancelSent: 37,
    relations.ExternalAnswered: 38,
    events.UpdateAccepted: 22,
    events.UpdateCompleted: 23,
}

AREAS: Final[dict[str, tuple[Struct, ...]]] = {
    "history": (
        *EVENT_CODES,
        tasks.Attempt,
        tasks.PositionRecord,
        tasks.Deleting,
        answers.DedupEntry,
        answers.Trouble,
    ),
    "tasks": (tasks.ActivityTask, tasks.CancelTask),
    "commands": (
        commands.StartWorkflow,
        commands.SignalWorkflow,
        commands.UpdateWorkflow,
        commands.UpdateWithStart,
        commands.AwaitUpdate,
        commands.QueryWorkflow,
        commands.CancelWorkflow,
        commands.TerminateWorkflow,
        commands.DescribeWorkflow,
        commands.AwaitResult,
        commands.FetchHistory,
        commands.Locate,
        commands.ReportActivity,
        commands.StartActivity,
        commands.HeartbeatActivity,
        commands.ControlActivity,
        control.ControlWorkflow,
        control.ResetWorkflow,
        commands.ConfirmTasks,
        relations.ReportChild,
        relations.ReportExternal,
    ),
    "answers": (
        answers.Done,
        answers.RunResult,
        answers.QueryAnswer,
        answers.UpdateOutcome,
        answers.Description,
        answers.HistoryPage,
        answers.Located,
        answers.Confirmed,
        answers.HeartbeatAck,
        answers.Rejection,
        answers.TakenOver,
    ),
    "executions": (answers.ExecutionSummary,),
    "queues": (queues.QueueEntry,),
    "settings": (settings.SearchAttributeEntry, settings.NamespaceEntry),
    "audit": (audit.AuditEntry,),
    "processes": (processes.ProcessReport,),
}
COMMON_AREA: Final = "common"
"""Of what is only ever part of a record: payloads, failures, policies, enums."""

TUPLES: Final[dict[tuple[str, str], tuple[str, tuple[str, ...]]]] = {
    ("HistoryPage", "records"): ("StoredRecord", ("header", "value")),
    ("ConfirmTasks", "tasks"): ("WorkflowTask", ("workflow_id", "task")),
}
"""Avro has no tuples: each becomes a record of this name with these fields."""
TUPLE_RECORDS: Final = dict(TUPLES.values())

ENVELOPE_FIELDS: Final = ("workflow_id", "run_id", "seq", "step", "time_ms")
"""Stand before an event's own fields, for readers that see the value alone."""

AREA_OF: Final[dict[Struct, str]] = {
    struct: area for area, structs in AREAS.items() for struct in structs
}
FAILURE_LINK: Final = "FailureLink"
"""A failure without its causes. A chain is an array of these, outermost first: schemas are never recursive."""

UNKNOWN: Final = "unknown"
"""The symbol that a reader takes for one it does not know; never written."""

PARTS: Final[tuple[Struct, ...]] = (
    payload.Payload,
    options.RetryPolicy,
    options.ActivityTimeouts,
    options.Copied,
    options.Parent,
    activity_options.ActivityOptions,
    activity_options.OptionsChange,
    failed_attempts.FailedAttempts,
    answers.PendingActivity,
    answers.PendingTimer,
    answers.PendingChild,
    commands.TaskRef,
    commands.ReplyTo,
    commands.FromRun,
    processes.RestoreReport,
    processes.StandbyReport,
    relations.ChildOptions,
    relations.Target,
    relations.TargetStart,
    relations.Chain,
    settings.Quota,
)
"""Structs that only occur inside others."""

STRUCTS: Final[dict[str, Struct]] = {struct.__name__: struct for struct in (*AREA_OF, *PARTS)}
"""By name, which is unique over all areas."""


def is_failure_link(schema: Schema) -> bool:
    return isinstance(schema, RecordOf) and schema.name == FAILURE_LINK

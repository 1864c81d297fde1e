"""Histories as files: versioned JSON that every later release reads.

    {"format": "streamflow-history/1", "workflow_id": "...", "run_id": "...", "events": [
        {"seq": 1, "step": 0, "time_ms": 1780000000000, "type": "workflow_started", "event": {...}}, ...]}

Payloads are as stored: ``{"metadata": {name: base64}, "data": base64}``. Names of event types are the file's own and never
change; a new field of an event comes with a default, so that older files have it too. Unknown fields are passed over.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from streamflow.model import events as facts
from streamflow.model import relations
from streamflow.model.events import Event, History, Recorded
from streamflow.model.ids import RunId, Seq, WorkflowId

FORMAT = "streamflow-history/1"
FILE_BYTES_MAX = 512 * 1024 * 1024

EVENT_TYPES: dict[str, type[Event]] = {
    "workflow_started": facts.WorkflowStarted,
    "signal_received": facts.SignalReceived,
    "cancel_requested": facts.CancelRequested,
    "timer_fired": facts.TimerFired,
    "activity_completed": facts.ActivityCompleted,
    "activity_failed": facts.ActivityFailed,
    "activity_canceled": facts.ActivityCanceled,
    "activated": facts.Activated,
    "activity_scheduled": facts.ActivityScheduled,
    "activity_cancel_requested": facts.ActivityCancelRequested,
    "timer_started": facts.TimerStarted,
    "timer_canceled": facts.TimerCanceled,
    "workflow_completed": facts.WorkflowCompleted,
    "workflow_failed": facts.WorkflowFailed,
    "workflow_canceled": facts.WorkflowCanceled,
    "workflow_continued_as_new": facts.WorkflowContinuedAsNew,
    "workflow_terminated": facts.WorkflowTerminated,
    "workflow_timed_out": facts.WorkflowTimedOut,
    "patch_marked": facts.PatchMarked,
    "memo_upserted": facts.MemoUpserted,
    "search_attributes_upserted": facts.SearchAttributesUpserted,
    "child_initiated": relations.ChildInitiated,
    "child_started": relations.ChildStarted,
    "child_start_failed": relations.ChildStartFailed,
    "child_cancel_requested": relations.ChildCancelRequested,
    "child_cancel_delivered": relations.ChildCancelDelivered,
    "child_closed": relations.ChildClosed,
    "external_signal_sent": relations.ExternalSignalSent,
    "external_cancel_sent": relations.ExternalCancelSent,
    "external_answered": relations.ExternalAnswered,
    "update_accepted": facts.UpdateAccepted,
    "update_completed": facts.UpdateCompleted,
}
_NAMES = {cls: name for name, cls in EVENT_TYPES.items()}


class HistoryFileError(ValueError):
    """The text is no history that this release can read; the message says where."""


class _File(msgspec.Struct, frozen=True):
    workflow_id: str
    run_id: str
    events: list[Any]


def event_to_json(recorded: Recorded) -> dict[str, Any]:
    return {
        "seq": recorded.seq,
        "step": recorded.step,
        "time_ms": recorded.time_ms,
        "type": _NAMES[type(recorded.event)],
        "event": msgspec.to_builtins(recorded.event, str_keys=True),
    }


def event_from_json(value: Any) -> Recorded:
    """Raises `HistoryFileError` for anything that is not an event of a known type."""
    match value:
        case {
            "seq": int(seq),
            "step": int(step),
            "time_ms": int(time_ms),
            "type": str(name),
            "event": body,
        }:
            pass
        case _:
            raise HistoryFileError(
                f"Expected an event with seq, step, time_ms, type and event, found {str(value)[:200]}"
            )
    cls = EVENT_TYPES.get(name)
    if cls is None:
        raise HistoryFileError(
            f"Expected event {seq} to be of a known type, found {name!r}: was the file written by a later release?"
        )
    try:
        event = msgspec.convert(body, cls)
    except msgspec.ValidationError as error:
        raise HistoryFileError(f"Expected event {seq} to be a {name}, found: {error}") from error
    return Recorded(Seq(seq), step, time_ms, event)


def to_json_dict(history: History) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "workflow_id": history.workflow_id,
        "run_id": history.run_id,
        "events": [event_to_json(recorded) for recorded in history.events],
    }


def from_json_dict(value: Any) -> History:
    """Raises `HistoryFileError` unless this is a history of a known format, gapless from its first event."""
    found = _format_of(value)
    if found != FORMAT:
        raise HistoryFileError(f'Expected a history with "format": "{FORMAT}", found {found!r}')
    try:
        file = msgspec.convert(value, _File)
    except msgspec.ValidationError as error:
        raise HistoryFileError(
            f"Expected workflow_id, run_id and a list of events, found: {error}"
        ) from error
    recorded = tuple(event_from_json(event) for event in file.events)
    for expected, event in enumerate(recorded, start=1):
        if event.seq != expected:
            raise HistoryFileError(
                f"Expected event {expected}, found {event.seq}: the history is torn"
            )
    return History(
        workflow_id=WorkflowId(file.workflow_id), run_id=RunId(file.run_id), events=recorded
    )


def _format_of(value: Any) -> str:
    match value:
        case {"format": str(found)}:
            return found
        case _:
            return type(value).__name__


def from_json(text: str | bytes) -> History:
    return from_json_dict(parsed(text))


def parsed(text: str | bytes) -> Any:
    """The JSON that is in it. Raises `HistoryFileError`."""
    if len(text) > FILE_BYTES_MAX:
        raise HistoryFileError(f"Expected at most {FILE_BYTES_MAX} bytes, found {len(text)}")
    try:
        return json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HistoryFileError(
            f"Expected a history in JSON, found: {error}. Save one with: streamflow workflow history ID --file FILE"
        ) from error

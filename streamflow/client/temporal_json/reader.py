"""Reads histories that Temporal's tools exported as JSON into our events, for a `Replayer`.

A workflow task there is an activation here: its inputs are what came before it began, its outcomes the commands that
follow its completion. Operations get the numbers that our runtime gives them, in the order of their commands.

What is not told in such a file is made up: seeds are 0, so that random numbers and generated IDs differ from those of then
(arguments are not compared, but IDs of children are: give them). A local activity is taken as begun when its result was
recorded: several that ran side by side do not fit. Nexus operations and markers of other SDKs are refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from streamflow.client.history.file import HistoryFileError
from streamflow.client.temporal_json.commands import COMMANDS
from streamflow.client.temporal_json.inputs import INPUTS
from streamflow.client.temporal_json.tape import Tape
from streamflow.client.temporal_json.values import Table, table, time_ms
from streamflow.model.events import History
from streamflow.model.ids import RunId, WorkflowId

_SUFFIX = "EventAttributes"
_PASSED_OVER = frozenset(
    {
        "WorkflowTaskScheduled",
        "WorkflowTaskFailed",
        "WorkflowTaskTimedOut",
        "ActivityTaskStarted",
        "WorkflowExecutionUpdateAdmitted",
        "WorkflowExecutionOptionsUpdated",
        "WorkflowExecutionPaused",
        "WorkflowExecutionUnpaused",
    }
)


def is_temporal(value: Any) -> bool:
    """Whether this looks like such a file: events with types of theirs, and no format of ours."""
    if not isinstance(value, Mapping) or "format" in value:
        return False
    events: Any = cast("Table", value).get("events")
    return isinstance(events, list) and _are_typed(events)  # pyright: ignore[reportUnknownArgumentType]  # of anything


def _are_typed(events: list[Any]) -> bool:
    return all(isinstance(event, Mapping) and "eventType" in event for event in events)


def from_temporal(workflow_id: str | None, value: Table) -> History:
    """The history in our events.

    Raises:
        HistoryFileError: an event has no counterpart, or lacks what it should have; the message names it.
    """
    tape = Tape()
    for event in value["events"]:
        kind = _kind(event)
        try:
            _take(tape, kind, int(event.get("eventId") or 0), event)
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, HistoryFileError):
                raise
            raise HistoryFileError(
                f"Expected event {event.get('eventId')} ({kind}) to have what such an event has, found: {error!r}"
            ) from error
    tape.end_step()
    if not tape.recorded:
        raise HistoryFileError("Expected a history with events, found none")
    return History(
        workflow_id=WorkflowId(workflow_id or tape.workflow_id),
        run_id=RunId(tape.run_id),
        events=tuple(tape.recorded),
    )


def _take(tape: Tape, kind: str, number: int, event: Table) -> None:
    tape.time_ms = time_ms(event["eventTime"])
    names = [name for name in event if name.endswith(_SUFFIX)]
    attributes: Table = table(event, names[0]) if names else {}
    command = COMMANDS.get(kind)
    if command is not None and tape.commands is not None:
        command(tape, number, attributes)
        return
    tape.end_step()
    if kind == "WorkflowTaskCompleted":
        tape.commands = []
    elif kind == "WorkflowTaskStarted":
        tape.begin_task()
    elif kind in INPUTS:
        tape.input(INPUTS[kind](tape, attributes))
    elif kind not in _PASSED_OVER:
        raise HistoryFileError(
            f"Expected events that have a counterpart, found event {number} ({kind}): a history with it cannot be "
            "replayed here"
        )


def _kind(event: Table) -> str:
    """``WorkflowExecutionStarted`` of ``EVENT_TYPE_WORKFLOW_EXECUTION_STARTED``, and of itself."""
    text = str(event["eventType"])
    if text.startswith("EVENT_TYPE_"):
        return "".join(part.capitalize() for part in text.removeprefix("EVENT_TYPE_").split("_"))
    return text

"""The public feed beside the history: the last word about each run must be what its history says.

While a run is open its length is not told with each event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from streamflow.model.answers import ExecutionSummary
from streamflow.model.events import (
    Event,
    WorkflowCanceled,
    WorkflowCompleted,
    WorkflowContinuedAsNew,
    WorkflowFailed,
    WorkflowTerminated,
    WorkflowTimedOut,
)
from streamflow.model.options import Status
from tests.reliability.cluster.log_judge import Run, Wrong

_STATUS: Final[Mapping[type[Event], Status]] = {
    WorkflowCompleted: Status.COMPLETED,
    WorkflowFailed: Status.FAILED,
    WorkflowCanceled: Status.CANCELED,
    WorkflowTerminated: Status.TERMINATED,
    WorkflowContinuedAsNew: Status.CONTINUED_AS_NEW,
    WorkflowTimedOut: Status.TIMED_OUT,
}


def compared(runs: Mapping[tuple[str, str], Run], feed: Iterable[ExecutionSummary]) -> list[Wrong]:
    """``feed`` in the order of the topic; its last line about a run counts."""
    last: dict[tuple[str, str], ExecutionSummary] = {
        (one.workflow_id, one.run_id): one for one in feed
    }
    wrong: list[Wrong] = []
    for name, run in runs.items():
        told = last.pop(name, None)
        status = Status.RUNNING if run.end is None else _STATUS[type(run.end)]
        if told is None:
            wrong.append(Wrong("lost", f"{name[0]}: the feed does not have run {name[1]}"))
        elif told.status is not status or (run.end and told.history_length != run.seq):
            found = f"{told.status.value} of {told.history_length} events"
            expected = f"{status.value} of {run.seq}"
            wrong.append(Wrong("torn", f"{name[0]}: expected {expected}, the feed says {found}"))
    wrong += (
        Wrong("uncommitted", f"{name[0]}: the feed has run {name[1]}, no history does")
        for name in last
    )
    return wrong

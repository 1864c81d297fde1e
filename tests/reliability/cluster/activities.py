"""What activities promise: no execution without a schedule in the history, one end each, and none after its end is recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from streamflow.model.events import (
    ActivityCanceled,
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    Event,
    Input,
    WorkflowStarted,
)
from tests.faults.checker import MILLISECOND, Witnessed
from tests.reliability.cluster.log_judge import Kind, Run, Wrong

AWAKE_MS = 1_000.0
"""After a pause, so long a process may still carry out what it had decided before it."""


class Pause(NamedTuple):
    """When a process stood still, by its ID."""

    pid: int
    began_ms: float
    ended_ms: float


class Activities:
    """A ward over every run that schedules activities; each name stands once in a run."""

    def __init__(self) -> None:
        self.wrong: list[Wrong] = []
        self.ended_ms: dict[tuple[str, str], float | None] = {}
        """By run and activity; ``None`` while it is only scheduled."""
        self.reruns = 0
        self._names: dict[tuple[str, int], str] = {}

    def started(self, run: Run, event: WorkflowStarted) -> None:
        """Nothing yet."""

    def consumed(self, run: Run, event: Input) -> None:
        """An end counts when it is recorded."""

    def did(self, run: Run, event: Event, appended_ms: int) -> None:
        match event:
            case ActivityScheduled(op=op, activity_type=name):
                if (run.run_id, name) in self.ended_ms:
                    self._say("doubled", f"{run.workflow_id}: {name} is scheduled twice")
                self._names[run.run_id, op] = name
                self.ended_ms[run.run_id, name] = None
            case ActivityCompleted(op=op) | ActivityFailed(op=op) | ActivityCanceled(op=op):
                name = self._names.pop((run.run_id, op), "")
                if not name:
                    text = f"{run.workflow_id}: operation {op} ends, which is not under way"
                    self._say("doubled", text)
                    return
                self.ended_ms[run.run_id, name] = appended_ms
            case _:
                pass

    def finish(self, witnesses: Iterable[Witnessed], pauses: Sequence[Pause]) -> None:
        """Once nothing runs any more."""
        tried: set[tuple[str, str, int]] = set()
        seen: set[tuple[str, str]] = set()
        for one in witnesses:
            what = one.run, one.step
            seen.add(what)
            self.reruns += (*what, one.attempt) in tried
            tried.add((*what, one.attempt))
            if what not in self.ended_ms:
                text = f"{one.order}: {one.step} ran, and no history asks for it"
                self._say("uncommitted", text)
                continue
            end_ms = self.ended_ms[what]
            if end_ms is None:
                self._say("lost", f"{one.order}: {one.step} ran, and has no end")
            elif one.ms >= end_ms + MILLISECOND and not _slept_over(one, end_ms, pauses):
                late_ms = one.ms - end_ms
                self._say(
                    "doubled",
                    f"{one.order}: {one.step} ran {late_ms:.0f} ms after its end was recorded",
                )
        for run_id, name in self.ended_ms.keys() - seen:
            self._say("lost", f"{name} of run {run_id} has an end, and never ran")

    def _say(self, kind: Kind, text: str) -> None:
        self.wrong.append(Wrong(kind, text))


def _slept_over(one: Witnessed, end_ms: float, pauses: Sequence[Pause]) -> bool:
    """Whether the process stood still between its decision to run and the run, and the end was recorded meanwhile."""
    return any(
        pause.pid == one.pid
        and pause.began_ms <= one.ms <= pause.ended_ms + AWAKE_MS
        and end_ms >= pause.began_ms - AWAKE_MS
        for pause in pauses
    )

"""What is told of a step: where the code stands after it, and what of that the step changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from streamflow.coroutine.inspection import Standing, TaskSeen, tasks_of
from streamflow.coroutine.instance import Instance
from streamflow.model.events import Recorded
from streamflow.timetravel.marking import marked
from streamflow.timetravel.sources import Excerpt, excerpt
from streamflow.timetravel.values import Part, Reading, fields_of

TASKS_MAX = 50
"""Tasks of a state that are shown, the oldest."""
FRAMES_MAX = 20
"""Frames of a task, the innermost."""


@dataclass(frozen=True, slots=True)
class FrameShown:
    """A frame of user code."""

    file: str
    line: int
    function: str
    source: Excerpt
    variables: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class TaskShown:
    """A task that has not ended."""

    name: str
    order: int
    """Tells tasks of one name apart."""
    kind: str
    """``run``, ``signal``, ``update`` or ``task``."""
    waits_for: str
    frames: tuple[FrameShown, ...]
    """The innermost first."""
    is_new: bool = False
    has_moved: bool = False
    """Whether it waits somewhere else than before the step."""


@dataclass(frozen=True, slots=True)
class State:
    """A run's code at rest after a step."""

    fields: tuple[Part, ...]
    tasks: tuple[TaskShown, ...]
    tasks_left_out: int
    has_ended: bool
    details: str
    """What the code said of itself (`workflow.set_current_details`)."""
    ended_tasks: tuple[str, ...] = ()
    """Tasks of the state before that have ended."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the code did not come through a step."""

    step: int
    kind: str
    """``nondeterminism``, ``raised`` or ``limit``."""
    message: str
    expected: tuple[Recorded, ...] = ()
    """What the history says that the code asked for; for ``nondeterminism`` only, as the two below."""
    found: tuple[str, ...] = ()
    """What it asks for today, with the place."""
    at: int = -1
    """The first of either that differs; -1 where it is no matter of them."""
    raised_at: tuple[FrameShown, ...] = ()
    """The frames that the exception went through, the innermost first."""


@dataclass(frozen=True, slots=True)
class View:
    """One step, after it was made again."""

    number: int
    state: State | None
    """``None`` where the code left its history before this step, or could not be looked at in it."""
    trouble: Trouble | None
    asked: tuple[str, ...] = ()
    """Of an attempt: what today's code asks for, with the place. Steps of the history have outcomes instead."""


def state_of(instance: Instance, *, loaded_s: float) -> State:
    reading = Reading(instance.workflow)
    fields = reading.variables(fields_of(instance.workflow))
    seen = tasks_of(instance)
    tasks = tuple(_task(one, reading, loaded_s) for one in seen[:TASKS_MAX])
    return State(fields, tasks, len(seen) - len(tasks), instance.done, instance.details[:4_096])


def frames_shown(
    frames: Sequence[Standing], reading: Reading, loaded_s: float
) -> tuple[FrameShown, ...]:
    """The innermost first."""
    return tuple(_frame(one, reading, loaded_s) for one in [*reversed(frames)][:FRAMES_MAX])


def with_changes(before: State | None, now: State) -> State:
    """``now``, with what is different in it from ``before``. The first step's state has no changes."""
    if before is None:
        return now
    earlier = {task.order: task for task in before.tasks}
    known = {task.order for task in now.tasks}
    return replace(
        now,
        fields=marked(before.fields, now.fields),
        tasks=tuple(_task_changes(earlier.get(task.order), task) for task in now.tasks),
        ended_tasks=tuple(task.name for task in before.tasks if task.order not in known),
    )


def _task(seen: TaskSeen, reading: Reading, loaded_s: float) -> TaskShown:
    word = seen.name.partition(" ")[0]
    kind = "run" if seen.is_main else word if word in ("signal", "update") else "task"
    return TaskShown(
        seen.name, seen.order, kind, seen.waits_for, frames_shown(seen.frames, reading, loaded_s)
    )


def _frame(standing: Standing, reading: Reading, loaded_s: float) -> FrameShown:
    code, module = standing.code, standing.module
    source = excerpt(code, standing.first_line, standing.last_line, module, loaded_s=loaded_s)
    variables = reading.variables(standing.variables)
    return FrameShown(code.co_filename, standing.first_line, code.co_qualname, source, variables)


def _task_changes(before: TaskShown | None, task: TaskShown) -> TaskShown:
    if before is None:
        return replace(task, is_new=True)
    # From the outermost on: the frames that both have are the same calls as long as their functions are.
    outermost = list(zip(reversed(before.frames), reversed(task.frames), strict=False))
    same = 0
    while same < len(outermost) and outermost[same][0].function == outermost[same][1].function:
        same += 1
    kept = len(task.frames) - same
    frames = [*task.frames[:kept]]
    frames += [
        replace(frame, variables=marked(earlier.variables, frame.variables))
        for earlier, frame in reversed(outermost[:same])
    ]
    moved = [(one.function, one.line) for one in before.frames] != [
        (one.function, one.line) for one in task.frames
    ]
    return replace(task, frames=tuple(frames), has_moved=moved)

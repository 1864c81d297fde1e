"""What a run's code looks like between two steps: its tasks, the frames they stand in, and what each waits for.

Nothing of the code runs here: frames and futures are only looked at. Values are handed out as they are; whoever shows
them must not call them.
"""

from __future__ import annotations

import asyncio
import gc
from itertools import islice
from types import (
    AsyncGeneratorType,
    CodeType,
    CoroutineType,
    FrameType,
    GeneratorType,
    TracebackType,
)
from typing import TYPE_CHECKING, Any, NamedTuple

from streamflow.coroutine.loop import TimerHandle
from streamflow.coroutine.source import PLUMBING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamflow.coroutine.instance import Instance

DEPTH_MAX = 100
"""Frames of one task, from the outermost inwards: recursion that waits may be deeper."""


class Standing(NamedTuple):
    """A frame of user code, and the lines of the expression in it that has not returned."""

    code: CodeType
    first_line: int
    last_line: int
    variables: Mapping[str, Any]
    module: Mapping[str, Any]
    """The frame's global names: where its source can be asked for."""


class TaskSeen(NamedTuple):
    """A task that has not ended."""

    name: str
    order: int
    """Its place among all tasks and futures of the run: names may be given twice."""
    is_main: bool
    """Whether it runs the workflow's run method."""
    frames: tuple[Standing, ...]
    """The outermost first; frames of ours and of asyncio are left out."""
    waits_for: str


def tasks_of(instance: Instance) -> list[TaskSeen]:
    """In the order of their creation."""
    return [
        TaskSeen(
            task.get_name(),
            task.order,
            task is instance._main,
            *_chain(instance, task),
        )
        for task in instance.loop.unfinished()
    ]


def raised_at(trace: TracebackType | None) -> tuple[Standing, ...]:
    """The frames of user code that an exception went through, the outermost first."""
    found: list[Standing] = []
    while trace is not None and len(found) < DEPTH_MAX:
        if _is_users(trace.tb_frame):
            found.append(_standing(trace.tb_frame, trace.tb_lasti, trace.tb_lineno))
        trace = trace.tb_next
    return tuple(found)


def _chain(instance: Instance, task: asyncio.Task[Any]) -> tuple[tuple[Standing, ...], str]:
    found: list[Standing] = []
    at: Any = task.get_coro()
    seen = 0
    while (step := _frame_and_next(at)) is not None and seen < DEPTH_MAX:
        frame, at = step
        seen += 1
        if frame is not None and _is_users(frame):
            found.append(_standing(frame, frame.f_lasti, frame.f_lineno))
    return tuple(found), _awaited(instance, at)


def _frame_and_next(at: Any) -> tuple[FrameType | None, Any] | None:
    """What stands here, and what it waits for in turn; ``None`` for what has no frame."""
    kind = _class_of(at)
    if kind is CoroutineType:
        return at.cr_frame, at.cr_await
    if kind is AsyncGeneratorType:
        return at.ag_frame, at.ag_await
    if kind is GeneratorType:
        return at.gi_frame, at.gi_yieldfrom
    if kind.__name__ in _WRAPPERS and kind.__module__ == "builtins":
        # What awaits an async generator, or a coroutine by hand, names it to nobody but the garbage collector.
        for referent in gc.get_referents(at):
            if type(referent) in (AsyncGeneratorType, CoroutineType):
                return None, referent
    return None


def _class_of(value: object) -> type:
    return type(value)


_WRAPPERS = frozenset(
    {"async_generator_asend", "async_generator_athrow", "anext_awaitable", "coroutine_wrapper"}
)


def _is_users(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] not in PLUMBING


def _standing(frame: FrameType, instruction: int, line: int | None) -> Standing:
    code = frame.f_code
    first = last = line or code.co_firstlineno
    if instruction >= 0:
        found = next(islice(code.co_positions(), instruction // 2, None), (None, None, None, None))
        start, end = found[:2]
        if start is not None and end is not None and start <= first <= end:
            first, last = start, end
    return Standing(code, first, last, dict(frame.f_locals), frame.f_globals)


def _awaited(instance: Instance, awaitable: Any) -> str:
    """What the innermost frame waits for, in a few words; empty where that cannot be told."""
    future: Any = awaitable
    if not _is_future(future):
        future = next((one for one in gc.get_referents(awaitable) if _is_future(one)), None)
    if future is None:
        return ""
    for condition in instance.conditions.waiting():
        if condition.future is future:
            code = getattr(condition.condition, "__code__", None)
            where = f" of line {code.co_firstlineno}" if isinstance(code, CodeType) else ""
            return f"the condition{where}"
    if issubclass(type(future), asyncio.Task):
        return f"task {future.get_name()}"
    for machine in instance.operations.pending():
        if any(one is future or _calls(one, future) for one in gc.get_referents(machine)):
            return str(machine)
    if type(future) is _GATHERING:
        children: list[asyncio.Future[Any]] = future._children
        count = sum(not _done(child) for child in children)
        return f"{count} of {len(children)} that were gathered"
    return ""


_GATHERING: Any = vars(asyncio.tasks)["_GatheringFuture"]


def _done(future: asyncio.Future[Any]) -> bool:
    # Asyncio's own, whatever a class that derives from it makes of that.
    base: Any = asyncio.Future
    return bool(base.done(future))


def _is_future(value: object) -> bool:
    # By the type alone: to ask an object of the user's whether it is a future would run its code.
    return issubclass(type(value), asyncio.Future)


def _calls(handle: object, future: object) -> bool:
    """Whether it is a timer that ends the future when it fires."""
    if type(handle) is not TimerHandle:
        return False
    args = getattr(handle, "_args", None) or ()
    return any(argument is future for argument in args)

"""Takes an instance's coroutines down, on the thread that owns them, instead of leaving them to the garbage collector.

`Evicted` is thrown into each until it has ended, and raised by whatever it asks for. What catches even that, three times, is
parked for the life of the process and counted: the owner recycles itself when there are too many. Code that asks again and
again without letting go of the thread is given something to wait for (`loop.REFUSALS_MAX`), and parked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from streamflow.coroutine import guard
from streamflow.coroutine.errors import Evicted
from streamflow.coroutine.loop import WorkflowLoop

ROUNDS_MAX = 3

_parked: list[object] = []


def parked_count() -> int:
    """How many coroutines of this process could not be taken down."""
    return len(_parked)


def evict(loop: WorkflowLoop) -> bool:
    """Ends every task and async generator of the loop. False if some had to be parked."""
    loop.evicting = True
    unfinished = loop.unfinished()
    if not loop.generators and not unfinished:
        # Nothing of it is left to run, as after every run that ended by itself.
        loop.drop_ready()
        loop.tasks.clear()
        return True
    clean = True
    with guard.step(loop):
        for task in unfinished:
            # The task never learns of its coroutine's end, and must not complain of it when it is collected.
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own switch for this
            coroutine: Any = task.get_coro()
            loop.refusals = 0
            # As in a step: what asks for its task, such as a timeout, would else fail at once, again and again.
            asyncio.tasks._enter_task(loop, task)
            try:
                ended = task.context.run(_end, coroutine.throw)
            finally:
                asyncio.tasks._leave_task(loop, task)
            if ended:
                _part(task)
            else:
                _parked.append((task, coroutine))
                clean = False
        for generator in loop.generators:
            loop.refusals = 0
            if generator.ag_frame is not None and not _end_generator(generator):
                _parked.append(generator)
                clean = False
        loop.drop_ready()
        loop.tasks.clear()
        loop.generators.clear()
    return clean


def _end(throw: Any) -> bool:
    """Throws until the coroutine has ended; it may wait for something in its ``finally`` some times."""
    for _ in range(ROUNDS_MAX):
        try:
            throw(Evicted())
        except BaseException:
            # Whatever it ends with, nobody awaits it any more.
            return True
    return False


def _part(task: asyncio.Task[Any]) -> None:
    """What the task waited for would call it back, so each holds the other, and both the run: only the collector would free them."""
    awaited: Any = getattr(task, "_fut_waiter", None)
    if awaited is not None:
        for callback, _context in awaited._callbacks or ():
            awaited.remove_done_callback(callback)


def _end_generator(generator: Any) -> bool:
    for _ in range(ROUNDS_MAX):
        closing: Coroutine[Any, Any, Any] = generator.athrow(Evicted())
        try:
            closing.send(None)
        except BaseException:
            return True
    return False

"""A deterministic asyncio loop for one run: first in, first out; time stands still; delays are durable timers.

It has no threads, sockets, signals or subprocesses: those methods raise with advice. `Instance` turns it
(`run_ready`), `guard.step` makes it the running loop meanwhile. The running loop is also how code finds its instance.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from types import AsyncGeneratorType
from typing import Any, NoReturn, Protocol, TypeVar, TypeVarTuple, Unpack, cast

from streamflow.coroutine.errors import Evicted, StepLimitExceeded
from streamflow.coroutine.guarding import GUARDED
from streamflow.coroutine.ordered import WorkflowFuture, WorkflowTask

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_PRUNE_MIN = 64
REFUSALS_MAX = 100
"""So often a coroutine that is taken down is refused what it asks for. One that goes on asking gets something to wait for
that never comes, so that it lets go of the thread."""


class TimerHandle(asyncio.TimerHandle):
    """A delayed call; ``timer`` is the durable timer behind it, ``None`` once it does not matter any more."""

    __slots__ = ("timer",)
    timer: Timer | None


class Timer(Protocol):
    """What the loop needs of a durable timer."""

    def cancel(self) -> None: ...


class Owner(Protocol):
    """What the loop needs of the instance that it belongs to."""

    @property
    def now_ms(self) -> int: ...

    def begin_timer(self, handle: TimerHandle, delay_s: float, summary: str) -> Timer:
        """Begins a durable timer that will queue the handle with `WorkflowLoop.fire`."""
        ...

    def loop_notice(self, message: str, exception: BaseException | None) -> None:
        """Something that nobody awaited went wrong."""
        ...

    def refuse_changes(self) -> None:
        """Raises when the code may not begin anything now."""
        ...


class WorkflowLoop(asyncio.AbstractEventLoop):
    """Runs one run's tasks. Between steps it holds them, so that only `eviction` ever ends them early."""

    def __init__(self, owner: Owner, *, guarded: bool) -> None:
        self.owner = owner
        self.guarded = guarded
        """Read by `guard`: whether this run's steps are kept from clocks, chance and I/O."""
        self.guarding = GUARDED
        self.interrupted: StepLimitExceeded | None = None
        self.callback_failure: BaseException | None = None
        self.evicting = False
        self.refusals = 0
        """Of the coroutine that is being taken down."""
        self.outcomes_take_turns = False
        """Whether this step's run is of those that `flags.Flag.OUTCOMES_TAKE_TURNS` is about."""
        self.tasks: list[WorkflowTask[Any]] = []
        self.generators: list[AsyncGeneratorType[Any, Any]] = []
        self._ready: deque[asyncio.Handle] = deque()
        self._created = 0
        self._taken = 0
        """Callbacks that have been taken out to run, the running one among them."""
        self._prune_at = _PRUNE_MIN

    # turning

    def run_ready(self, enough: Callable[[], bool], *, at_least: int = 0) -> None:
        """Runs callbacks until none is ready, or ``enough`` has been asked for; the first ``at_least`` in any case.

        Raises:
            StepLimitExceeded: a watchdog interrupted the step, even if the code swallowed that.
            BaseException: what a callback (not a task) raised.
        """
        ready = self._ready
        while ready and (at_least > 0 or not enough()):
            at_least -= 1
            handle = ready.popleft()
            self._taken += 1
            if not handle._cancelled:  # as asyncio's own loops do
                handle._run()
                if self.interrupted is not None:
                    raise self.interrupted
                if self.callback_failure is not None:
                    raise self.callback_failure
            if len(self.tasks) > self._prune_at:
                self._prune()

    def next_turn(self) -> int:
        """The place, among all callbacks of the run, of one that would be queued now."""
        return self._taken + len(self._ready)

    def has_passed(self, turn: int) -> bool:
        """Whether a callback of that place would have run."""
        return self._taken > turn

    def put_off(self) -> list[asyncio.Handle]:
        """Takes out what a full step has left, for what comes first now."""
        left = list(self._ready)
        self._ready.clear()
        return left

    def go_on_with(self, left: list[asyncio.Handle]) -> int:
        """Puts that back behind what was queued since; how much that is."""
        ahead = len(self._ready)
        if left:
            self._ready.extend(left)
            self._taken -= ahead  # the places that were given out are those of what was left
        return ahead

    def fire(self, handle: asyncio.Handle) -> None:
        """Queues a delayed call whose time has come."""
        self._ready.append(handle)

    def refuse(self) -> None:
        """Raises Evicted, unless that has been of no use too often."""
        self.refusals += 1
        if self.refusals <= REFUSALS_MAX:
            raise Evicted

    def drop_ready(self) -> None:
        self._ready.clear()

    def unfinished(self) -> list[WorkflowTask[Any]]:
        """Tasks that have not ended, in the order of their creation."""
        return [task for task in self.tasks if not task.done()]

    def _prune(self) -> None:
        """Forgets ended tasks; the next time when there are twice as many, so that it costs little per task."""
        self.tasks = self.unfinished()
        self._prune_at = max(_PRUNE_MIN, 2 * len(self.tasks))

    def hold_generator(self, generator: AsyncGenerator[Any, Any]) -> None:
        """Keeps an async generator from the garbage collector, which would close it at a time of its own."""
        if len(self.generators) > _PRUNE_MIN:
            self.generators = [held for held in self.generators if held.ag_frame is not None]
        assert isinstance(generator, AsyncGeneratorType)
        self.generators.append(generator)

    # what asyncio and user code call

    def call_soon(
        self,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_after(delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_after(when - self.time(), callback, *args, context=context)

    def call_after(
        self,
        delay_s: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
        summary: str = "",
    ) -> TimerHandle:
        """A delayed call by a durable timer, or a call soon if there is nothing to wait for."""
        handle = TimerHandle(self.time() + delay_s, callback, args, self, context)
        handle.timer = None
        if self.evicting:
            # Never called: code that swallows its eviction and waits again is left waiting, not turned for ever.
            return handle
        if delay_s > 0:
            handle.timer = self.owner.begin_timer(handle, delay_s, summary)
        else:
            self._ready.append(handle)
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Called by asyncio when a delayed call is cancelled, also one that has been made."""
        assert isinstance(handle, TimerHandle)
        if handle.timer is not None:
            handle.timer.cancel()

    def create_future(self) -> WorkflowFuture[Any]:
        self._created += 1
        return WorkflowFuture(loop=self, order=self._created)

    def next_order(self) -> int:
        """The place of one more future among all that the run has made."""
        self._created += 1
        return self._created

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: object = None,
        context: contextvars.Context | None = None,
    ) -> WorkflowTask[T]:
        if self.evicting:
            coro.close()
            self.refuse()
            waiting: Any = self.create_future()
            return cast("WorkflowTask[T]", waiting)
        order = self.next_order()
        task = WorkflowTask(
            coro,
            loop=self,
            order=order,
            name=f"Task-{order}" if name is None else str(name),
            context=contextvars.copy_context() if context is None else context,
        )
        self.tasks.append(task)
        return task

    def time(self) -> float:
        return self.owner.now_ms / 1_000

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def get_task_factory(self) -> None:
        return None

    def get_exception_handler(self) -> None:
        return None

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """A callback that raises fails the step; what nobody awaited is only noticed (it is found at any time)."""
        exception = context.get("exception")
        if "handle" in context:
            self.callback_failure = exception
        elif not self.evicting:
            self.owner.loop_notice(context.get("message", "Unhandled error"), exception)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.call_exception_handler(context)


_ADVICE = {
    "run_in_executor": "do blocking work in an activity",
    "set_default_executor": "do blocking work in an activity",
    "call_soon_threadsafe": "other threads reach a workflow by a signal",
    "set_task_factory": "the order of a workflow's tasks is part of its history",
    "set_exception_handler": "catch exceptions where the task is awaited",
    "set_debug": "use the debug_mode of the worker",
    "run_forever": "the loop of a workflow is run by streamflow",
    "run_until_complete": "await it instead",
    "stop": "return from the run method instead",
    "close": "return from the run method instead",
    "shutdown_asyncgens": "close generators with contextlib.aclosing",
    "shutdown_default_executor": "the loop of a workflow has no executor",
    "add_signal_handler": "process signals belong to the worker",
    "remove_signal_handler": "process signals belong to the worker",
}
_IO = "do input and output in an activity"


def _refused(name: str) -> Callable[..., NoReturn]:
    def method(self: WorkflowLoop, *args: object, **kwargs: object) -> NoReturn:
        raise RuntimeError(
            f"Expected deterministic work in a workflow, found a call of the event loop's {name}(): "
            f"{_ADVICE.get(name, _IO)}"
        )

    method.__name__ = name
    return method


for _name in dir(asyncio.AbstractEventLoop):
    if not _name.startswith("_") and _name not in vars(WorkflowLoop):
        setattr(WorkflowLoop, _name, _refused(_name))

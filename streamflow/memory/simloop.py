"""A deterministic asyncio event loop on virtual time: no threads, no sockets, no waiting.

When nothing is ready, the clock moves to its next timer. With a seed, callbacks of different processes are interleaved
at random, those of one process stay in order; without one, all stay in order. The process of a callback is told by
`PROCESS` in its context: tasks of a paused process wait, those of a dead one never run again.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, Final, TypeVar, TypeVarTuple

from streamflow.memory.clock import Timer, VirtualClock
from streamflow.memory.processes import PROCESS, Process, ProcessCrashed

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

# So many callbacks with time standing still are a machine that spins.
_STANDSTILL_MAX: Final = 1_000_000


class Deadlock(RuntimeError):
    """Nothing is ready and no timer is set: what is awaited can never happen."""


class Standstill(RuntimeError):
    """Callbacks run on and on while no time passes."""


class SimLoop(asyncio.BaseEventLoop):
    """Give its ``clock`` to the `MemoryBroker`. Run it with `simulate`, which also ends what the dead left behind."""

    def __init__(self, clock: VirtualClock | None = None, *, seed: int | None = None) -> None:
        super().__init__()
        self.clock = clock or VirtualClock()
        self.clock.moves_itself = True
        self._random = None if seed is None else random.Random(seed)
        self._queues: dict[Process | None, deque[tuple[int, asyncio.Handle]]] = {}
        self._queued = 0
        self._still = 0
        self._over = False

    def time(self) -> float:
        return self.clock.monotonic_ms() / 1000

    # -- calls

    def call_soon(
        self,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        context = copy_context() if context is None else context
        handle = asyncio.Handle(callback, args, self, context)
        self._enqueue(handle, context.get(PROCESS))
        return handle

    def call_soon_threadsafe(
        self,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        context = copy_context() if context is None else context
        handle = _SimTimer(when, callback, args, self, context)
        # Rounded before rounding up, so that 0.1 + 0.2 is 300 ms and not 301; never earlier than asked.
        wait_ms = -int(-round((when - self.time()) * 1000, 3) // 1)
        process = context.get(PROCESS)
        handle.timer = self.clock.call_at(
            self.clock.now_ms() + max(0, wait_ms), lambda: self._enqueue(handle, process)
        )
        return handle

    def run_in_executor(
        self,
        executor: object,
        func: Callable[[*_Ts], _T],
        *args: *_Ts,
    ) -> asyncio.Future[_T]:
        """There are no threads: the function runs on the loop, at a later tick."""
        future: asyncio.Future[_T] = self.create_future()

        def run() -> None:
            if future.cancelled():
                return
            try:
                future.set_result(func(*args))
            except Exception as error:
                future.set_exception(error)

        self.call_soon(run)
        return future

    # -- running

    def _run_once(self) -> None:
        """One callback; `run_forever` of the base class calls this again and again."""
        queues = self._ready_queues()
        while not queues:
            self._move_time()
            queues = self._ready_queues()
        self._still += 1
        if self._still > _STANDSTILL_MAX:
            raise Standstill(
                f"Expected time to pass, found {_STANDSTILL_MAX} callbacks at {self.clock.now_ms()} ms; "
                "look for a machine whose turn always returns 0"
            )
        queue = self._pick(queues)
        handle = queue.popleft()[1]
        if not handle.cancelled():
            handle._run()  # as the base class does

    def _ready_queues(self) -> list[deque[tuple[int, asyncio.Handle]]]:
        return [queue for process, queue in self._queues.items() if queue and self._runs(process)]

    def _runs(self, process: Process | None) -> bool:
        return process is None or self._over or not (process.paused or process.dead)

    def _pick(
        self, queues: list[deque[tuple[int, asyncio.Handle]]]
    ) -> deque[tuple[int, asyncio.Handle]]:
        if self._random is not None:
            return self._random.choice(queues)
        return min(queues, key=lambda queue: queue[0][0])

    def _move_time(self) -> None:
        due_ms = self.clock.next_due_ms()
        if due_ms is None:
            held = [p.name for p, queue in self._queues.items() if p is not None and queue]
            raise Deadlock(
                "Expected something to happen, found nothing ready and no timer set "
                f"(paused or dead: {held}); what is awaited can never come"
            )
        self._still = 0
        self.clock.skip_to(due_ms)

    def _enqueue(self, handle: asyncio.Handle, process: Process | None) -> None:
        queue = self._queues.get(process)
        if queue is None:
            queue = self._queues[process] = deque()
        queue.append((self._queued, handle))
        self._queued += 1

    def end(self) -> None:
        """The simulation is over: tasks of dead processes may now be cancelled, while every port refuses them."""
        self._over = True

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), ProcessCrashed):
            super().call_exception_handler(context)

    # -- what the base class asks of a loop with sockets

    def _process_events(self, event_list: object) -> None: ...

    def _write_to_self(self) -> None: ...

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None: ...


class _SimTimer(asyncio.TimerHandle):
    """A cancelled timer must leave the clock, or time would stop at it."""

    timer: Timer | None = None

    def cancel(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        super().cancel()


def simulate(
    main: Callable[[SimLoop], Coroutine[Any, Any, _T]],
    *,
    seed: int | None = None,
    clock: VirtualClock | None = None,
) -> _T:
    """Runs ``main`` on a new `SimLoop` to its end, and closes the loop."""
    loop = SimLoop(clock, seed=seed)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        try:
            return runner.run(main(loop))
        finally:
            loop.end()

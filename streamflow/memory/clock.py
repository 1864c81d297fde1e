"""Time that can be moved: a clock with its timers, either wholly virtual or real with skipped stretches.

Timers fire in (due, order of setting). Who moves the time is not here: a test, the simulation's loop, or the skipper.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from time import monotonic_ns  # by name: the module's own is wrapped for workflow code

# Below this many cancelled timers the heap is not worth sweeping.
_SWEEP_MIN = 64


class Timer:
    """A call that is due at a time; cancelling it is idempotent."""

    __slots__ = ("_queue", "call", "due_ms")

    def __init__(self, due_ms: int, call: Callable[[], None], queue: TimerQueue) -> None:
        self.due_ms = due_ms
        self.call: Callable[[], None] | None = call
        self._queue = queue

    def cancel(self) -> None:
        if self.call is not None:
            self.call = None
            self._queue.cancelled()


class TimerQueue:
    """Timers by (due, order of setting)."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Timer]] = []
        self._set = 0
        self._cancelled = 0

    def add(self, due_ms: int, call: Callable[[], None]) -> Timer:
        timer = Timer(due_ms, call, self)
        heapq.heappush(self._heap, (due_ms, self._set, timer))
        self._set += 1
        return timer

    def cancelled(self) -> None:
        """Told by a timer; drivers re-arm at every turn, so the cancelled must not pile up until they are due."""
        self._cancelled += 1
        if self._cancelled > max(_SWEEP_MIN, len(self._heap) // 2):
            self._heap = [entry for entry in self._heap if entry[2].call is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def next_due_ms(self) -> int | None:
        while self._heap and self._heap[0][2].call is None:
            heapq.heappop(self._heap)
            self._cancelled -= 1
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now_ms: int) -> Timer | None:
        due_ms = self.next_due_ms()
        if due_ms is None or due_ms > now_ms:
            return None
        return heapq.heappop(self._heap)[2]


def _fire(timer: Timer) -> None:
    call, timer.call = timer.call, None
    assert call is not None, "Expected a timer that is still set"
    call()


class MemoryClock(ABC):
    """What the memory log needs of time: reading it, timers, and moving it ahead."""

    def __init__(self) -> None:
        # Set by a loop that moves this clock whenever nothing is ready: then nobody else needs to.
        self.moves_itself = False
        self._timers = TimerQueue()
        self._listener: Callable[[], None] | None = None

    @abstractmethod
    def now_ms(self) -> int: ...

    @abstractmethod
    def monotonic_ms(self) -> int: ...

    @abstractmethod
    def skip_to(self, due_ms: int) -> None:
        """Moves the time ahead to ``due_ms`` (never back), firing what becomes due, in order."""

    def call_at(self, due_ms: int, call: Callable[[], None]) -> Timer:
        timer = self._timers.add(due_ms, call)
        if self._listener is not None:
            self._listener()
        return timer

    def next_due_ms(self) -> int | None:
        return self._timers.next_due_ms()

    def on_timer_set(self, listener: Callable[[], None]) -> None:
        """Told whenever a timer is set; there is one listener, the time skipper."""
        self._listener = listener


class VirtualClock(MemoryClock):
    """Stands still until it is moved."""

    # 2030-01-01T00:00:00Z: a round date, so that times in a failing test can be read.
    START_MS = 1_893_456_000_000

    def __init__(self, start_ms: int = START_MS) -> None:
        super().__init__()
        self._start_ms = start_ms
        self._now_ms = start_ms

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_ms(self) -> int:
        return self._now_ms - self._start_ms

    def advance(self, by_ms: int) -> None:
        self.skip_to(self._now_ms + by_ms)

    def skip_to(self, due_ms: int) -> None:
        """Each timer sees the time at which it was due."""
        while (timer := self._timers.pop_due(due_ms)) is not None:
            self._now_ms = max(self._now_ms, timer.due_ms)
            _fire(timer)
        self._now_ms = max(self._now_ms, due_ms)


class RealClock(MemoryClock):
    """Real time plus what was skipped. Never goes back: a step of the system's clock is not seen."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead_ms = int(time.time() * 1000) - self._real_ms()
        self._skipped_ms = 0
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_loop: asyncio.AbstractEventLoop | None = None
        self._alarm_ms = 0

    def now_ms(self) -> int:
        return self._real_ms() + self._ahead_ms + self._skipped_ms

    def monotonic_ms(self) -> int:
        return self._real_ms() + self._skipped_ms

    def call_at(self, due_ms: int, call: Callable[[], None]) -> Timer:
        timer = super().call_at(due_ms, call)
        self._arm()
        return timer

    def skip_to(self, due_ms: int) -> None:
        self._skipped_ms += max(0, due_ms - self.now_ms())
        self.fire_due()

    def fire_due(self) -> None:
        while (timer := self._timers.pop_due(self.now_ms())) is not None:
            _fire(timer)
        self._arm()

    def _arm(self) -> None:
        """One alarm on the running loop, at the next timer. Without a loop, `fire_due` is called by hand."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            if self._alarm_loop is not None and not self._alarm_loop.is_closed():
                self._alarm_loop.call_soon_threadsafe(self._arm)
            return
        due_ms = self._timers.next_due_ms()
        if self._alarm is not None:
            if self._alarm_ms == due_ms and self._alarm_loop is loop:
                return
            self._alarm.cancel()
            self._alarm = None
        if due_ms is not None:
            delay_s = max(0, due_ms - self.now_ms()) / 1000
            self._alarm = loop.call_later(delay_s, self._alarmed)
            self._alarm_loop, self._alarm_ms = loop, due_ms

    def _alarmed(self) -> None:
        self._alarm = None
        self.fire_due()

    @staticmethod
    def _real_ms() -> int:
        return monotonic_ns() // 1_000_000

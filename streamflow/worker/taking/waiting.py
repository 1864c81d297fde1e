"""What waits for a slot: which of them is next, and how soon it may begin.

Lower priority keys go first. Within one, keys of fairness take turns in proportion to their weights, and of one key
whoever came first. Two rates may hold all of them back: the worker's own, and its share of the queue's.
"""

from __future__ import annotations

import heapq
import itertools
from typing import Generic, Protocol, TypeVar

from streamflow.model.tasks import ActivityTask


class OfTask(Protocol):
    """An attempt, or a task that is to become one."""

    task: ActivityTask


T = TypeVar("T", bound=OfTask)

DEFAULT_PRIORITY = 3
KEYS_REMEMBERED_MAX = 1_000
"""Keys of fairness whose last turn is remembered; beyond that all begin anew."""


class Rate:
    """At most so many begin in a second, evenly: one at a time, none saved up for later."""

    def __init__(self, per_second: float | None) -> None:
        self.per_second = per_second
        self._next_ms = 0.0

    def wait_ms(self, now_ms: float) -> float:
        """How long until the next may begin; 0 is now."""
        if self.per_second is None:
            return 0.0
        return max(0.0, self._next_ms - now_ms)

    def take(self, now_ms: float) -> None:
        """One begins."""
        if self.per_second is not None:
            self._next_ms = max(self._next_ms, now_ms) + 1_000 / self.per_second


class Waiting(Generic[T]):
    """Owned by one thread."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, float, int, T]] = []
        self._order = itertools.count()
        self._turns: dict[tuple[int, str], float] = {}
        """The turn of each key's last attempt: its next one comes ``1 / weight`` later."""
        self._now = 0.0
        """The turn of whoever was taken last: a key that was away does not make up for it."""

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, attempt: T) -> None:
        task = attempt.task
        priority = task.priority or DEFAULT_PRIORITY
        turn = self._turn(priority, task.fairness_key, task.fairness_weight)
        heapq.heappush(self._heap, (priority, turn, next(self._order), attempt))

    @property
    def first(self) -> T:
        """Who is next."""
        return self._heap[0][-1]

    def pop(self) -> T:
        _, turn, _, attempt = heapq.heappop(self._heap)
        self._now = max(self._now, turn)
        if not self._heap:
            self._turns.clear()
        return attempt

    def _turn(self, priority: int, key: str, weight: float) -> float:
        if len(self._turns) >= KEYS_REMEMBERED_MAX:
            self._turns.clear()
        last = max(self._turns.get((priority, key), self._now), self._now)
        turn = last + 1 / max(weight, 0.001)
        self._turns[priority, key] = turn
        return turn

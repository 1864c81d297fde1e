"""How many runs may begin now, where so many may in a second: fills up with time to what one second brings, at least one."""

from __future__ import annotations


class Allowance:
    """Of one partition. In memory only: who takes the partition over begins with a full one."""

    def __init__(self) -> None:
        self._left: float | None = None
        self._seen_ms = 0

    def left(self, per_second: float, now_ms: int) -> float:
        """Runs that may begin at this time of the monotonic clock."""
        most = max(1.0, per_second) if per_second else 0.0
        if self._left is None:
            return most
        return min(most, self._left + per_second * (now_ms - self._seen_ms) / 1_000)

    def spend(self, runs: int, per_second: float, now_ms: int) -> None:
        """So many have begun. Those that were not asked whether they may leave no debt behind."""
        self._left = max(0.0, self.left(per_second, now_ms) - runs)
        self._seen_ms = now_ms

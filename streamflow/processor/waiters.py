"""Callers who wait for runs to end. In memory only: a takeover loses nothing, for callers ask again."""

from __future__ import annotations

import msgspec

from streamflow.model.commands import ReplyTo


class Waiter(msgspec.Struct, frozen=True):
    to: ReplyTo
    expires_ms: int


class Waiters:
    def __init__(self, *, per_run_max: int, wait_ms_max: int) -> None:
        self._by_run: dict[str, dict[str, Waiter]] = {}
        self._per_run_max = per_run_max
        self._wait_ms_max = wait_ms_max
        self._swept_ms = 0

    def add(self, run_id: str, to: ReplyTo, now_ms: int) -> bool:
        """Whether there was room. The same request asked again replaces itself."""
        waiting = self._by_run.setdefault(run_id, {})
        if len(waiting) >= self._per_run_max and to.request_id not in waiting:
            return False
        waiting[to.request_id] = Waiter(to, now_ms + self._wait_ms_max)
        return True

    def of(self, run_id: str) -> list[ReplyTo]:
        return [waiter.to for waiter in self._by_run.get(run_id, {}).values()]

    def forget(self, run_id: str) -> None:
        self._by_run.pop(run_id, None)

    def sweep(self, now_ms: int) -> None:
        """Drops those who stopped asking, now and then."""
        if now_ms - self._swept_ms < self._wait_ms_max:
            return
        self._swept_ms = now_ms
        for run_id, waiting in list(self._by_run.items()):
            live = {key: waiter for key, waiter in waiting.items() if waiter.expires_ms > now_ms}
            if live:
                self._by_run[run_id] = live
            else:
                del self._by_run[run_id]

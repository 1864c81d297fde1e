"""Callers who wait for runs to end. In memory only: a takeover loses nothing, for callers are told of it and ask again. A
processor that has to restore a partition from the log keeps its callers.

A caller who stopped waiting cannot be told from a patient one, so waiters do not expire; there is room for so many,
and the oldest makes room for the newest.
"""

from __future__ import annotations

from collections import OrderedDict

from streamflow.model.commands import ReplyTo


def waiters_key(run_id: str, update_id: str = "") -> str:
    """Under which those wait who want a run's end, or one update's outcome."""
    return f"{run_id}/{update_id}" if update_id else run_id


def parse_key(key: str) -> tuple[str, str]:
    """The run and the update, which is empty for those who wait for the run's end."""
    run_id, _, update_id = key.partition("/")
    return run_id, update_id


class Waiters:
    """By key: a run's ID, or that of a run and an update (`waiters_key`)."""

    def __init__(self, *, waiters_max: int) -> None:
        self._by_run: dict[str, dict[str, ReplyTo]] = {}
        self._in_order: OrderedDict[str, str] = OrderedDict()
        """Run by request, oldest first."""
        self._waiters_max = waiters_max

    def add(self, run_id: str, to: ReplyTo) -> None:
        """The same request asked again replaces itself."""
        if self._in_order.get(to.request_id) != run_id:
            self._drop(to.request_id)
            while len(self._in_order) >= self._waiters_max:
                self._drop(next(iter(self._in_order)))
            self._in_order[to.request_id] = run_id
        self._by_run.setdefault(run_id, {})[to.request_id] = to

    def of(self, run_id: str) -> list[ReplyTo]:
        return list(self._by_run.get(run_id, {}).values())

    def forget(self, run_id: str) -> None:
        for request_id in self._by_run.pop(run_id, {}):
            del self._in_order[request_id]

    def everyone(self) -> list[tuple[str, ReplyTo]]:
        """(run, address) of all who wait, oldest first."""
        return [
            (run_id, self._by_run[run_id][request_id])
            for request_id, run_id in self._in_order.items()
        ]

    def __len__(self) -> int:
        return len(self._in_order)

    def _drop(self, request_id: str) -> None:
        run_id = self._in_order.pop(request_id, None)
        if run_id is not None:
            waiting = self._by_run[run_id]
            del waiting[request_id]
            if not waiting:
                del self._by_run[run_id]

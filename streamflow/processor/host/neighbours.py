"""The queues of workflows beside our own: where a message may go whose workflow is not known here."""

from __future__ import annotations

from streamflow import topology
from streamflow.observability import get_logger
from streamflow.ports import Fatal, Fenced, Log, LogError, Unavailable

log = get_logger("processor")

FRESH_MS = 200
"""For so long, what was seen of other queues is believed: a lookup asks the log, and its partition waits meanwhile."""


class Neighbours:
    def __init__(self, log: Log, namespace: str) -> None:
        self._log = log
        self._namespace = namespace
        self._names: list[str] = []
        self._read_ms = -FRESH_MS
        self._live: dict[str, tuple[int, bool]] = {}
        self._barred: set[str] = set()
        """Queues that we have said of that we may not look at them."""

    def next_queue(self, tried: tuple[str, ...]) -> str | None:
        """The first queue of workflows that was not tried and has a live processor."""
        now_ms = self._log.clock.monotonic_ms()
        if now_ms - self._read_ms >= FRESH_MS:
            self._read_ms = now_ms
            entries = topology.read_queues(self._log, self._namespace)
            self._names = sorted(n for n, entry in entries.items() if entry.kind == "workflow")
            self._live.clear()
        untried = (name for name in self._names if name not in tried)
        return next((name for name in untried if self._is_live(name, now_ms)), None)

    def _is_live(self, queue: str, now_ms: int) -> bool:
        seen_ms, live = self._live.get(queue, (-FRESH_MS, False))
        if now_ms - seen_ms >= FRESH_MS:
            live = self._has_members(queue)
            self._live[queue] = now_ms, live
        return live

    def _has_members(self, queue: str) -> bool:
        """A queue that this processor may not even look at is none that it reaches."""
        group = topology.processor_group(self._namespace, queue)
        try:
            return bool(self._log.live_members(group))
        except (Unavailable, Fenced, Fatal):
            raise
        except LogError as error:
            if queue not in self._barred:
                self._barred.add(queue)
                log.warning("queue_not_reached", queue=queue, reason=str(error))
            return False

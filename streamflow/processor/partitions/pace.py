"""Says how far a long restore has come, for whoever waits for it."""

from __future__ import annotations

from streamflow.observability import get_logger
from streamflow.ports import Clock
from streamflow.processor.state.partition import Partition, Restoring

log = get_logger("processor")

EVERY_MS = 10_000
"""A restore that takes less says nothing before its end."""


class Pace:
    """Of reading one partition's history from where its store is to an offset."""

    def __init__(self, partition: Partition, end: int, clock: Clock) -> None:
        self._clock = clock
        self._number = partition.number
        begin = partition.meta.history_offset
        self._said_ms = clock.monotonic_ms()
        self._restoring = Restoring(begin, begin, end, self._said_ms)
        partition.restoring = self._restoring

    def at(self, offset: int) -> None:
        """The next offset to read is this one."""
        restoring = self._restoring
        restoring.offset = offset
        now_ms = self._clock.monotonic_ms()
        if now_ms - self._said_ms < EVERY_MS:
            return
        self._said_ms = now_ms
        done, left = offset - restoring.begin, restoring.end - offset
        log.info(
            "partition_restoring",
            partition=self._number,
            offsets_read=done,
            offsets_left=left,
            percent=100 * done // max(done + left, 1),
            seconds_left=(now_ms - restoring.begun_ms) * left // max(done, 1) // 1_000,
        )

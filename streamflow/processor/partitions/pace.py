"""Says how far a long restore has come, for whoever waits for it."""

from __future__ import annotations

from streamflow.observability import get_logger
from streamflow.ports import Clock

log = get_logger("processor")

EVERY_MS = 10_000
"""A restore that takes less says nothing before its end."""


class Pace:
    """Of reading one partition's history between two offsets."""

    def __init__(self, partition: int, begin: int, end: int, clock: Clock) -> None:
        self._partition = partition
        self._begin = begin
        self._end = end
        self._clock = clock
        self._begun_ms = self._said_ms = clock.monotonic_ms()

    def at(self, offset: int) -> None:
        """The next offset to read is this one."""
        now_ms = self._clock.monotonic_ms()
        if now_ms - self._said_ms < EVERY_MS:
            return
        self._said_ms = now_ms
        done, left = offset - self._begin, self._end - offset
        log.info(
            "partition_restoring",
            partition=self._partition,
            offsets_read=done,
            offsets_left=left,
            percent=100 * done // max(done + left, 1),
            seconds_left=(now_ms - self._begun_ms) * left // max(done, 1) // 1_000,
        )

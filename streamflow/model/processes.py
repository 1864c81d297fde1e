"""What a processor says of itself while it restores partitions or stands by for others': what its consumer group does not know."""

from __future__ import annotations

import msgspec


class RestoreReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How far one partition is restored, in offsets of its history."""

    partition: int
    begin_offset: int
    next_offset: int
    end_offset: int
    elapsed_ms: int = 0

    @property
    def percent(self) -> int:
        return 100 * self._done // max(self.end_offset - self.begin_offset, 1)

    @property
    def left_ms(self) -> int:
        """How long it still takes at this pace; 0 where nothing was read yet, so that nothing can be said."""
        if not self._done:
            return 0
        return self.elapsed_ms * (self.end_offset - self.next_offset) // self._done

    @property
    def _done(self) -> int:
        return self.next_offset - self.begin_offset


class RestoreProgress(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How far a process has come with all partitions of a queue that it restores, those that wait for their turn among them,
    since it last had none to restore."""

    partitions: int
    restored: int
    """How many of these are ready."""
    offsets: int
    """Of their histories, from where each began to its end."""
    offsets_read: int


class StandbyReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A partition of another that is followed."""

    partition: int
    lag: int
    """Offsets of its history that are still to be followed."""


class ProcessReport(msgspec.Struct, frozen=True, kw_only=True):
    """One processor, as of its record's time. The latest of an instance counts, and only as long as it is fresh."""

    queue: str
    instance: str
    """As its consumer group knows it."""
    restoring: tuple[RestoreReport, ...] = ()
    standby: tuple[StandbyReport, ...] = ()

"""The public HTTP API's words for who serves a task queue."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from streamflow.model.processes import ProcessReport, RestoreReport
from streamflow.topology import Share, restore_of, standbys_of


class RestoreBody(msgspec.Struct, frozen=True, kw_only=True):
    """How far a partition is restored, in offsets of its history."""

    begin_offset: int
    next_offset: int
    end_offset: int
    percent: int
    left_ms: int
    """How long it still takes at this pace; 0 where nothing can be said yet."""

    @staticmethod
    def of(report: RestoreReport) -> RestoreBody:
        return RestoreBody(
            begin_offset=report.begin_offset,
            next_offset=report.next_offset,
            end_offset=report.end_offset,
            percent=report.percent,
            left_ms=report.left_ms,
        )


class PartitionBody(msgspec.Struct, frozen=True, kw_only=True):
    """One partition of a queue: of its inbox (``processor``) or of its activities (``activities``)."""

    queue: str
    role: str
    partition: int
    instance: str | None
    """Who has it; ``null`` when nobody does."""
    position: int | None
    """The next offset to read; ``null`` when nobody has read yet."""
    end: int
    lag: int
    """Offsets that are still to be read."""
    restore: RestoreBody | None = None
    """While who has it restores it."""
    standbys: Mapping[str, int] = {}
    """Who stands by for it, and how many offsets of its history each has still to follow."""

    @staticmethod
    def of(share: Share, reports: Mapping[str, ProcessReport]) -> PartitionBody:
        restore = restore_of(share, reports)
        return PartitionBody(
            queue=share.queue,
            role=share.role,
            partition=share.partition,
            instance=share.member,
            position=share.position,
            end=share.end,
            lag=share.lag,
            restore=None if restore is None else RestoreBody.of(restore),
            standbys=dict(standbys_of(share, reports)),
        )


class PartitionsBody(msgspec.Struct, frozen=True, kw_only=True):
    """Every partition of a queue: those of its inbox, then those of its activities."""

    partitions: tuple[PartitionBody, ...]

"""Whether a start is refused for a quota. Only what comes from outside is: runs that others begin and go on with are never
broken off by a quota, but they count.

Nobody knows the whole queue: each partition enforces its share of the quota.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from streamflow.engine.decide import reject
from streamflow.model.answers import Reason, Rejection
from streamflow.model.commands import StartWorkflow
from streamflow.model.settings import Quota


class Place(NamedTuple):
    """Whose quota it is, for the messages."""

    namespace: str
    queue: str
    own: bool
    """Whether the queue has quotas of its own."""

    def __str__(self) -> str:
        return f"queue {self.queue!r} of namespace {self.namespace!r}"

    @property
    def command(self) -> str:
        """What changes the quota, without the figure."""
        of_queue = f" --queue {self.queue}" if self.own else ""
        return f"streamflow namespace update {self.namespace}{of_queue}"


def may_be_refused(command: StartWorkflow) -> bool:
    """Not the start of a child, of the next run of a chain, or one that came with a run's signal."""
    return command.parent is None and command.chain is None and command.origin is None


def open_share(open_workflows_max: int, partitions: int) -> int:
    """Open runs of one partition, rounded up."""
    return math.ceil(open_workflows_max / partitions)


def refuse_open(quota: Quota, partitions: int, found: int, *, place: Place) -> Rejection | None:
    """``found`` are the partition's open runs, without the one to be begun and without one that ends for it."""
    most = quota.open_workflows_max
    if most is None or found < (share := open_share(most, partitions)):
        return None
    return reject(
        Reason.QUOTA_EXCEEDED,
        f"Expected at most {most} open workflows on {place} (quota open_workflows_max, {share} for each of its {partitions} "
        f"partitions), found {found} in the workflow's partition: try again when some have ended, or raise it with: "
        f"{place.command} --open-workflows-max N",
    )


def refuse_rate(quota: Quota, partitions: int, left: float, *, place: Place) -> Rejection | None:
    """``left`` are the runs that may still begin in the partition now."""
    most = quota.starts_per_second
    if most is None or left >= 1:
        return None
    return reject(
        Reason.QUOTA_EXCEEDED,
        f"Expected at most {most:g} starts per second on {place} (quota starts_per_second, {most / partitions:.3g} for each of "
        f"its {partitions} partitions), found more in the workflow's partition: try again later, or raise it with: "
        f"{place.command} --starts-per-second R",
    )

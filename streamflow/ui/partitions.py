"""One task queue: each partition with who has it, and how much of it is still to be read."""

from __future__ import annotations

from collections import Counter

from starlette.responses import Response

from streamflow.gateway.access import Role
from streamflow.gateway.queues_api import entry_of, serving
from streamflow.topology import Share, restore_of, standbys_of
from streamflow.ui import shell
from streamflow.ui.site import Visit, requires

LABELS = {"processor": "Runs workflows", "activities": "Runs activities"}


@requires(Role.VIEWER)
async def page(visit: Visit) -> Response:
    """The queue that ``name`` names."""
    name = visit.asked("name")
    transport = visit.client.transport
    entry = await entry_of(transport, name)
    found, reports = await serving(transport, entry)
    return visit.page(
        "queue.html",
        entry=entry,
        shares=found,
        restores={share: restore_of(share, reports) for share in found},
        standbys={share: standbys_of(share, reports) for share in found},
        labels=LABELS,
        lag=sum(share.lag for share in found),
        instances=_instances(found),
        unserved=sum(share.member is None for share in found),
        command=shell.describe_queue(visit.namespace, name),
    )


def _instances(found: list[Share]) -> list[tuple[str, str, int, int]]:
    """Each process that serves it: its name, what it does, how many partitions it has, and its lag."""
    counts: Counter[tuple[str, str]] = Counter()
    lags: Counter[tuple[str, str]] = Counter()
    for share in found:
        if share.member is not None:
            counts[share.member, share.role] += 1
            lags[share.member, share.role] += share.lag
    return [
        (member, LABELS[role], count, lags[member, role])
        for (member, role), count in sorted(counts.items())
    ]

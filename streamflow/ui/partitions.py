"""One task queue: each partition with who has it, and how much of it is still to be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from starlette.responses import Response

from streamflow.gateway.access import Role
from streamflow.model.processes import ProcessReport
from streamflow.ports import Log
from streamflow.topology import Share, fresh_reports, restore_of, shares, standbys_of
from streamflow.ui import shell
from streamflow.ui.logs import asked
from streamflow.ui.site import Problem, Visit, requires

LABELS = {"processor": "Runs workflows", "activities": "Runs activities"}


@requires(Role.VIEWER)
async def page(visit: Visit) -> Response:
    """The queue that ``name`` names."""
    name = visit.asked("name")
    entries = await visit.client.transport.queues()
    entry = entries.get(name)
    if entry is None:
        known = ", ".join(sorted(entries)) or "none"
        raise Problem(404, f"Expected a task queue, found {name!r}; there are: {known}")
    now_ms = visit.client.transport.now_ms()

    def read(log: Log) -> tuple[list[Share], Mapping[str, ProcessReport]]:
        reports = fresh_reports(log, visit.namespace, name, now_ms=now_ms)
        return shares(log, visit.namespace, entry), reports

    found, reports = await asked(visit, "Partitions", read)
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

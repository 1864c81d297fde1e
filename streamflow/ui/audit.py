"""Who changed what: the newest entries of the namespace's audit topic, for admins."""

from __future__ import annotations

from starlette.responses import Response

from streamflow import audit
from streamflow.audit import Filter, Page
from streamflow.gateway.access import Role
from streamflow.ports import Log, TopicMissing
from streamflow.ui import arguments, shell
from streamflow.ui.logs import asked
from streamflow.ui.site import Visit, requires

SHOWN = 100


@requires(Role.ADMIN)
async def page(visit: Visit) -> Response:
    """The newest, or those before the place that ``before`` names; ``who`` and ``workflow`` narrow."""
    who, workflow_id = visit.asked("who").strip(), visit.asked("workflow").strip()
    before = arguments.number(visit.asked("before"), "before") or None
    wanted = Filter(who=who, workflow_id=workflow_id)

    def read(log: Log) -> Page | None:
        try:
            return audit.newest(log, visit.namespace, wanted, limit=SHOWN, before=before)
        except TopicMissing:
            return None

    found = await asked(visit, "Audit entries", read)
    older = found.before if found is not None else None
    return visit.page(
        "audit.html",
        entries=found.entries if found is not None else (),
        has_topic=found is not None,
        unreadable=found.unreadable if found is not None else 0,
        person=who,
        workflow_id=workflow_id,
        is_filtered=bool(who or workflow_id),
        newest=visit.link("audit", who=who, workflow=workflow_id) if before else "",
        older=visit.link("audit", who=who, workflow=workflow_id, before=older) if older else "",
        state_of=state_of,
        command=shell.list_audit(visit.namespace, who, workflow_id),
    )


def state_of(outcome: str) -> str:
    """By the name of a status that looks so."""
    match outcome.partition(":")[0]:
        case "done":
            return "completed"
        case "unknown":
            return "retrying"
        case _:
            return "failed"

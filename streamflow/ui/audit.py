"""Who changed what: the newest entries of the namespace's audit topic, for admins."""

from __future__ import annotations

from starlette.responses import Response

from streamflow.audit import Filter, Page
from streamflow.gateway.access import Role
from streamflow.gateway.audit_api import entries
from streamflow.service import RPCError, RPCStatusCode
from streamflow.ui import arguments, shell
from streamflow.ui.site import Visit, requires

SHOWN = 100


@requires(Role.ADMIN)
async def page(visit: Visit) -> Response:
    """The newest, or those before the place that ``before`` names; ``who`` and ``workflow`` narrow."""
    who, workflow_id = visit.asked("who").strip(), visit.asked("workflow").strip()
    before = arguments.number(visit.asked("before"), "before") or None
    wanted = Filter(who=who, workflow_id=workflow_id)

    found = await _entries(visit, wanted, before)
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


async def _entries(visit: Visit, wanted: Filter, before: int | None) -> Page | None:
    """``None`` where there is no audit topic."""
    try:
        return await entries(visit.client.transport, wanted, limit=SHOWN, before=before)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


def state_of(outcome: str) -> str:
    """By the name of a status that looks so."""
    match outcome.partition(":")[0]:
        case "done":
            return "completed"
        case "unknown":
            return "retrying"
        case _:
            return "failed"

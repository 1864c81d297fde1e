"""The form that starts a workflow."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from starlette.responses import Response

from streamflow.client import WorkflowAlreadyStartedError
from streamflow.gateway.access import Role
from streamflow.service import RPCError
from streamflow.ui import arguments, shell
from streamflow.ui.actions import CALL
from streamflow.ui.site import HTTP_OF_STATUS, Visit

TYPES_MAX = 100
"""Types that the form proposes: those of workflows that were started before."""


async def form(visit: Visit) -> Response:
    visit.require_some(Role.OPERATOR)
    given = {"type": visit.asked("type"), "queue": visit.asked("queue"), "id": "", "args": ""}
    return await _page(visit, given)


async def perform(visit: Visit) -> Response:
    """Starts it, and leads to it. The ID may be left out; an ID that is taken is refused."""
    sent = await visit.form()
    given = {name: sent.get(name, "").strip() for name in ("type", "queue", "id", "args")}
    try:
        for name, what in (("type", "a workflow type"), ("queue", "a task queue")):
            if not given[name]:
                raise arguments.Refused(f"Expected {what}, found nothing")
        handle = await visit.client.start_workflow(
            given["type"],
            args=arguments.values(given["args"]),
            id=given["id"] or str(uuid.uuid4()),
            task_queue=given["queue"],
            rpc_timeout=CALL,
        )
    except arguments.Refused as error:
        return await _page(visit, given, refusal=str(error), status_code=400)
    except WorkflowAlreadyStartedError:
        why = f"Expected an ID of no open workflow, found {given['id']!r}, which is running"
        return await _page(visit, given, refusal=why, status_code=409)
    except RPCError as error:
        code = HTTP_OF_STATUS.get(error.status, 503)
        return await _page(visit, given, refusal=error.message, status_code=code)
    run_id = handle.result_run_id or ""
    return visit.go(visit.link("workflow", id=handle.id, run=run_id, said="started"))


async def _page(
    visit: Visit, given: Mapping[str, str], *, refusal: str = "", status_code: int = 200
) -> Response:
    queues = await visit.client.transport.queues()
    counted = await visit.client.count_workflows("GROUP BY WorkflowType")
    seen = (str(group.group_values[0]) for group in counted.groups)
    types = sorted(name for name in seen if visit.may(Role.OPERATOR, name))
    names = sorted(entry.name for entry in queues.values() if entry.kind == "workflow")
    return visit.page(
        "start.html",
        status_code=status_code,
        given=given,
        refusal=refusal,
        types=types[:TYPES_MAX],
        queues=names,
        command=shell.start(visit.namespace, given),
    )

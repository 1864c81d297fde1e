"""One operation on every workflow that a list filter finds, with what became of each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from streamflow.client import WorkflowHandle
from streamflow.gateway.access import Role
from streamflow.ui import shell
from streamflow.ui.actions import CALL
from streamflow.ui.site import Problem, Visit

Handle = WorkflowHandle[Any, Any]
WORKFLOWS_MAX = 500
"""Of one form: a page waits for all of them. `streamflow batch` takes any number."""


@dataclass(frozen=True)
class Item:
    """What became of one workflow."""

    workflow_id: str
    address: str
    refusal: str
    """Why it was not carried out; empty if it was."""


async def form(visit: Visit) -> Response:
    """How many there are, and what to do with them. Raises `RPCError` for a filter that is none, and who may do neither."""
    visit.require_some(Role.OPERATOR)
    return await _page(visit, _filter(visit))


async def perform(visit: Visit) -> Response:
    """Does it to those that the filter finds now, and shows each: also whom it was not granted for, so that it is audited."""
    query = _filter(visit)
    sent = await visit.form()
    do, reason = sent.get("do", ""), sent.get("reason", "").strip()
    operation = _operation(do, reason)
    result = await visit.client.batch(query, operation, limit=WORKFLOWS_MAX)
    items = [
        Item(
            one.workflow_id,
            visit.link("workflow", id=one.workflow_id, run=one.run_id),
            one.error.message if one.error is not None else "",
        )
        for one in result.items
    ]
    items.sort(key=lambda item: (not item.refusal, item.workflow_id))
    return await _page(visit, query, do=do, reason=reason, items=items, done=True)


def _operation(do: str, reason: str) -> Callable[[Handle], Awaitable[None]]:
    match do:
        case "cancel":
            return lambda handle: handle.cancel(reason=reason, rpc_timeout=CALL)
        case "terminate":
            return lambda handle: handle.terminate(reason=reason, rpc_timeout=CALL)
        case "pause":
            return lambda handle: handle.pause(reason=reason, rpc_timeout=CALL)
        case "unpause":
            return lambda handle: handle.unpause(rpc_timeout=CALL)
        case _:
            raise Problem(400, f"Expected cancel, terminate, pause or unpause, found {do!r}")


def _filter(visit: Visit) -> str:
    query = visit.asked("query").strip()
    if not query:
        raise Problem(
            400,
            "Expected a list filter, found none: say WorkflowId IS NOT NULL for every workflow",
        )
    return query


async def _page(
    visit: Visit,
    query: str,
    *,
    do: str = "cancel",
    reason: str = "",
    items: Sequence[Item] = (),
    done: bool = False,
) -> Response:
    count = (await visit.client.count_workflows(query)).count
    return visit.page(
        "batch.html",
        query=query,
        count=count,
        most=WORKFLOWS_MAX,
        do=do,
        reason=reason,
        items=items,
        done=done,
        refused=sum(bool(item.refusal) for item in items),
        back=visit.link("workflows", query=query),
        command=shell.batch(visit.namespace, do, query, reason),
    )

"""The list of workflows: a filter as text and as chips, how many there are of each status, and a page of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from starlette.responses import Response

from streamflow.client.activities.listing import about_workflows
from streamflow.model.answers import ExecutionSummary
from streamflow.service import RPCError, RPCStatusCode
from streamflow.ui import chips, columns, shell
from streamflow.ui.chips import STATUSES, Query
from streamflow.ui.columns import Choice
from streamflow.ui.site import Visit
from streamflow.ui.states import state_of
from streamflow.visibility import FilterError

PAGE_SIZE = 50
TYPES_MAX = 12
"""Chips for workflow types, the most frequent first; others are reached by the text."""


@dataclass(frozen=True)
class Chip:
    """A chip: pressing it leads to ``address``."""

    label: str
    name: str
    address: str
    pressed: bool
    count: int | None


@dataclass(frozen=True)
class Row:
    """A workflow of the list."""

    run: ExecutionSummary
    address: str
    state: str
    """The name of a status chip."""
    label: str
    error: str
    duration_ms: int


async def page(visit: Visit) -> Response:
    """The list. A filter that cannot be understood is shown with what is wrong about it, and no rows."""
    text, token = visit.asked("query").strip(), visit.asked("page")
    choice = columns.chosen(visit.request)
    try:
        query = chips.read(text)
        found = await visit.client.transport.executions(
            about_workflows(text), page_size=PAGE_SIZE, page_token=token
        )
        statuses, types = await _chips(visit, query, choice)
    except (FilterError, RPCError) as error:
        if isinstance(error, RPCError) and error.status is not RPCStatusCode.INVALID_ARGUMENT:
            raise
        return visit.page(
            "executions.html", status_code=400, **_empty(visit, text, choice, str(error))
        )
    now_ms = visit.client.transport.now_ms()
    return visit.page(
        "executions.html",
        text=text,
        trouble="",
        statuses=statuses,
        types=types,
        rows=[row(visit, run, now_ms) for run in found.executions],
        choice=choice,
        offered=columns.offered(found.executions, choice),
        text_in=columns.text_in,
        total=await _count(visit, query),
        first_page=visit.link("workflows", query=text, columns=choice.asked) if token else "",
        next_page=visit.link(
            "workflows", query=text, columns=choice.asked, page=found.next_page_token
        )
        if found.next_page_token
        else "",
        command=shell.list_workflows(visit.namespace, text),
    )


async def jump(visit: Visit) -> Response:
    """To the workflow of an ID; to the list of those that begin with it if there is none."""
    wanted = visit.asked("id").strip()
    if not wanted:
        return visit.go(visit.link("workflows"))
    try:
        await visit.client.get_workflow_handle(wanted).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        query = f"WorkflowId STARTS_WITH {chips.quoted(wanted)}"
        return visit.go(visit.link("workflows", query=query))
    return visit.go(visit.link("workflow", id=wanted))


def row(visit: Visit, run: ExecutionSummary, now_ms: int) -> Row:
    state = state_of(run)
    return Row(
        run=run,
        address=visit.link("workflow", id=run.workflow_id, run=run.run_id),
        state=state,
        label=LABELS[state],
        error=run.trouble or run.last_failure,
        duration_ms=(run.closed_ms or now_ms) - (run.execution_ms or run.started_ms),
    )


LABELS = {status.name: status.label for status in STATUSES}


# -- chips ----------------------------------------------------------------------------------------------------------


async def _chips(
    visit: Visit, query: Query, choice: Choice
) -> tuple[Sequence[Chip], Sequence[Chip]]:
    """The chips of statuses and of types; each counts what pressing it would show."""
    counts = await _counts(visit, replace(query, status=None), "ExecutionStatus")
    statuses: list[Chip] = []
    for status in STATUSES:
        pressed = query.status == status
        wanted = replace(query, status=None if pressed else status)
        if len(status.conditions) == 1:
            count = counts.get(status.value, 0)
        else:
            count = await _count(visit, replace(query, status=status))
        if count or pressed or status.name in ("running", "completed", "failed"):
            address = visit.link("workflows", query=wanted.text, columns=choice.asked)
            statuses.append(Chip(status.label, status.name, address, pressed, count))
    by_type = await _counts(visit, replace(query, workflow_type=None), "WorkflowType")
    names = sorted(by_type, key=lambda name: (-by_type[name], name))[:TYPES_MAX]
    if query.workflow_type is not None and query.workflow_type not in names:
        names.insert(0, query.workflow_type)
    types = [
        Chip(
            name,
            "type",
            visit.link(
                "workflows",
                query=replace(
                    query, workflow_type=None if name == query.workflow_type else name
                ).text,
                columns=choice.asked,
            ),
            name == query.workflow_type,
            by_type.get(name, 0),
        )
        for name in names
    ]
    return statuses, types


async def _counts(visit: Visit, query: Query, attribute: str) -> dict[str, int]:
    text = replace(query, order="").text
    found = await visit.client.count_workflows(f"{text} GROUP BY {attribute}".strip())
    return {str(group.group_values[0]): group.count for group in found.groups}


async def _count(visit: Visit, query: Query) -> int:
    return (await visit.client.count_workflows(replace(query, order="").text)).count


def _empty(visit: Visit, text: str, choice: Choice, trouble: str) -> dict[str, object]:
    return {
        "text": text,
        "trouble": trouble,
        "statuses": (),
        "types": (),
        "rows": (),
        "choice": choice,
        "offered": (),
        "text_in": columns.text_in,
        "total": 0,
        "first_page": "",
        "next_page": "",
        "command": shell.list_workflows(visit.namespace, text),
    }

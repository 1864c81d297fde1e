"""``streamflow workflow list|count``: which workflows there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NoReturn

from cyclopts import Parameter

from streamflow.cli.shared.address import Connection
from streamflow.cli.shared.calling import called, pause
from streamflow.cli.shared.exits import ExitCode
from streamflow.cli.shared.output import (
    Form,
    print_data,
    show,
    show_list,
    show_rows,
    table,
    text,
)
from streamflow.cli.shared.terminal import Drawing, is_terminal

if TYPE_CHECKING:
    from streamflow.client import Client
    from streamflow.model.answers import ExecutionSummary

HERE = Connection()
FOLLOW_S = 1.0
PAGE_SIZE = 1_000
ERROR_WIDTH = 60

Query = Annotated[
    str,
    Parameter(
        name=["--query", "-q"],
        help="A list filter, such as `WorkflowType = 'Order' AND StartTime > NOW - 1h`.",
    ),
]


def list_(
    *,
    query: Query = "",
    limit: Annotated[int, Parameter(name=["--limit", "-l"], help="At most so many.")] = 50,
    follow: Annotated[
        bool,
        Parameter(
            name=["--follow", "-f"],
            negative=(),
            help="Go on until Ctrl-C. Without a terminal: a line for each that is new or has another state.",
        ),
    ] = False,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Lists workflows, newest first."""

    async def call(client: Client) -> int:
        if follow:
            await _followed(client, query, limit, output)
        rows = await _rows(client, query, limit)
        none = "No workflow is found by this filter."
        shown = _for_people(rows) if output == "table" else rows
        show_list(f"{len(rows)} workflows", shown, output, none=none)
        return ExitCode.OK

    return called(connection, call)


async def _rows(client: Client, query: str, limit: int) -> list[dict[str, Any]]:
    """The newest that are found; read as the feed has them, for it also says what is wrong with a run."""
    from streamflow.client.activities.listing import about_workflows

    rows: list[dict[str, Any]] = []
    token = ""
    while len(rows) < limit:
        page = await client.transport.executions(
            about_workflows(query), page_size=min(limit - len(rows), PAGE_SIZE), page_token=token
        )
        rows += [_row(run) for run in page.executions]
        token = page.next_page_token
        if not token:
            break
    return rows[:limit]


async def _followed(client: Client, query: str, limit: int, output: Form) -> NoReturn:
    drawing, told = Drawing(), dict[str, str]()
    while True:
        rows = await _rows(client, query, limit)
        if output == "table" and is_terminal():
            drawing.draw([f"{len(rows)} workflows", *table(_for_people(rows))])
        else:
            # The newest come first in a list, and last in what is told as it happens.
            news = [row for row in reversed(rows) if told.get(row["run_id"]) != row["state"]]
            _tell(news, output)
            told = {row["run_id"]: row["state"] for row in rows}
        await pause(FOLLOW_S)


def _tell(rows: list[dict[str, Any]], output: Form) -> None:
    if output != "table":
        # A document for each would be no document together.
        print_data(rows, "yaml" if output == "yaml" else "jsonl")
        return
    for row in rows:
        when = text(row["closed"] or row["started"])
        print(f"{when}  {row['state']:<10} {row['type']} {row['workflow_id']}", flush=True)


def count(*, query: Query = "", output: Form = "table", connection: Connection = HERE) -> int:
    """Counts workflows; with GROUP BY in the filter also by group."""

    async def call(client: Client) -> int:
        found = await client.count_workflows(query)
        groups = [
            {"count": group.count, "group": ", ".join(str(value) for value in group.group_values)}
            for group in found.groups
        ]
        if output != "table":
            print_data({"count": found.count, "groups": groups}, output)
        else:
            show({"count": found.count}, output)
            show_rows("Groups", groups)
        return ExitCode.OK

    return called(connection, call)


def _row(run: ExecutionSummary) -> dict[str, Any]:
    from streamflow.client.calls.values import time_of
    from streamflow.ui.states import state_of

    return {
        "status": run.status.name.lower(),
        "state": state_of(run),
        "type": run.workflow_type,
        "workflow_id": run.workflow_id,
        "run_id": run.run_id,
        "queue": run.queue,
        "started": time_of(run.started_ms),
        "closed": time_of(run.closed_ms),
        "current_step": run.current_step,
        "error": run.trouble or run.last_failure,
    }


def _for_people(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What fits a line: the state says more than the status, and errors only where there are some."""
    left_out = ["status", "current_step"]
    if not any(row["error"] for row in rows):
        left_out.append("error")
    return [
        {name: _short(value) if name == "error" else value for name, value in row.items()}
        for row in ({name: row[name] for name in row if name not in left_out} for row in rows)
    ]


def _short(error: str) -> str:
    line = " ".join(error.split())
    return line if len(line) <= ERROR_WIDTH else line[: ERROR_WIDTH - 1] + "…"

"""``streamflow workflow list|count``: which workflows there are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

from cyclopts import Parameter

from streamflow.cli.address import Connection
from streamflow.cli.calling import called
from streamflow.cli.exits import ExitCode
from streamflow.cli.output import (
    Form,
    print_data,
    show,
    show_list,
    show_rows,
    table,
    text,
)
from streamflow.cli.terminal import Drawing, is_terminal

if TYPE_CHECKING:
    from streamflow.client import Client, WorkflowExecution

HERE = Connection()
FOLLOW_S = 1.0

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
            help="Go on until Ctrl-C. Without a terminal: a line for each that is new or has another status.",
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
        show_list(f"{len(rows)} workflows", rows, output, none=none)
        return ExitCode.OK

    return called(connection, call)


async def _rows(client: Client, query: str, limit: int) -> list[dict[str, Any]]:
    return [_row(run) async for run in client.list_workflows(query, limit=limit)]


async def _followed(client: Client, query: str, limit: int, output: Form) -> NoReturn:
    drawing, told = Drawing(), dict[str, str]()
    while True:
        rows = await _rows(client, query, limit)
        if output == "table" and is_terminal():
            drawing.draw([f"{len(rows)} workflows", *table(rows)])
        else:
            # The newest come first in a list, and last in what is told as it happens.
            news = [row for row in reversed(rows) if told.get(row["run_id"]) != row["status"]]
            _tell(news, output)
            told = {row["run_id"]: row["status"] for row in rows}
        await asyncio.sleep(FOLLOW_S)


def _tell(rows: list[dict[str, Any]], output: Form) -> None:
    if output != "table":
        # A document for each would be no document together.
        print_data(rows, "yaml" if output == "yaml" else "jsonl")
        return
    for row in rows:
        when = text(row["closed"] or row["started"])
        print(f"{when}  {row['status']:<10} {row['type']} {row['workflow_id']}", flush=True)


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


def _row(run: WorkflowExecution) -> dict[str, Any]:
    return {
        "status": run.status.name.lower(),
        "type": run.workflow_type,
        "workflow_id": run.id,
        "run_id": run.run_id,
        "queue": run.task_queue,
        "started": run.start_time,
        "closed": run.close_time,
    }

"""``streamflow workflow list|count``: which workflows there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from streamflow.cli.address import Connection
from streamflow.cli.calling import called
from streamflow.cli.exits import ExitCode
from streamflow.cli.output import Form, print_data, show, show_list, show_rows

if TYPE_CHECKING:
    from streamflow.client import Client, WorkflowExecution

HERE = Connection()

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
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Lists workflows, newest first."""

    async def call(client: Client) -> int:
        found = [run async for run in client.list_workflows(query, limit=limit)]
        rows = [_row(run) for run in found]
        none = "No workflow is found by this filter."
        show_list(f"{len(rows)} workflows", rows, output, none=none)
        return ExitCode.OK

    return called(connection, call)


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

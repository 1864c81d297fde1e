"""``streamflow batch cancel|terminate|signal``: one operation on every workflow that a list filter finds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from streamflow.cli.shared.address import Connection
from streamflow.cli.shared.arguments import Input, parse_inputs
from streamflow.cli.shared.calling import called
from streamflow.cli.shared.exits import ExitCode
from streamflow.cli.shared.output import Form, print_data, show, show_rows
from streamflow.cli.shared.progress import Progress

if TYPE_CHECKING:
    from streamflow.client import Client, WorkflowHandle

HERE = Connection()

Query = Annotated[
    str, Parameter(name=["--query", "-q"], help="The list filter that finds the workflows.")
]
Reason = Annotated[str, Parameter(help="For the history of each.")]
Yes = Annotated[bool, Parameter(name=["--yes", "-y"], help="Do it; without, only count.")]


def cancel(
    *,
    query: Query,
    reason: Reason = "",
    yes: Yes = False,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Asks every workflow that is found to stop."""
    return _carried_out(
        connection, query, lambda handle: handle.cancel(reason=reason), yes=yes, output=output
    )


def terminate(
    *,
    query: Query,
    reason: Reason = "",
    yes: Yes = False,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Ends every workflow that is found at once."""
    return _carried_out(
        connection, query, lambda handle: handle.terminate(reason=reason), yes=yes, output=output
    )


def signal(
    signal_name: str,
    /,
    *,
    query: Query,
    input: Input = None,
    yes: Yes = False,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Sends a signal to every workflow that is found.

    Parameters
    ----------
    signal_name
        The signal's name.
    """
    args = parse_inputs(input)
    return _carried_out(
        connection,
        query,
        lambda handle: handle.signal(signal_name, args=args),
        yes=yes,
        output=output,
    )


def _carried_out(
    connection: Connection,
    query: str,
    operation: Callable[[WorkflowHandle[Any, Any]], Awaitable[Any]],
    *,
    yes: bool,
    output: Form,
) -> int:
    async def call(client: Client) -> int:
        count = (await client.count_workflows(query)).count
        if not yes:
            show({"would_change": count, "to_do_it": "again with --yes"}, output)
            return ExitCode.OK
        with Progress("workflows", count) as progress:

            async def counted(handle: WorkflowHandle[Any, Any]) -> None:
                try:
                    await operation(handle)
                finally:
                    progress.add()

            result = await client.batch(query, counted)
        failures = [
            {"workflow_id": item.workflow_id, "run_id": item.run_id, "error": item.error.message}
            for item in result.items
            if item.error is not None
        ]
        if output != "table":
            counts = {"succeeded": result.succeeded, "failed": result.failed}
            print_data({**counts, "failures": failures}, output)
        else:
            show({"succeeded": result.succeeded, "failed": result.failed}, output)
            show_rows("Not carried out", failures)
        return ExitCode.FAILED if failures else ExitCode.OK

    return called(connection, call)

"""``streamflow batch cancel|terminate|signal|pause|unpause|reset|delete``: one operation on every workflow that a list filter finds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

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


def pause(
    *,
    query: Query,
    reason: Annotated[str, Parameter(help="Shown with each.")] = "",
    yes: Yes = False,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Holds the code of every workflow that is found back; signals wait, timers fire and activities go on."""
    return _carried_out(
        connection, query, lambda handle: handle.pause(reason=reason), yes=yes, output=output
    )


def unpause(
    *,
    query: Query,
    yes: Yes = False,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Lets every paused or quarantined workflow that is found go on."""
    return _carried_out(connection, query, lambda handle: handle.unpause(), yes=yes, output=output)


def reset(
    *,
    query: Query,
    to: Annotated[
        Literal["first-step", "last-step"],
        Parameter(help="What each makes anew: everything, or the step that it made last."),
    ],
    reapply_signals: Annotated[
        bool, Parameter(help="Give the signals from there on to the new runs.")
    ] = True,
    reason: Reason = "",
    yes: Yes = False,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Goes back in every workflow that is found, open or closed: a new run of each makes its first or last step anew."""

    async def back(handle: WorkflowHandle[Any, Any]) -> None:
        seq = 1 if to == "first-step" else (await handle.describe()).history_length
        await handle.reset(seq=seq, reapply_signals=reapply_signals, reason=reason)

    return _carried_out(connection, query, back, yes=yes, output=output)


def delete(
    *,
    query: Query,
    yes: Yes = False,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Takes every closed workflow that is found away, with its history; of open ones only those whose history is broken."""
    return _carried_out(connection, query, lambda handle: handle.delete(), yes=yes, output=output)


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

"""``streamflow workflow pause|unpause|delete|reset``: an operator's hand on a run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from streamflow.cli.address import Connection
from streamflow.cli.arguments import Queue, Run, WorkflowID
from streamflow.cli.calling import called
from streamflow.cli.exits import ExitCode
from streamflow.cli.output import Form, show

if TYPE_CHECKING:
    from streamflow.client import Client, WorkflowHandle

HERE = Connection()


def pause(
    workflow_id: WorkflowID,
    /,
    *,
    reason: Annotated[str, Parameter(help="Shown with the workflow.")] = "",
    queue: Queue = None,
    run_id: Run = None,
    connection: Connection = HERE,
) -> int:
    """Holds a workflow's code back; signals wait, timers fire and activities go on."""
    return _done(connection, workflow_id, queue, run_id, lambda handle: handle.pause(reason=reason))


def unpause(
    workflow_id: WorkflowID,
    /,
    *,
    queue: Queue = None,
    run_id: Run = None,
    connection: Connection = HERE,
) -> int:
    """Lets a paused or quarantined workflow go on."""
    return _done(connection, workflow_id, queue, run_id, lambda handle: handle.unpause())


def delete(
    workflow_id: WorkflowID,
    /,
    *,
    queue: Queue = None,
    run_id: Run = None,
    connection: Connection = HERE,
) -> int:
    """Takes a closed workflow away, with its history; one whose history is broken also while it is open."""
    return _done(connection, workflow_id, queue, run_id, lambda handle: handle.delete())


def reset(
    workflow_id: WorkflowID,
    /,
    *,
    event_id: Annotated[
        int,
        Parameter(
            name=["--event", "-e"],
            help="An event of the first step to make anew, as `workflow history` numbers it.",
        ),
    ],
    reapply_signals: Annotated[
        bool, Parameter(help="Give the signals from there on to the new run.")
    ] = True,
    reason: Annotated[str, Parameter(help="For the history.")] = "",
    queue: Queue = None,
    run_id: Run = None,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Goes back to before a step: a new run makes it anew."""

    async def call(client: Client) -> int:
        handle = client.get_workflow_handle(workflow_id, run_id=run_id, task_queue=queue)
        fresh = await handle.reset(seq=event_id, reapply_signals=reapply_signals, reason=reason)
        show({"workflow_id": fresh.id, "run_id": fresh.run_id}, output)
        return ExitCode.OK

    return called(connection, call)


def _done(
    connection: Connection,
    workflow_id: str,
    queue: str | None,
    run_id: str | None,
    act: Callable[[WorkflowHandle[Any, Any]], Awaitable[None]],
) -> int:
    async def call(client: Client) -> int:
        await act(client.get_workflow_handle(workflow_id, run_id=run_id, task_queue=queue))
        return ExitCode.OK

    return called(connection, call)

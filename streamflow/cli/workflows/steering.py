"""``streamflow workflow pause|unpause|delete|reset``: an operator's hand on a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from streamflow.cli.shared.address import Connection
from streamflow.cli.shared.arguments import HERE, LATEST, Target, WorkflowID
from streamflow.cli.shared.calling import called_on
from streamflow.cli.shared.output import Form, show

if TYPE_CHECKING:
    from streamflow.client import WorkflowHandle


def pause(
    workflow_id: WorkflowID,
    /,
    *,
    reason: Annotated[str, Parameter(help="Shown with the workflow.")] = "",
    target: Target = LATEST,
    connection: Connection = HERE,
) -> int:
    """Holds a workflow's code back; signals wait, timers fire and activities go on."""
    return called_on(
        connection,
        workflow_id,
        target,
        lambda handle: handle.pause(reason=reason, rpc_timeout=target.patience),
    )


def unpause(
    workflow_id: WorkflowID,
    /,
    *,
    target: Target = LATEST,
    connection: Connection = HERE,
) -> int:
    """Lets a paused or quarantined workflow go on."""
    return called_on(
        connection,
        workflow_id,
        target,
        lambda handle: handle.unpause(rpc_timeout=target.patience),
    )


def delete(
    workflow_id: WorkflowID,
    /,
    *,
    target: Target = LATEST,
    connection: Connection = HERE,
) -> int:
    """Takes a closed workflow away, with its history; one whose history is broken also while it is open."""
    return called_on(
        connection,
        workflow_id,
        target,
        lambda handle: handle.delete(rpc_timeout=target.patience),
    )


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
    target: Target = LATEST,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Goes back to before a step: a new run makes it anew."""

    async def call(handle: WorkflowHandle[Any, Any]) -> None:
        fresh = await handle.reset(
            seq=event_id,
            reapply_signals=reapply_signals,
            reason=reason,
            rpc_timeout=target.patience,
        )
        show({"workflow_id": fresh.id, "run_id": fresh.run_id}, output)

    return called_on(connection, workflow_id, target, call)

"""``streamflow workflow update``: asks a workflow's code to change something, and prints what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from streamflow.cli.shared.address import Connection
from streamflow.cli.shared.arguments import HERE, LATEST, Input, Target, WorkflowID, parse_inputs
from streamflow.cli.shared.calling import called_on
from streamflow.cli.shared.exits import ExitCode
from streamflow.cli.shared.outcomes import print_failure
from streamflow.cli.shared.output import Form, print_data, show

if TYPE_CHECKING:
    from streamflow.client import WorkflowHandle, WorkflowUpdateHandle


def update(
    workflow_id: WorkflowID,
    update_name: str,
    /,
    *,
    input: Input = None,
    update_id: Annotated[
        str | None,
        Parameter(help="Names the update: sent again under it, it is done once. Random if absent."),
    ] = None,
    wait: Annotated[
        bool, Parameter(help="Wait for its result; otherwise only until it is accepted.")
    ] = True,
    target: Target = LATEST,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Updates the workflow and prints the result as JSON. A refused or failed update exits with 1.

    Parameters
    ----------
    update_name
        The update's name.
    """
    from streamflow.client import WorkflowUpdateFailedError, WorkflowUpdateStage

    args = parse_inputs(input)

    async def call(handle: WorkflowHandle[Any, Any]) -> int:
        sent: WorkflowUpdateHandle[Any] = await handle.start_update(
            update_name,
            args=args,
            id=update_id,
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
            rpc_timeout=target.patience,
        )
        if not wait:
            show({"update_id": sent.id, "run_id": sent.workflow_run_id}, output)
            return ExitCode.OK
        try:
            print_data(await sent.result(rpc_timeout=target.patience), output)
        except WorkflowUpdateFailedError as error:
            print_failure("Update", error.cause, output)
            return ExitCode.FAILED
        return ExitCode.OK

    return called_on(connection, workflow_id, target, call)

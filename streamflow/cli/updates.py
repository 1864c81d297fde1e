"""``streamflow workflow update``: asks a workflow's code to change something, and prints what it answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from streamflow.cli.address import Connection, connected
from streamflow.cli.arguments import (
    HERE,
    Input,
    Queue,
    Run,
    Seconds,
    WorkflowID,
    duration,
    parse_inputs,
)
from streamflow.cli.exits import ExitCode
from streamflow.cli.outcomes import print_failure, print_json
from streamflow.cli.output import Form, show

if TYPE_CHECKING:
    from streamflow.client import WorkflowUpdateHandle


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
    queue: Queue = None,
    run_id: Run = None,
    timeout: Seconds = None,
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

    args, patience = parse_inputs(input), duration(timeout)

    async def call() -> int:
        async with connected(connection) as client:
            handle = client.get_workflow_handle(workflow_id, run_id=run_id, task_queue=queue)
            sent: WorkflowUpdateHandle[Any] = await handle.start_update(
                update_name,
                args=args,
                id=update_id,
                wait_for_stage=WorkflowUpdateStage.ACCEPTED,
                rpc_timeout=patience,
            )
            if not wait:
                facts = {"update_id": sent.id, "run_id": sent.workflow_run_id}
                show(facts, output)
                return ExitCode.OK
            try:
                print_json(await sent.result(rpc_timeout=patience))
            except WorkflowUpdateFailedError as error:
                print_failure("Update", error.cause, output)
                return ExitCode.FAILED
            return ExitCode.OK

    return asyncio.run(call())

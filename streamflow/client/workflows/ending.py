"""How a run's end is awaited."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from streamflow.client.calls.address import Address, expect, run_id_or_none
from streamflow.client.calls.values import converter_for, decode_one, run_error
from streamflow.client.errors import WorkflowContinuedAsNewError, WorkflowFailureError
from streamflow.model.answers import Answer, Reason, Rejection, RunResult
from streamflow.model.commands import AwaitResult
from streamflow.model.options import Status

if TYPE_CHECKING:
    from streamflow.client.client import Client


async def result(
    address: Address,
    run_id: str | None,
    result_type: Any,
    *,
    follow_runs: bool,
    rpc_timeout: timedelta | None,
) -> Any:
    """What the run returned, or the last of those that followed it; raises what it ended with instead."""
    while True:
        command = AwaitResult(workflow_id=address.workflow_id, run_id=run_id_or_none(run_id))
        answer = await address.ask(command, rpc_timeout, patient=True)
        if isinstance(answer, Rejection) and answer.reason is Reason.NOT_FOUND and run_id:
            # A run can be continued on another queue: its successor is looked for there once.
            answer = await _ask_elsewhere(address, command, run_id, answer)
        ended = expect(answer, RunResult)
        following = ended.new_run_id if follow_runs else None
        if following is None:
            return await outcome(address.client, address.workflow_id, ended, result_type)
        run_id = following


async def _ask_elsewhere(
    address: Address, command: AwaitResult, run_id: str, refusal: Rejection
) -> Answer:
    transport = address.client.transport
    queue = await transport.find_queue(address.workflow_id, run_id)
    if queue == address.queue:
        return refusal
    return await transport.ask(queue, command, deadline_s=None)


async def outcome(client: Client, workflow_id: str, ended: RunResult, result_type: Any) -> Any:
    """The result of a run that nobody follows further; raises what it ended with."""
    converter = converter_for(client, workflow_id)
    match ended.status:
        case Status.COMPLETED:
            return await decode_one(converter, ended.result, result_type)
        case Status.CONTINUED_AS_NEW:
            raise WorkflowContinuedAsNewError(ended.new_run_id or "")
        case _:
            cause = await run_error(converter, ended)
            raise WorkflowFailureError(cause=cause)

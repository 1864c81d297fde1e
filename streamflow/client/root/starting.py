"""Starting workflows: one request, accepted or carried through to the result."""

from __future__ import annotations

from typing import Any, NoReturn

from streamflow.client.calls.address import seconds
from streamflow.client.calls.backing_off import until_taken
from streamflow.client.calls.large import warn_of_large
from streamflow.client.calls.start import start_command
from streamflow.client.calls.values import converter_for
from streamflow.client.errors import raise_refusal
from streamflow.client.inputs import StartWorkflowInput
from streamflow.client.root.calls import Calls
from streamflow.client.workflows.ending import outcome
from streamflow.client.workflows.handle import WorkflowHandle
from streamflow.exceptions import WorkflowAlreadyStartedError
from streamflow.model.answers import Answer, Done, Reason, Rejection, RunResult
from streamflow.model.commands import StartWorkflow, WaitFor

EAGERLY_STARTED = "__temporal_eagerly_started"
"""The attribute of handles by which programs that are tested for eager starts know of them."""


class StartCalls(Calls):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        client = self._client
        command = await self._start_command(input, WaitFor.ACCEPTED)
        warn_of_large(command, client.service_client.config.payload_limits)
        answer = await self._ask_to_start(input, command, seconds(input.rpc_timeout))
        match answer:
            case Done():
                pass
            case Rejection():
                raise_start_refusal(answer, input)
            case _:
                raise AssertionError(f"Expected Done or a refusal, found {answer!r}")
        client.remember_queue(input.id, input.task_queue)
        handle: WorkflowHandle[Any, Any] = WorkflowHandle(
            client,
            input.id,
            result_run_id=answer.run_id or None,
            first_execution_run_id=(answer.first_run_id or answer.run_id) or None,
            result_type=input.ret_type,
            task_queue=input.task_queue,
        )
        # Who asked for it is told so: a processor begins a run as it reads its start, and no task waits for a poll.
        setattr(handle, EAGERLY_STARTED, input.request_eager_start)
        return handle

    async def execute_workflow(self, input: StartWorkflowInput) -> Any:
        """Start and result in one request. Used when no interceptor wants to see the start alone."""
        client, timeout = self._client, input.rpc_timeout
        command = await self._start_command(input, WaitFor.RESULT)
        warn_of_large(command, client.service_client.config.payload_limits)
        deadline_s = timeout.total_seconds() if timeout else None
        answer = await self._ask_to_start(input, command, deadline_s)
        match answer:
            case RunResult(new_run_id=None):
                return await outcome(client, input.id, answer, input.ret_type)
            case RunResult(new_run_id=following):
                handle: WorkflowHandle[Any, Any] = WorkflowHandle(
                    client,
                    input.id,
                    result_run_id=following,
                    result_type=input.ret_type,
                    task_queue=input.task_queue,
                )
                return await handle.result(rpc_timeout=timeout)
            case Rejection():
                raise_start_refusal(answer, input)
            case _:
                raise AssertionError(f"Expected a result or a refusal, found {answer!r}")

    async def _ask_to_start(
        self, input: StartWorkflowInput, command: StartWorkflow, deadline_s: float | None
    ) -> Answer:
        transport, queue = self._client.transport, input.task_queue
        return await until_taken(
            lambda left_s: transport.ask(queue, command, deadline_s=left_s), deadline_s
        )

    async def _start_command(self, input: StartWorkflowInput, wait_for: WaitFor) -> StartWorkflow:
        return await start_command(
            input,
            headers=await self._headers(input.headers),
            converter=converter_for(self._client, input.id, workflow_type=input.workflow),
            identity=self._client.identity,
            wait_for=wait_for,
            declared=await self._declared(input.search_attributes),
        )


def raise_start_refusal(refusal: Rejection, input: StartWorkflowInput) -> NoReturn:
    if refusal.reason is Reason.ALREADY_STARTED:
        raise WorkflowAlreadyStartedError(input.id, input.workflow, run_id=refusal.run_id)
    raise_refusal(refusal)

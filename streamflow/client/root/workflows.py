"""Calls about a workflow that exists: messages to it, its end, and what can be seen of it."""

from __future__ import annotations

from typing import Any, NoReturn

from streamflow.client.calls.address import expect, run_id_or_none
from streamflow.client.calls.values import converter_for, decode_failure, decode_one, encode
from streamflow.client.errors import WorkflowQueryFailedError, WorkflowQueryRejectedError
from streamflow.client.history.events import WorkflowHistoryEventAsyncIterator
from streamflow.client.inputs import (
    CancelWorkflowInput,
    DescribeWorkflowInput,
    FetchWorkflowHistoryEventsInput,
    QueryWorkflowInput,
    SignalWorkflowInput,
    TerminateWorkflowInput,
)
from streamflow.client.root.calls import Calls
from streamflow.client.workflows.execution import WorkflowExecutionDescription, describe
from streamflow.common import QueryRejectCondition
from streamflow.model.answers import Description, Done, QueryAnswer, Reason, Rejection
from streamflow.model.commands import (
    CancelWorkflow,
    DescribeWorkflow,
    QueryWorkflow,
    SignalWorkflow,
    TerminateWorkflow,
)


class WorkflowCalls(Calls):
    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        address = self._address(input.id, input.run_id, input.task_queue)
        command = SignalWorkflow(
            workflow_id=address.workflow_id,
            run_id=address.run_id,
            signal_name=input.signal,
            args=await encode(
                converter_for(self._client, input.id, run_id=input.run_id), input.args
            ),
            headers=await self._headers(input.headers),
            identity=self._client.identity,
        )
        answer = await address.ask(command, input.rpc_timeout)
        expect(answer, Done)

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        client = self._client
        condition = input.reject_condition or client.default_workflow_query_reject_condition
        address = self._address(input.id, input.run_id, input.task_queue)
        command = QueryWorkflow(
            workflow_id=address.workflow_id,
            run_id=address.run_id,
            query_name=input.query,
            args=await encode(converter_for(client, input.id, run_id=input.run_id), input.args),
            headers=await self._headers(input.headers),
            reject_condition=(condition or QueryRejectCondition.NONE)._to_model(),
        )
        answer = await address.ask(command, input.rpc_timeout)
        match answer:
            case QueryAnswer(result=payload):
                return await decode_one(converter_for(client, input.id), payload, input.ret_type)
            case Rejection(reason=Reason.QUERY_FAILED) as refusal:
                await self._raise_query_failed(input.id, refusal)
            case Rejection(reason=Reason.QUERY_REJECTED):
                seen = DescribeWorkflowInput(
                    id=input.id,
                    run_id=input.run_id,
                    rpc_metadata=input.rpc_metadata,
                    rpc_timeout=input.rpc_timeout,
                    task_queue=input.task_queue,
                )
                raise WorkflowQueryRejectedError((await self.describe_workflow(seen)).status)
            case _:
                expect(answer, QueryAnswer)

    async def _raise_query_failed(self, workflow_id: str, refusal: Rejection) -> NoReturn:
        if refusal.failure is None:
            raise WorkflowQueryFailedError(refusal.message)
        cause = await decode_failure(converter_for(self._client, workflow_id), refusal.failure)
        raise WorkflowQueryFailedError(str(cause) or refusal.message) from cause

    async def cancel_workflow(self, input: CancelWorkflowInput) -> None:
        address = self._address(input.id, input.run_id, input.task_queue)
        command = CancelWorkflow(
            workflow_id=address.workflow_id,
            run_id=address.run_id,
            first_run_id=run_id_or_none(input.first_execution_run_id),
            reason=input.reason,
            identity=self._client.identity,
        )
        answer = await address.ask(command, input.rpc_timeout)
        if isinstance(answer, Rejection) and answer.reason is Reason.ALREADY_CLOSED:
            return  # what was asked for holds: the run goes on no more
        expect(answer, Done)

    async def terminate_workflow(self, input: TerminateWorkflowInput) -> None:
        address = self._address(input.id, input.run_id, input.task_queue)
        command = TerminateWorkflow(
            workflow_id=address.workflow_id,
            run_id=address.run_id,
            first_run_id=run_id_or_none(input.first_execution_run_id),
            reason=input.reason or "",
            details=await encode(converter_for(self._client, input.id), input.args),
            identity=self._client.identity,
        )
        answer = await address.ask(command, input.rpc_timeout)
        expect(answer, Done)

    async def describe_workflow(self, input: DescribeWorkflowInput) -> WorkflowExecutionDescription:
        address = self._address(input.id, input.run_id, input.task_queue)
        command = DescribeWorkflow(workflow_id=address.workflow_id, run_id=address.run_id)
        answer = await address.ask(command, input.rpc_timeout)
        return await describe(expect(answer, Description), converter_for(self._client, input.id))

    def fetch_workflow_history_events(
        self, input: FetchWorkflowHistoryEventsInput
    ) -> WorkflowHistoryEventAsyncIterator:
        return WorkflowHistoryEventAsyncIterator(self._client, input)

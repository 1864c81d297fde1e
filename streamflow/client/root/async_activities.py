"""Calls about activities that are completed from outside: by task token, or by IDs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from streamflow.activity.cancellation import ActivityCancellationDetails
from streamflow.client.activities.completing import AsyncActivityIDReference
from streamflow.client.calls.address import expect, seconds
from streamflow.client.calls.values import NotGiven, encode
from streamflow.client.errors import AsyncActivityCancelledError
from streamflow.client.inputs import (
    CompleteAsyncActivityInput,
    FailAsyncActivityInput,
    HeartbeatAsyncActivityInput,
    ReportCancellationAsyncActivityInput,
)
from streamflow.client.root.calls import Calls
from streamflow.converter import (
    DataConverter,
    StorageDriverActivityInfo,
    StorageDriverWorkflowInfo,
)
from streamflow.exceptions import CancelledError
from streamflow.model import standalone
from streamflow.model.answers import Done, HeartbeatAck
from streamflow.model.commands import (
    ActivityOutcome,
    Command,
    HeartbeatActivity,
    ReportActivity,
    TaskRef,
)
from streamflow.model.ids import Op, RunId, WorkflowId
from streamflow.wire.task_token import decode_task_token


class AsyncActivityCalls(Calls):
    async def heartbeat_async_activity(self, input: HeartbeatAsyncActivityInput) -> None:
        workflow_id, queue, task = _named(input.id_or_token)
        command = HeartbeatActivity(
            workflow_id=workflow_id,
            task=task,
            details=await encode(self._converter(input), input.details),
            identity=self._client.identity,
        )
        ack = expect(await self._ask(queue, command, input.rpc_timeout), HeartbeatAck)
        if ack.cancel_requested or ack.paused or ack.reset:
            raise AsyncActivityCancelledError(
                ActivityCancellationDetails(
                    cancel_requested=ack.cancel_requested, paused=ack.paused, reset=ack.reset
                )
            )

    async def complete_async_activity(self, input: CompleteAsyncActivityInput) -> None:
        workflow_id, queue, task = _named(input.id_or_token)
        values = () if isinstance(input.result, NotGiven) else (input.result,)
        payloads = await encode(self._converter(input), values)
        command = ReportActivity(
            workflow_id=workflow_id,
            task=task,
            outcome=ActivityOutcome.COMPLETED,
            result=payloads[0] if payloads else None,
            identity=self._client.identity,
        )
        expect(await self._ask(queue, command, input.rpc_timeout), Done)

    async def fail_async_activity(self, input: FailAsyncActivityInput) -> None:
        workflow_id, queue, task = _named(input.id_or_token)
        converter = self._converter(input)
        details = input.last_heartbeat_details
        command = ReportActivity(
            workflow_id=workflow_id,
            task=task,
            outcome=ActivityOutcome.FAILED,
            failure=await converter.store_failure(input.error),
            identity=self._client.identity,
            heartbeat_details=await encode(converter, details) if details else None,
        )
        expect(await self._ask(queue, command, input.rpc_timeout), Done)

    async def report_cancellation_async_activity(
        self, input: ReportCancellationAsyncActivityInput
    ) -> None:
        workflow_id, queue, task = _named(input.id_or_token)
        converter = self._converter(input)
        command = ReportActivity(
            workflow_id=workflow_id,
            task=task,
            outcome=ActivityOutcome.CANCELED,
            failure=await converter.store_failure(CancelledError("Cancelled", *input.details)),
            identity=self._client.identity,
        )
        expect(await self._ask(queue, command, input.rpc_timeout), Done)

    def _converter(
        self,
        input: HeartbeatAsyncActivityInput
        | CompleteAsyncActivityInput
        | FailAsyncActivityInput
        | ReportCancellationAsyncActivityInput,
    ) -> DataConverter:
        """What the holder gave the handle, else the client's own; whose values they are, converters are told by the holder only
        (`AsyncActivityHandle.with_context`). A storage driver is told what IDs say; a token says nothing to it."""
        converter: DataConverter = input.data_converter_override or self._client.data_converter
        given = input.id_or_token
        if not isinstance(given, AsyncActivityIDReference):
            return converter
        whose = StorageDriverWorkflowInfo if given.workflow_id else StorageDriverActivityInfo
        return converter.stored_for(
            whose(
                namespace=self._client.namespace,
                id=given.workflow_id or given.activity_id,
                run_id=given.run_id or None,
            )
        )

    async def _ask(self, queue: str, command: Command, rpc_timeout: timedelta | None) -> object:
        found = queue or await self._client.find_queue(command.workflow_id)
        return await self._client.transport.ask(found, command, deadline_s=seconds(rpc_timeout))


def _named(id_or_token: Any) -> tuple[WorkflowId, str, TaskRef]:
    """The workflow whose inbox hears of it, its queue if that is known, and the task."""
    if isinstance(id_or_token, AsyncActivityIDReference):
        given = id_or_token
        task = TaskRef(
            run_id=RunId(given.run_id or ""),
            op=Op(0),
            attempt=0,
            token=b"",
            activity_id=given.activity_id,
        )
        if given.workflow_id is None:
            return standalone.workflow_id_of(given.activity_id), standalone.QUEUE, task
        return WorkflowId(given.workflow_id), "", task
    token = decode_task_token(id_or_token)
    return token.workflow, token.queue, token.ref

"""Calls about updates, alone or with the start of their workflow."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any, NoReturn

from streamflow.client.calls.address import Address, expect, run_id_or_none
from streamflow.client.calls.backing_off import until_taken
from streamflow.client.calls.start import NO_METADATA, start_command
from streamflow.client.calls.values import converter_for, encode
from streamflow.client.errors import WorkflowUpdateRPCTimeoutOrCancelledError
from streamflow.client.inputs import (
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
    UpdateWithStartStartWorkflowInput,
    UpdateWithStartUpdateWorkflowInput,
)
from streamflow.client.root.calls import Calls
from streamflow.client.root.starting import raise_start_refusal
from streamflow.client.workflows.update_handle import (
    WorkflowUpdateHandle,
    WorkflowUpdateStage,
    as_update_error,
)
from streamflow.model.answers import Rejection, UpdateOutcome
from streamflow.model.commands import UpdateStage, UpdateWithStart, UpdateWorkflow, WaitFor


class UpdateCalls(Calls):
    async def start_workflow_update(
        self, input: StartWorkflowUpdateInput
    ) -> WorkflowUpdateHandle[Any]:
        address = self._address(input.id, input.run_id, input.task_queue)
        command = await self._update_command(
            input, address, _stage(input.wait_for_stage), input.first_execution_run_id
        )
        with as_update_error():
            answer = await address.ask(command, input.rpc_timeout, patient=True)
        outcome = expect(answer, UpdateOutcome)
        return self._update_handle(command.update_id, address, outcome, input.ret_type)

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        start, update = input.start_workflow_input, input.update_workflow_input
        told = False
        try:
            address = self._address(start.id, None, start.task_queue)
            # Only accepted: the caller is to hear of the run before the update's handler has ended.
            command = UpdateWithStart(
                workflow_id=address.workflow_id,
                start=await start_command(
                    _plain(start),
                    headers=await self._headers(start.headers),
                    converter=converter_for(self._client, start.id, workflow_type=start.workflow),
                    identity=self._client.identity,
                    wait_for=WaitFor.ACCEPTED,
                    declared=await self._declared(start.search_attributes),
                ),
                update=await self._update_command(update, address, UpdateStage.ACCEPTED, None),
            )
            with as_update_error():
                answer = await until_taken(
                    lambda left_s: address.ask(command, _duration(left_s), patient=True),
                    None if input.rpc_timeout is None else input.rpc_timeout.total_seconds(),
                )
            if isinstance(answer, Rejection):
                _raise_refusal(answer, start)
            outcome = expect(answer, UpdateOutcome)
            self._client.remember_queue(start.id, start.task_queue)
            told = True
            input._on_start(outcome)
            handle = self._update_handle(
                command.update.update_id, address, outcome, update.ret_type
            )
            if update.wait_for_stage == WorkflowUpdateStage.COMPLETED:
                await handle.wait(input.rpc_timeout)
            return handle
        except asyncio.CancelledError as error:
            cancelled = WorkflowUpdateRPCTimeoutOrCancelledError()
            if not told:
                input._on_start_error(cancelled)
            raise cancelled from error
        except Exception as error:
            if not told:
                input._on_start_error(error)
            raise

    async def _update_command(
        self,
        given: StartWorkflowUpdateInput | UpdateWithStartUpdateWorkflowInput,
        address: Address,
        stage: UpdateStage,
        first_run_id: str | None,
    ) -> UpdateWorkflow:
        return UpdateWorkflow(
            workflow_id=address.workflow_id,
            run_id=address.run_id,
            first_run_id=run_id_or_none(first_run_id),
            update_id=given.update_id or str(uuid.uuid4()),
            update_name=given.update,
            args=await encode(
                converter_for(self._client, address.workflow_id, run_id=address.run_id), given.args
            ),
            headers=await self._headers(given.headers),
            identity=self._client.identity,
            wait_for=stage,
        )

    def _update_handle(
        self, update_id: str, address: Address, outcome: UpdateOutcome, result_type: Any
    ) -> WorkflowUpdateHandle[Any]:
        return WorkflowUpdateHandle(
            self._client,
            update_id,
            address.workflow_id,
            workflow_run_id=outcome.run_id,
            result_type=result_type,
            known_outcome=outcome if outcome.completed else None,
            task_queue=address.queue or None,
        )


def _duration(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _stage(stage: WorkflowUpdateStage) -> UpdateStage:
    return UpdateStage.COMPLETED if stage == WorkflowUpdateStage.COMPLETED else UpdateStage.ACCEPTED


def _plain(given: UpdateWithStartStartWorkflowInput) -> StartWorkflowInput:
    """The start as one without an update would be given."""
    return StartWorkflowInput(
        workflow=given.workflow,
        args=given.args,
        id=given.id,
        task_queue=given.task_queue,
        execution_timeout=given.execution_timeout,
        run_timeout=given.run_timeout,
        task_timeout=given.task_timeout,
        id_reuse_policy=given.id_reuse_policy,
        id_conflict_policy=given.id_conflict_policy,
        retry_policy=given.retry_policy,
        cron_schedule=given.cron_schedule,
        memo=given.memo,
        search_attributes=given.search_attributes,
        start_delay=given.start_delay,
        headers=given.headers,
        start_signal=None,
        start_signal_args=(),
        static_summary=given.static_summary,
        static_details=given.static_details,
        ret_type=given.ret_type,
        rpc_metadata=NO_METADATA,
        rpc_timeout=None,
        request_eager_start=False,
        priority=given.priority,
        versioning_override=given.versioning_override,
    )


def _raise_refusal(refusal: Rejection, start: UpdateWithStartStartWorkflowInput) -> NoReturn:
    raise_start_refusal(refusal, _plain(start))

"""Starts of runs, messages to them, and their ends."""

from __future__ import annotations

from typing import Any

from streamflow.api.common.v1 import RetryPolicy as RetryPolicyMessage
from streamflow.api.enums.v1 import WorkflowExecutionStatus
from streamflow.api.times import Duration
from streamflow.api.workflowservice.v1 import (
    RequestCancelWorkflowExecutionRequest,
    RequestCancelWorkflowExecutionResponse,
    SignalWithStartWorkflowExecutionRequest,
    SignalWithStartWorkflowExecutionResponse,
    SignalWorkflowExecutionRequest,
    SignalWorkflowExecutionResponse,
    StartWorkflowExecutionRequest,
    StartWorkflowExecutionResponse,
    TerminateWorkflowExecutionRequest,
    TerminateWorkflowExecutionResponse,
)
from streamflow.client.calls.address import Address, expect, run_id_or_none
from streamflow.client.raw.asked import Asked
from streamflow.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from streamflow.common.durations import to_ms
from streamflow.converter import DataConverter
from streamflow.model import commands
from streamflow.model.answers import Done, Reason, Rejection
from streamflow.model.ids import WorkflowId
from streamflow.model.options import RetryPolicy
from streamflow.model.payload import Payload
from streamflow.service import RPCError, RPCStatusCode


async def start_workflow_execution(
    asked: Asked, request: StartWorkflowExecutionRequest
) -> StartWorkflowExecutionResponse:
    done = await _start(asked, request, "", ())
    return StartWorkflowExecutionResponse(
        run_id=done.run_id,
        first_execution_run_id=done.first_run_id or done.run_id,
        started=done.started,
        status=WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING,
    )


async def signal_with_start_workflow_execution(
    asked: Asked, request: SignalWithStartWorkflowExecutionRequest
) -> SignalWithStartWorkflowExecutionResponse:
    signal_args = tuple(request.signal_input.payloads)
    done = await _start(asked, request, request.signal_name, signal_args)
    return SignalWithStartWorkflowExecutionResponse(
        run_id=done.run_id,
        first_execution_run_id=done.first_run_id or done.run_id,
        started=done.started,
    )


async def signal_workflow_execution(
    asked: Asked, request: SignalWorkflowExecutionRequest
) -> SignalWorkflowExecutionResponse:
    address = asked.address(request.workflow_execution)
    command = commands.SignalWorkflow(
        workflow_id=address.workflow_id,
        run_id=address.run_id,
        signal_name=request.signal_name,
        args=tuple(request.input.payloads),
        headers=dict(request.header.fields),
        identity=asked.identity(request.identity),
    )
    await asked.ask(address, command, Done, request_id=request.request_id)
    return SignalWorkflowExecutionResponse()


async def request_cancel_workflow_execution(
    asked: Asked, request: RequestCancelWorkflowExecutionRequest
) -> RequestCancelWorkflowExecutionResponse:
    address = asked.address(request.workflow_execution)
    command = commands.CancelWorkflow(
        workflow_id=address.workflow_id,
        run_id=address.run_id,
        first_run_id=run_id_or_none(request.first_execution_run_id),
        reason=request.reason,
        identity=asked.identity(request.identity),
    )
    await asked.ask(address, command, Done, request_id=request.request_id)
    return RequestCancelWorkflowExecutionResponse()


async def terminate_workflow_execution(
    asked: Asked, request: TerminateWorkflowExecutionRequest
) -> TerminateWorkflowExecutionResponse:
    address = asked.address(request.workflow_execution)
    command = commands.TerminateWorkflow(
        workflow_id=address.workflow_id,
        run_id=address.run_id,
        first_run_id=run_id_or_none(request.first_execution_run_id),
        reason=request.reason,
        details=tuple(request.details.payloads),
        identity=asked.identity(request.identity),
    )
    await asked.ask(address, command, Done)
    return TerminateWorkflowExecutionResponse()


async def _start(
    asked: Asked,
    request: StartWorkflowExecutionRequest | SignalWithStartWorkflowExecutionRequest,
    signal_name: str,
    signal_args: tuple[Payload, ...],
) -> Done:
    queue = request.task_queue.name
    for name, given in (
        ("workflow_id", request.workflow_id),
        ("workflow_type", request.workflow_type.name),
        ("task_queue", queue),
    ):
        if not given:
            raise RPCError(f"Expected a {name}, found none", RPCStatusCode.INVALID_ARGUMENT)
    command = commands.StartWorkflow(
        workflow_id=WorkflowId(request.workflow_id),
        workflow_type=request.workflow_type.name,
        args=tuple(request.input.payloads),
        id_reuse_policy=WorkflowIDReusePolicy(request.workflow_id_reuse_policy or 1)._to_model(),
        id_conflict_policy=WorkflowIDConflictPolicy(
            request.workflow_id_conflict_policy
        )._to_model(),
        retry_policy=retry_policy_of(request.retry_policy)
        if request.HasField("retry_policy")
        else None,
        execution_timeout_ms=optional_ms(request.workflow_execution_timeout),
        run_timeout_ms=optional_ms(request.workflow_run_timeout),
        task_timeout_ms=optional_ms(request.workflow_task_timeout),
        start_delay_ms=optional_ms(request.workflow_start_delay) or 0,
        cron_schedule=request.cron_schedule,
        memo=dict(request.memo.fields),
        search_attributes=dict(request.search_attributes.indexed_fields),
        headers=dict(request.header.fields),
        static_summary=text_of(request.user_metadata.summary),
        static_details=text_of(request.user_metadata.details),
        signal_name=signal_name,
        signal_args=signal_args,
        identity=asked.identity(request.identity),
        priority=request.priority.priority_key,
        fairness_key=request.priority.fairness_key,
        fairness_weight=request.priority.fairness_weight or 1.0,
    )
    address = Address(asked.client, request.workflow_id, None, queue)
    answer = await asked.answer(address, command, request_id=request.request_id)
    if isinstance(answer, Rejection) and answer.reason is Reason.ALREADY_STARTED:
        raise RPCError(
            f"Workflow execution is already running. WorkflowId: {request.workflow_id}, RunId: {answer.run_id or ''}",
            RPCStatusCode.ALREADY_EXISTS,
        )
    return expect(answer, Done)


def retry_policy_of(given: RetryPolicyMessage) -> RetryPolicy:
    """What is left out is as without a policy: a message cannot say 0."""
    return RetryPolicy(
        initial_interval_ms=optional_ms(given.initial_interval) or 1_000,
        backoff_coefficient=given.backoff_coefficient or 2.0,
        maximum_interval_ms=optional_ms(given.maximum_interval),
        maximum_attempts=given.maximum_attempts,
        non_retryable_error_types=tuple(given.non_retryable_error_types),
    )


def write_retry_policy(policy: RetryPolicy, into: RetryPolicyMessage) -> None:
    into.initial_interval.FromMilliseconds(policy.initial_interval_ms)
    into.backoff_coefficient = policy.backoff_coefficient
    if policy.maximum_interval_ms is not None:
        into.maximum_interval.FromMilliseconds(policy.maximum_interval_ms)
    into.maximum_attempts = policy.maximum_attempts
    into.non_retryable_error_types.extend(policy.non_retryable_error_types)


def optional_ms(given: Duration) -> int | None:
    """0 is no limit."""
    return to_ms(given.ToTimedelta()) or None


def text_of(payload: Payload) -> str:
    if not payload.data:
        return ""
    found: Any = DataConverter.default.payload_converter.from_payload(payload, str)
    return str(found)


ANSWERS = (
    request_cancel_workflow_execution,
    signal_with_start_workflow_execution,
    signal_workflow_execution,
    start_workflow_execution,
    terminate_workflow_execution,
)

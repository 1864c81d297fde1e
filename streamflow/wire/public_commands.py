"""Messages of outsiders as commands of the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from streamflow.model.commands import (
    AwaitResult,
    CancelWorkflow,
    Command,
    DescribeWorkflow,
    QueryWorkflow,
    SignalWorkflow,
    StartWorkflow,
    TerminateWorkflow,
    UpdateWorkflow,
)
from streamflow.model.ids import RunId, WorkflowId
from streamflow.model.options import RetryPolicy
from streamflow.model.payload import Payload, Payloads
from streamflow.wire.errors import KEY, VALUE, Undecodable
from streamflow.wire.public import (
    Cancel,
    Describe,
    Json,
    Message,
    Query,
    Result,
    Retry,
    Signal,
    Start,
    Terminate,
    Update,
)

_JSON_PLAIN: Final = {"encoding": b"json/plain"}


def command_of(message: Message, workflow_id: str) -> Command:
    """The command that a message asks for.

    Raises:
        Undecodable: the message names another workflow than the record's key.
    """
    if message.id is not None and message.id != workflow_id:
        raise Undecodable(
            KEY, f"Expected the record's key to be the id {message.id!r}, found {workflow_id!r}"
        )
    known = WorkflowId(workflow_id)
    match message:
        case Start():
            return _start(message, known)
        case Signal():
            return SignalWorkflow(
                workflow_id=known,
                run_id=_run(message.run_id),
                signal_name=message.signal,
                args=_payloads(message.args),
            )
        case Query():
            return QueryWorkflow(
                workflow_id=known,
                run_id=_run(message.run_id),
                query_name=message.query,
                args=_payloads(message.args),
                reject_condition=message.reject_condition,
            )
        case Update():
            return UpdateWorkflow(
                workflow_id=known,
                run_id=_run(message.run_id),
                update_id=message.update_id,
                update_name=message.update,
                args=_payloads(message.args),
                wait_for=message.wait_for,
            )
        case Cancel():
            return CancelWorkflow(
                workflow_id=known,
                run_id=_run(message.run_id),
                first_run_id=_run(message.first_run_id),
                reason=message.reason,
            )
        case Terminate():
            return TerminateWorkflow(
                workflow_id=known,
                run_id=_run(message.run_id),
                first_run_id=_run(message.first_run_id),
                reason=message.reason,
                details=_payloads(message.details),
            )
        case Describe():
            return DescribeWorkflow(workflow_id=known, run_id=_run(message.run_id))
        case Result():
            return AwaitResult(workflow_id=known, run_id=_run(message.run_id))
        case _:
            raise AssertionError(message)


def _start(message: Start, workflow_id: WorkflowId) -> StartWorkflow:
    return StartWorkflow(
        workflow_id=workflow_id,
        workflow_type=message.workflow,
        args=_payloads(message.args),
        id_reuse_policy=message.id_reuse_policy,
        id_conflict_policy=message.id_conflict_policy,
        retry_policy=_retry(message.retry_policy),
        execution_timeout_ms=message.execution_timeout_ms,
        run_timeout_ms=message.run_timeout_ms,
        task_timeout_ms=message.task_timeout_ms,
        start_delay_ms=message.start_delay_ms,
        cron_schedule=message.cron_schedule,
        memo=_values(message.memo),
        search_attributes=_values(message.search_attributes),
        static_summary=message.static_summary,
        static_details=message.static_details,
        signal_name=message.signal,
        signal_args=_payloads(message.signal_args),
        wait_for=message.wait_for,
    )


def _retry(retry: Retry | None) -> RetryPolicy | None:
    if retry is None:
        return None
    return RetryPolicy(
        initial_interval_ms=retry.initial_interval_ms,
        backoff_coefficient=retry.backoff_coefficient,
        maximum_interval_ms=retry.maximum_interval_ms,
        maximum_attempts=retry.maximum_attempts,
        non_retryable_error_types=tuple(retry.non_retryable_error_types),
    )


def _run(run_id: str | None) -> RunId | None:
    return RunId(run_id) if run_id else None


def _payloads(texts: list[Json]) -> Payloads:
    return tuple(_payload(text) for text in texts)


def _values(texts: Mapping[str, Json]) -> dict[str, Payload]:
    return {name: _payload(text) for name, text in texts.items()}


def _payload(text: Json) -> Payload:
    """The JSON as sent. It is parsed once here, so that it cannot be found broken in the middle of a run."""
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as wrong:
        raise Undecodable(VALUE, f"Expected JSON, found {bytes(text)[:80]!r}: {wrong}") from None
    return Payload(_JSON_PLAIN, bytes(text))

"""Starting runs: reuse of an ID whose run is closed, conflict with one that is open. The next run of a chain is `chain`'s."""

from __future__ import annotations

from typing import assert_never

import msgspec

from streamflow.engine.chain import deadline_ms
from streamflow.engine.context import Context
from streamflow.engine.cron import first_run_ms, refuse_schedule
from streamflow.engine.decide import Decision, Fact, refuse_size, reject
from streamflow.engine.decide.bounds import refuse_unfit_start
from streamflow.engine.sizes import failure_bytes, payload_bytes
from streamflow.model.answers import Done, Reason, Rejection
from streamflow.model.commands import StartWorkflow
from streamflow.model.events import (
    SignalReceived,
    WorkflowStarted,
    WorkflowTerminated,
)
from streamflow.model.ids import MessageId, RunId
from streamflow.model.options import IdConflictPolicy, IdReusePolicy, Status
from streamflow.model.relations import Chain


class LastRun(msgspec.Struct, frozen=True, gc=False):
    """The latest run of a workflow ID, as far as a start needs to know it."""

    run_id: RunId
    status: Status


class Begin(msgspec.Struct, frozen=True, gc=False):
    """A new run, begun with these facts; the open one, if named, ends first."""

    run_id: RunId
    facts: tuple[Fact, ...]
    answer: Done
    terminate: WorkflowTerminated | None = None


def decide_start(
    last: LastRun | None, command: StartWorkflow, message_id: MessageId, context: Context
) -> Begin | Decision | Rejection:
    """A new run; or a signal to the open one, or nothing but its name, where the policies say so."""
    refusal = _refuse_command(command, context)
    if refusal is not None:
        return refusal
    if last is not None and last.status is Status.RUNNING:
        return _start_beside_open(last, command, message_id, context)
    if last is not None:
        refusal = _refuse_reuse(last, command)
        if refusal is not None:
            return refusal
    return _begin(command, message_id, context, terminate=None)


def _start_beside_open(
    last: LastRun, command: StartWorkflow, message_id: MessageId, context: Context
) -> Begin | Decision | Rejection:
    policy = command.id_conflict_policy
    if command.id_reuse_policy is IdReusePolicy.TERMINATE_IF_RUNNING:
        policy = IdConflictPolicy.TERMINATE_EXISTING
    if policy is IdConflictPolicy.TERMINATE_EXISTING:
        reason = f"Terminated by a new start of {command.workflow_id!r} (TERMINATE_EXISTING)"
        terminate = WorkflowTerminated(reason=reason, identity=command.identity)
        return _begin(command, message_id, context, terminate=terminate)
    if command.signal_name:
        signal = _signal(command, message_id)
        return Decision((signal,), Done(run_id=last.run_id))
    if policy is IdConflictPolicy.USE_EXISTING:
        return Decision((), Done(run_id=last.run_id))
    return reject(
        Reason.ALREADY_STARTED,
        f"Expected no open run of workflow {command.workflow_id!r}, found {last.run_id}: use another ID, "
        "or an id_conflict_policy that allows it",
        run_id=last.run_id,
    )


def _refuse_reuse(last: LastRun, command: StartWorkflow) -> Rejection | None:
    match command.id_reuse_policy:
        case IdReusePolicy.REJECT_DUPLICATE:
            refused = True
        case IdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY:
            refused = last.status in (Status.COMPLETED, Status.CONTINUED_AS_NEW)
        case IdReusePolicy.ALLOW_DUPLICATE | IdReusePolicy.TERMINATE_IF_RUNNING:
            refused = False
        case _:
            assert_never(command.id_reuse_policy)
    if not refused:
        return None
    return reject(
        Reason.ALREADY_STARTED,
        f"Expected workflow ID {command.workflow_id!r} to be free under {command.id_reuse_policy.name}, found "
        f"run {last.run_id}, {last.status.value} and still retained: use another ID or another id_reuse_policy",
        run_id=last.run_id,
    )


def _begin(
    command: StartWorkflow,
    message_id: MessageId,
    context: Context,
    *,
    terminate: WorkflowTerminated | None,
) -> Begin:
    chain = command.chain
    run_id = context.new_run_id() if chain is None else chain.run_id
    delay_ms = command.start_delay_ms if chain is None else chain.backoff_ms
    begins_ms = context.now_ms + delay_ms
    if command.cron_schedule and chain is None:
        begins_ms = first_run_ms(command.cron_schedule, context.now_ms, context.zones)
    started = WorkflowStarted(
        workflow_type=command.workflow_type,
        queue=context.queue,
        args=command.args,
        message_id=message_id,
        first_run_id=run_id,
        parent=command.parent,
        not_before_ms=begins_ms if begins_ms > context.now_ms else 0,
        run_deadline_ms=deadline_ms(begins_ms, command.run_timeout_ms),
        execution_deadline_ms=deadline_ms(begins_ms, command.execution_timeout_ms),
        retry_policy=command.retry_policy,
        execution_timeout_ms=command.execution_timeout_ms,
        run_timeout_ms=command.run_timeout_ms,
        task_timeout_ms=command.task_timeout_ms,
        cron_schedule=command.cron_schedule,
        memo=command.memo,
        search_attributes=command.search_attributes,
        headers=command.headers,
        static_summary=command.static_summary,
        static_details=command.static_details,
        version_override=command.version_override,
        identity=command.identity,
        priority=command.priority,
        fairness_key=command.fairness_key,
        fairness_weight=command.fairness_weight,
        last_result=command.last_result,
        last_failure=command.last_failure,
        retention_ms=context.retention_ms.get(command.workflow_type),
    )
    if chain is not None:
        started = _continued(started, chain)
    facts: tuple[Fact, ...] = (started,)
    if command.signal_name:
        facts = (started, _signal(command, message_id))
    answer = Done(run_id=run_id, first_run_id=started.first_run_id, started=True)
    return Begin(run_id, facts, answer, terminate)


def _continued(started: WorkflowStarted, chain: Chain) -> WorkflowStarted:
    """The first event of a run that goes on with a chain of another queue."""
    return msgspec.structs.replace(
        started,
        first_run_id=chain.first_run_id,
        continued_from=chain.continued_from,
        attempt=chain.attempt,
        execution_deadline_ms=chain.execution_deadline_ms,
        last_result=chain.last_result,
        last_failure=chain.last_failure,
        pinned_to=chain.pinned_to,
    )


def _signal(command: StartWorkflow, message_id: MessageId) -> SignalReceived:
    return SignalReceived(
        name=command.signal_name,
        args=command.signal_args,
        headers=command.headers,
        message_id=message_id,
        identity=command.identity,
    )


def _refuse_command(command: StartWorkflow, context: Context) -> Rejection | None:
    bound = context.limits.id_bytes_max
    if not command.workflow_type:
        return reject(
            Reason.INVALID_ARGUMENT, "Expected a workflow type, found an empty one: name one"
        )
    for what, text in (
        ("workflow ID", command.workflow_id),
        ("workflow type", command.workflow_type),
    ):
        if len(text.encode()) > bound:
            return reject(
                Reason.INVALID_ARGUMENT,
                f"Expected a {what} of at most {bound} bytes, found {len(text.encode())}: shorten it",
            )
    carried = (
        command.signal_args,
        command.memo,
        command.search_attributes,
        command.headers,
        command.last_result,
    )
    size = payload_bytes(command.args, *carried) + failure_bytes(command.last_failure)
    too_large = refuse_size("start", size, context.limits)
    if too_large is not None:
        return too_large
    if command.cron_schedule and command.chain is None:
        refused = refuse_schedule(command.cron_schedule, context.now_ms, context.zones)
        if refused is not None:
            return reject(Reason.INVALID_ARGUMENT, f"Invalid CronSchedule. {refused}")
        if command.start_delay_ms:
            return reject(
                Reason.INVALID_ARGUMENT,
                "Expected cron_schedule or start_delay, found both: CronSchedule and WorkflowStartDelay may not be used together",
            )
    return refuse_unfit_start(command)

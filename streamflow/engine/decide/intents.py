"""What a run's own code wants, turned into events. All intents of one activation are decided together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from streamflow.engine.apply import upserted
from streamflow.engine.context import Context, Limits
from streamflow.engine.decide import Fact, Send, Step, refuse_size, reject
from streamflow.engine.decide.bounds import refuse_unfit_intent
from streamflow.engine.decide.due import dispatch
from streamflow.engine.decide.ending import complete, fail
from streamflow.engine.decide.relations import decide_relation
from streamflow.engine.sizes import failure_bytes, payload_bytes, text_bytes
from streamflow.engine.state import PendingActivity, Run
from streamflow.model.answers import Reason, Rejection
from streamflow.model.events import (
    Activated,
    ActivityCanceled,
    ActivityCancelRequested,
    ActivityScheduled,
    MemoUpserted,
    PatchMarked,
    SearchAttributesUpserted,
    TimerCanceled,
    TimerStarted,
    UpdateCompleted,
    WorkflowCanceled,
    WorkflowContinuedAsNew,
)
from streamflow.model.failure import Failure, FailureKind
from streamflow.model.intents import (
    Activation,
    CancelActivity,
    CancelRun,
    CancelTimer,
    CompleteRun,
    CompleteUpdate,
    ContinueAsNew,
    FailRun,
    Intent,
    MarkPatch,
    ScheduleActivity,
    StartTimer,
    UpsertMemo,
    UpsertSearchAttributes,
)
from streamflow.model.options import CancellationType
from streamflow.model.payload import Payloads
from streamflow.model.priorities import inherited
from streamflow.model.relations import (
    CancelChild,
    CancelExternal,
    ChildOptions,
    SignalExternal,
    StartChild,
)
from streamflow.model.tasks import Attempt


def refuse_intents(run: Run, intents: list[Intent], context: Context) -> Rejection | None:
    """Why these intents pass a bound, or ``None``. Refused intents leave the run stuck, never failed."""
    limits = context.limits
    activities = timers = children = messages = 0
    for intent in intents:
        kind = type(intent)
        activities += kind is ScheduleActivity
        timers += kind is StartTimer
        children += kind is StartChild
        messages += kind is SignalExternal or kind is CancelExternal
    for what, count, bound in (
        ("pending activities", len(run.activities) + activities, limits.pending_activities_max),
        ("pending timers", len(run.timers) + timers, limits.pending_timers_max),
        ("pending children", len(run.children) + children, limits.pending_children_max),
        ("pending messages", len(run.messages) + messages, limits.pending_messages_max),
    ):
        if count > bound:
            return reject(
                Reason.LIMIT_EXCEEDED,
                f"Expected at most {bound} {what} in run {run.run_id}, found {count}: begin fewer at a time",
            )
    for intent in intents:
        if isinstance(intent, ContinueAsNew) and not _knows(intent.queue, context):
            return reject(
                Reason.INVALID_ARGUMENT,
                f"Expected task queue {intent.queue!r} to exist for continue_as_new, found no such queue: run "
                f"'streamflow topology apply --queue {intent.queue}'; the run then goes on by itself",
            )
        too_large = refuse_size(type(intent).__name__, _intent_bytes(intent), limits)
        unfit = too_large or refuse_unfit_intent(intent)
        if unfit is not None:
            return unfit
    return _refuse_shown(run, intents, limits)


def _refuse_shown(run: Run, intents: list[Intent], limits: Limits) -> Rejection | None:
    """Memo and search attributes stand together in the run's row of lists, and the run that follows takes them along beside
    its arguments. Where they were larger before there was this bound, they may shrink."""
    memo, attributes = run.memo, run.search_attributes
    for intent in intents:
        match intent:
            case UpsertMemo():
                memo = upserted(memo, intent.memo, intent.removed)
            case UpsertSearchAttributes():
                attributes = upserted(attributes, intent.search_attributes, intent.removed)
            case ContinueAsNew():
                taken = payload_bytes(
                    intent.args,
                    memo if intent.memo is None else intent.memo,
                    attributes if intent.search_attributes is None else intent.search_attributes,
                    intent.headers or run.start.headers,
                )
                too_large = refuse_size(
                    "ContinueAsNew with memo and search attributes", taken, limits
                )
                if too_large is not None:
                    return too_large
            case _:
                continue
    if memo is run.memo and attributes is run.search_attributes:
        return None
    shown = payload_bytes(memo, attributes)
    if shown <= payload_bytes(run.memo, run.search_attributes):
        return None
    start = run.start
    begins_again = start.cron_schedule or start.retry_policy is not None
    beside = payload_bytes(start.args, start.headers) if begins_again else 0
    beside += text_bytes(start.static_summary, start.static_details)
    return refuse_size("memo with search attributes", shown + beside, limits)


def decide_intents(
    run: Run,
    activation: Activation,
    intents: list[Intent],
    context: Context,
    places: Sequence[str] = (),
    *,
    goes_on: bool = False,
) -> Iterator[Step]:
    """The activation's own event, then each intent's, one at a time: the caller applies each before the next.

    ``places`` says where in the code each intent was asked for; ``goes_on``, whether the code has more to ask for.
    """
    yield Activated(
        inputs=tuple(recorded.seq for recorded in activation.inputs),
        now_ms=activation.now_ms,
        seed=activation.seed,
        build_id=activation.build_id or context.build_id,
        flags=activation.flags,
        deployment=activation.deployment,
        pinned=activation.pinned,
        target_changed=activation.target_changed,
        goes_on=goes_on,
    )
    sends_left = context.limits.dispatch_per_step_max
    for index, intent in enumerate(intents):
        match intent:
            case ScheduleActivity():
                sends_left -= 1
                place = places[index] if places else ""
                yield from _schedule(run, intent, context, place, send=sends_left >= 0)
            case CancelActivity(op=op):
                if op in run.activities:
                    yield from _cancel_activity(run.activities[op])
            case StartTimer():
                yield TimerStarted(
                    op=intent.op,
                    fire_at_ms=activation.now_ms + intent.duration_ms,
                    duration_ms=intent.duration_ms,
                    summary=intent.summary,
                    place=places[index] if places else "",
                )
            case CancelTimer(op=op):
                if op in run.timers:
                    yield TimerCanceled(op=op)
            case CompleteUpdate():
                yield UpdateCompleted(
                    update_id=intent.update_id, result=intent.result, failure=intent.failure
                )
            case MarkPatch():
                yield PatchMarked(patch_id=intent.patch_id, deprecated=intent.deprecated)
            case UpsertMemo():
                yield MemoUpserted(memo=intent.memo, removed=intent.removed)
            case UpsertSearchAttributes():
                yield SearchAttributesUpserted(
                    search_attributes=intent.search_attributes, removed=intent.removed
                )
            case StartChild() | CancelChild() | SignalExternal() | CancelExternal():
                yield from decide_relation(run, intent, context)
            case CompleteRun(result=result):
                yield complete(run, result, context)
            case FailRun(failure=failure):
                yield fail(run, failure, context)
            case CancelRun(details=details):
                yield WorkflowCanceled(details=details)
            case ContinueAsNew():
                yield _continue(run, intent, context)
            case _:
                assert_never(intent)


def _schedule(
    run: Run, intent: ScheduleActivity, context: Context, place: str, *, send: bool
) -> Iterator[Step]:
    queue = intent.queue or context.queue
    yield ActivityScheduled(
        op=intent.op,
        activity_id=intent.activity_id,
        activity_type=intent.activity_type,
        queue=queue,
        args=intent.args,
        timeouts=intent.timeouts,
        retry_policy=intent.retry_policy,
        cancellation_type=intent.cancellation_type,
        headers=intent.headers,
        summary=intent.summary,
        **inherited(intent, run.start),
        local=intent.local,
        local_retry_threshold_ms=intent.local_retry_threshold_ms,
        token=context.token(intent.op),
        place=place,
        start_delay_ms=intent.start_delay_ms,
    )
    if intent.start_delay_ms:
        first_ms = context.now_ms + intent.start_delay_ms
        yield Attempt(op=intent.op, attempt=1, dispatched_ms=0, next_retry_ms=first_ms)
    elif not intent.local and queue not in context.activity_queues:
        yield from dispatch(run.activities[intent.op], context)
    elif send or intent.local:
        yield Send(intent.op)
    else:
        yield Attempt(op=intent.op, attempt=1, dispatched_ms=0, next_retry_ms=context.now_ms)


def _cancel_activity(activity: PendingActivity) -> Iterator[Fact]:
    """An attempt that no worker has is cancelled at once; a worker that has it is told, and has the last word."""
    op = activity.scheduled.op
    yield ActivityCancelRequested(op=op)
    attempt = activity.attempt
    if (
        not attempt.dispatched_ms
        or activity.scheduled.cancellation_type is CancellationType.ABANDON
    ):
        failure = Failure(kind=FailureKind.CANCELED, message="Activity cancelled")
        yield ActivityCanceled(
            op=op, attempt=attempt.attempt, failure=failure, scheduled_seq=activity.seq
        )


def _continue(run: Run, intent: ContinueAsNew, context: Context) -> Fact:
    return WorkflowContinuedAsNew(
        new_run_id=context.new_run_id(),
        workflow_type=intent.workflow_type or run.start.workflow_type,
        queue=intent.queue or run.start.queue,
        args=intent.args,
        run_timeout_ms=intent.run_timeout_ms,
        task_timeout_ms=intent.task_timeout_ms,
        retry_policy=intent.retry_policy,
        memo=intent.memo,
        search_attributes=intent.search_attributes,
        headers=intent.headers,
        backoff_ms=intent.backoff_ms,
        versioning=intent.versioning,
    )


def _knows(queue: str, context: Context) -> bool:
    """Whether a workflow can go on there; empty is where it is."""
    return queue in ("", context.queue) or queue in context.workflow_queues


def _intent_bytes(intent: Intent) -> int:
    match intent:
        case ScheduleActivity(args=args, headers=headers, summary=summary):
            return payload_bytes(args, headers) + text_bytes(summary)
        case StartTimer(summary=summary):
            return text_bytes(summary)
        case CancelRun(details=details):
            return payload_bytes(details)
        case ContinueAsNew():
            carried = intent.memo, intent.search_attributes, intent.headers
            return payload_bytes(intent.args, *carried)
        case CompleteUpdate(result=result, failure=failure):
            return (payload_bytes((result,)) if result is not None else 0) + failure_bytes(failure)
        case CompleteRun(result=result):
            return payload_bytes((result,)) if result is not None else 0
        case FailRun(failure=failure):
            return failure_bytes(failure)
        case UpsertMemo(memo=memo):
            return payload_bytes((), memo)
        case UpsertSearchAttributes(search_attributes=attributes):
            return payload_bytes((), attributes)
        case StartChild(args=args, headers=headers, options=options):
            return payload_bytes(headers) + _begun_bytes(args, options)
        case SignalExternal(args=args, headers=headers, start=start):
            begun = _begun_bytes(start.args, start.options) if start is not None else 0
            return payload_bytes(args, headers) + begun
        case CancelActivity() | CancelTimer() | MarkPatch() | CancelChild() | CancelExternal():
            return 0
        case _:
            assert_never(intent)


def _begun_bytes(args: Payloads, options: ChildOptions) -> int:
    """What a run is begun with, but for its headers."""
    told = options.memo, options.search_attributes, options.last_result
    texts = text_bytes(options.static_summary, options.static_details)
    return payload_bytes(args, *told) + failure_bytes(options.last_failure) + texts

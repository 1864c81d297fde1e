"""The run that follows another in its chain: continued as new, retried, or the next of a cron schedule."""

from __future__ import annotations

import msgspec

from streamflow.engine.context import Context
from streamflow.engine.cron import next_run_ms
from streamflow.engine.retry import backoff_ms, chosen_delay_ms
from streamflow.engine.sizes import payload_bytes, shortened, text_bytes
from streamflow.engine.state import Run
from streamflow.model.bounds import DURATION_MS_MAX
from streamflow.model.events import (
    WorkflowCompleted,
    WorkflowContinuedAsNew,
    WorkflowFailed,
    WorkflowStarted,
    WorkflowTimedOut,
)
from streamflow.model.failure import Failure, FailureKind, RetryState, TimeoutKind

AUTO_UPGRADE = "auto_upgrade"
"""How a run that continues as new says that the next one may begin on any version."""


def successor(run: Run, context: Context) -> WorkflowStarted:
    """The first event of the run that follows ``run``, which has just closed."""
    return _fitted(_following(run, context), context.limits.payload_bytes_max)


def _following(run: Run, context: Context) -> WorkflowStarted:
    match run.closed:
        case WorkflowContinuedAsNew():
            return _continued(run, run.closed, context.now_ms)
        case WorkflowFailed(retry_state=state) | WorkflowTimedOut(retry_state=state) if (
            state is RetryState.IN_PROGRESS
        ):
            return _retried(run, context.now_ms)
        case WorkflowCompleted() | WorkflowFailed() | WorkflowTimedOut():
            return _next_of_schedule(run, context)
        case _:
            raise AssertionError(
                f"Expected a run that another follows, found {run.closed!r} of {run.run_id}"
            )


def retry_wait_ms(run: Run) -> int:
    """How long the next attempt of a failed run waits, under the run's own retry policy."""
    policy = run.start.retry_policy
    if policy is None:
        return 0
    chosen_ms = None
    if isinstance(run.closed, WorkflowFailed):
        chosen_ms = chosen_delay_ms(run.closed.failure)
    return backoff_ms(policy, run.start.attempt) if chosen_ms is None else chosen_ms


def _continued(run: Run, closed: WorkflowContinuedAsNew, now_ms: int) -> WorkflowStarted:
    start = run.start
    run_timeout_ms = closed.run_timeout_ms or start.run_timeout_ms
    return msgspec.structs.replace(
        start,
        workflow_type=closed.workflow_type or start.workflow_type,
        queue=closed.queue or start.queue,
        args=closed.args,
        continued_from=run.run_id,
        original_run_id="",
        pinned_to="" if closed.versioning == AUTO_UPGRADE else _pinned_to(run),
        attempt=1,
        not_before_ms=now_ms + closed.backoff_ms if closed.backoff_ms else 0,
        run_timeout_ms=run_timeout_ms,
        run_deadline_ms=deadline_ms(now_ms + closed.backoff_ms, run_timeout_ms),
        task_timeout_ms=closed.task_timeout_ms or start.task_timeout_ms,
        retry_policy=closed.retry_policy or start.retry_policy,
        memo=run.memo if closed.memo is None else closed.memo,
        search_attributes=(
            run.search_attributes if closed.search_attributes is None else closed.search_attributes
        ),
        headers=closed.headers or start.headers,
    )


def _retried(run: Run, now_ms: int) -> WorkflowStarted:
    begins_ms = now_ms + retry_wait_ms(run)
    return msgspec.structs.replace(
        _begun_again(run, begins_ms),
        attempt=run.start.attempt + 1,
        pinned_to=_pinned_to(run),
        last_failure=_failure_of(run),
    )


def _next_of_schedule(run: Run, context: Context) -> WorkflowStarted:
    """A result is handed on until there is a newer one; a failure only to the run right after."""
    begins_ms = next_run_ms(run, context.now_ms, context.zones)
    assert begins_ms is not None, run.run_id  # decided by the same rules, at the same time
    started = msgspec.structs.replace(
        _begun_again(run, begins_ms), attempt=1, last_failure=_failure_of(run)
    )
    match run.closed:
        case WorkflowCompleted(result=result):
            results = () if result is None else (result,)
            return msgspec.structs.replace(started, last_result=results)
        case _:
            return started


def _begun_again(run: Run, begins_ms: int) -> WorkflowStarted:
    """With the same input, and with what the run had made of memo and search attributes."""
    start = run.start
    return msgspec.structs.replace(
        start,
        continued_from=run.run_id,
        original_run_id="",
        pinned_to="",
        memo=run.memo,
        search_attributes=run.search_attributes,
        not_before_ms=begins_ms,
        run_deadline_ms=deadline_ms(begins_ms, start.run_timeout_ms),
    )


def _fitted(started: WorkflowStarted, bytes_max: int) -> WorkflowStarted:
    """What the run works on comes first: a last result that does not fit beside it is left out, a failure shortened."""
    if not started.last_result and started.last_failure is None:
        return started
    left = bytes_max - text_bytes(started.static_summary, started.static_details)
    left -= payload_bytes(started.args, started.headers, started.memo, started.search_attributes)
    result, failure = started.last_result, started.last_failure
    if payload_bytes(result) > left:
        result = ()
    if failure is not None:
        failure = shortened(failure, left - payload_bytes(result))
    return msgspec.structs.replace(started, last_result=result, last_failure=failure)


def _pinned_to(run: Run) -> str:
    """The version that the next run begins on."""
    return run.version if run.pinned else ""


def _failure_of(run: Run) -> Failure | None:
    match run.closed:
        case WorkflowFailed(failure=failure):
            return failure
        case WorkflowTimedOut():
            return Failure(
                kind=FailureKind.TIMEOUT,
                message="Workflow timed out",
                timeout_kind=TimeoutKind.START_TO_CLOSE,
            )
        case _:
            return None


def deadline_ms(begins_ms: int, timeout_ms: int | None) -> int | None:
    return begins_ms + min(timeout_ms, DURATION_MS_MAX) if timeout_ms else None

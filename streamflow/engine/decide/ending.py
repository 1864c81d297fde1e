"""How a run ends, and whether another follows it: the next attempt of its retry policy, else the next run of its cron schedule."""

from __future__ import annotations

from streamflow.engine.context import Context
from streamflow.engine.cron import next_run_ms
from streamflow.engine.retry import RetryAt, after_failure
from streamflow.engine.state import Run
from streamflow.model.events import WorkflowCompleted, WorkflowFailed, WorkflowTimedOut
from streamflow.model.failure import Failure, FailureKind, RetryState, TimeoutKind
from streamflow.model.ids import RunId
from streamflow.model.payload import Payload


def complete(run: Run, result: Payload | None, context: Context) -> WorkflowCompleted:
    return WorkflowCompleted(result=result, new_run_id=_next_run_id(run, context))


def fail(run: Run, failure: Failure, context: Context) -> WorkflowFailed:
    state = _retried(run, failure, context)
    if state is RetryState.IN_PROGRESS:
        return WorkflowFailed(failure=failure, retry_state=state, new_run_id=context.new_run_id())
    return WorkflowFailed(failure=failure, retry_state=state, new_run_id=_next_run_id(run, context))


def run_timed_out(run: Run, context: Context) -> WorkflowTimedOut:
    """A run that timed out is retried like one that failed. A whole chain that timed out ends (`decide.due`)."""
    failure = Failure(kind=FailureKind.TIMEOUT, timeout_kind=TimeoutKind.START_TO_CLOSE)
    if _retried(run, failure, context) is RetryState.IN_PROGRESS:
        return WorkflowTimedOut(retry_state=RetryState.IN_PROGRESS, new_run_id=context.new_run_id())
    return WorkflowTimedOut(new_run_id=_next_run_id(run, context))


def _retried(run: Run, failure: Failure, context: Context) -> RetryState:
    """IN_PROGRESS if another attempt follows, else why none does."""
    policy = run.start.retry_policy
    if policy is None:
        return RetryState.RETRY_POLICY_NOT_SET
    state = after_failure(
        policy,
        failure,
        attempt=run.start.attempt,
        now_ms=context.now_ms,
        expires_ms=run.start.execution_deadline_ms,
    )
    return RetryState.IN_PROGRESS if isinstance(state, RetryAt) else state


def _next_run_id(run: Run, context: Context) -> RunId | None:
    follows = next_run_ms(run, context.now_ms, context.zones) is not None
    return context.new_run_id() if follows else None

"""How long a history may become: past the bound the run is failed, for every step costs more than the one before."""

from __future__ import annotations

from streamflow.engine.context import Limits
from streamflow.engine.state import Run
from streamflow.model.events import WorkflowFailed
from streamflow.model.failure import HISTORY_TOO_LONG, Failure, FailureKind, RetryState


def outgrown(run: Run, limits: Limits) -> WorkflowFailed | None:
    """The run's end, if its history is as long as it may be. It is not retried: it would only do the same again."""
    if run.last_seq < limits.events_max:
        return None
    failure = Failure(
        kind=FailureKind.SERVER,
        type=HISTORY_TOO_LONG,
        message=(
            f"Expected a history of at most {limits.events_max} events, found {run.last_seq}: let the workflow continue "
            "as new when workflow.info().is_continue_as_new_suggested() says so"
        ),
        non_retryable=True,
    )
    return WorkflowFailed(failure=failure, retry_state=RetryState.NON_RETRYABLE_FAILURE)

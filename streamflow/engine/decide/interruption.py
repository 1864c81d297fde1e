"""What an operator's pause or reset makes of an attempt that was under way: it does not count, and the next begins anew.

Kept apart from `control`, which takes the operator's command, because reports and timeouts end here too.
"""

from __future__ import annotations

from streamflow.model.failed_attempts import FailedAttempts
from streamflow.model.failure import Failure
from streamflow.model.payload import Payloads
from streamflow.model.tasks import Attempt

PAUSE_FAILURE = "ActivityPause"
"""Type of the failure of an attempt whose code stopped because of a pause, and did not handle it."""

RESET_FAILURE = "ActivityReset"
"""The same for a reset."""

INTERRUPTIONS = frozenset({PAUSE_FAILURE, RESET_FAILURE})


def is_interrupted(attempt: Attempt, failure: Failure) -> bool:
    """Whether this end is an operator's doing, rather than the activity's own."""
    return attempt.reset or (attempt.paused and failure.type == PAUSE_FAILURE)


def begun_anew(
    attempt: Attempt,
    *,
    now_ms: int,
    failure: Failure | None,
    heartbeat_details: Payloads,
    identity: str = "",
    failed: tuple[FailedAttempts, ...] | None = None,
) -> Attempt:
    """The attempt that follows an interrupted one: due at once, the first again after a reset, and held while paused.

    ``failed`` is what is kept of attempts that failed. Default: what was.
    """
    forget = attempt.reset and attempt.reset_heartbeat
    return Attempt(
        op=attempt.op,
        attempt=1 if attempt.reset else attempt.attempt,
        dispatched_ms=0,
        heartbeat_details=() if forget else heartbeat_details,
        next_retry_ms=now_ms,
        last_failure=failure,
        identity=identity or attempt.identity,
        epoch=attempt.epoch + 1,
        paused=attempt.paused,
        pause_reason=attempt.pause_reason,
        options=attempt.options,
        failed=attempt.failed if failed is None else failed,
    )

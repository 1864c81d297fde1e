"""When an activity's limits are passed, in each state of its attempt."""

from __future__ import annotations

import msgspec
import pytest

from streamflow.engine.context import DEFAULT_LIMITS
from streamflow.engine.deadlines import Due, activity_due
from streamflow.engine.state import PendingActivity
from streamflow.model.events import ActivityScheduled
from streamflow.model.ids import Op
from streamflow.model.options import ActivityTimeouts, RetryPolicy
from streamflow.model.tasks import Attempt

SCHEDULED_MS = 1_000
LIMIT_MS = 300


def pending(*, local: bool = False, **attempt: int) -> PendingActivity:
    scheduled = ActivityScheduled(
        op=Op(1),
        activity_id="1",
        activity_type="charge",
        queue="q",
        timeouts=ActivityTimeouts(schedule_to_start_ms=LIMIT_MS, start_to_close_ms=LIMIT_MS),
        retry_policy=RetryPolicy(),
        local=local,
    )
    first = Attempt(op=Op(1), attempt=1, dispatched_ms=0)
    return PendingActivity(2, SCHEDULED_MS, scheduled, msgspec.structs.replace(first, **attempt))


@pytest.mark.parametrize(
    ("activity", "due_ms"),
    [
        (pending(), SCHEDULED_MS + LIMIT_MS),  # its queue does not exist, or its turn has not come
        (
            pending(dispatched_ms=1_100),
            SCHEDULED_MS + LIMIT_MS,
        ),  # sent, perhaps not for the first time
        (pending(dispatched_ms=1_100, started_ms=1_200), 0),
        (pending(attempt=2, next_retry_ms=9_000), 0),  # backing off
        (pending(attempt=2, dispatched_ms=9_000), 9_000 + LIMIT_MS),
        (pending(local=True), 0),
    ],
)
def test_waiting_for_a_worker_has_its_limit_whether_or_not_the_task_could_be_sent(
    activity: PendingActivity, due_ms: int
) -> None:
    """An activity for a queue that nobody made must not wait for ever when a limit was set."""
    assert activity_due(activity, Due.SCHEDULE_TO_START, DEFAULT_LIMITS) == due_ms

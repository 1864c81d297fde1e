"""What attempts of a pending activity failed with is kept for operators, within bounds."""

from __future__ import annotations

from streamflow.engine.decide.failed_attempts import (
    ENCODED_BYTES_MAX,
    KEPT_MAX,
    MESSAGE_CHARS_MAX,
    with_failed,
)
from streamflow.engine.decide.interruption import PAUSE_FAILURE
from streamflow.model.answers import Description, PendingActivity
from streamflow.model.commands import (
    ActivityControl,
    ActivityOutcome,
    ControlActivity,
    DescribeWorkflow,
    StartActivity,
)
from streamflow.model.failed_attempts import FailedAttempts
from streamflow.model.failure import Failure, FailureKind
from streamflow.model.ids import Op, WorkflowId
from streamflow.model.payload import Payload
from streamflow.model.tasks import Attempt
from tests.unit.processor.programs import Charge
from tests.unit.processor.stage import Stage, payload, ref

W = WorkflowId("w")


def charging(**options: object) -> Stage:
    stage = Stage([Charge])
    stage.begin("Charge", args=(payload(options),))
    return stage


def fail(stage: Stage, message: str, kind: str = "Broken") -> None:
    """The attempt that was sent last fails, and the next one is sent."""
    failure = Failure(
        kind=FailureKind.APPLICATION,
        message=message,
        type=kind,
        stack_trace="in charge",
        cause=Failure(kind=FailureKind.APPLICATION, message="behind it"),
    )
    stage.report(stage.tasks()[-1], ActivityOutcome.FAILED, failure=failure)
    stage.pass_time(100_000_000)


def control(stage: Stage, what: ActivityControl) -> None:
    stage.ask(ControlActivity(workflow_id=W, control=what, activity_id="1"))


def pending(stage: Stage) -> PendingActivity:
    description = stage.ask(DescribeWorkflow(workflow_id=W))
    assert isinstance(description, Description)
    [activity] = description.pending_activities
    return activity


def kept(stage: Stage) -> list[tuple[int, int, str]]:
    return [(one.first, one.last, one.failure.message) for one in pending(stage).failed_attempts]


def test_each_attempt_has_its_error() -> None:
    """Those in a row that failed alike are one; all outlive a restart from the log alone."""
    stage = charging()
    for message in ("declined", "closed", "closed", "closed", "declined"):
        fail(stage, message)

    stage.restart(disk="empty")

    assert kept(stage) == [(1, 1, "declined"), (2, 4, "closed"), (5, 5, "declined")]
    _, closed, last = pending(stage).failed_attempts
    assert closed.first_ms < closed.last_ms < last.first_ms == last.last_ms
    assert (last.failure.type, last.failure.stack_trace, last.failure.cause) == ("Broken", "", None)


def test_a_timeout_is_an_error_too() -> None:
    stage = charging()
    fail(stage, "declined")
    stage.ask(
        StartActivity(workflow_id=W, task=ref(stage.tasks()[-1]), started_ms=stage.clock.now_ms())
    )
    stage.pass_time(61_000)

    assert kept(stage) == [(1, 1, "declined"), (2, 2, "activity StartToClose timeout")]


def test_a_pause_is_no_error_of_the_activity_and_a_reset_keeps_what_was() -> None:
    """Numbers begin again, so what follows is never one with what was before."""
    stage = charging()
    fail(stage, "declined")
    stage.ask(
        StartActivity(workflow_id=W, task=ref(stage.tasks()[-1]), started_ms=stage.clock.now_ms())
    )
    control(stage, ActivityControl.PAUSE)
    fail(stage, "paused", kind=PAUSE_FAILURE)
    control(stage, ActivityControl.UNPAUSE)
    assert kept(stage) == [(1, 1, "declined")]

    control(stage, ActivityControl.RESET)
    fail(stage, "declined")  # as the second: it had been sent before the reset
    fail(stage, "declined")

    assert kept(stage) == [(1, 2, "declined"), (1, 1, "declined")]


def test_the_latest_are_kept() -> None:
    """Of a thousand attempts that each fail otherwise, as of few."""
    attempt = Attempt(op=Op(1), attempt=1, dispatched_ms=1)
    for number in range(1, 1_001):
        attempt = Attempt(
            op=Op(1), attempt=number + 1, dispatched_ms=1, failed=_after(attempt, str(number))
        )

    assert [one.first for one in attempt.failed] == list(range(1_001 - KEPT_MAX, 1_001))


def test_a_long_message_is_cut_and_one_that_cannot_be_read_here_is_kept_or_not() -> None:
    """A codec's bytes cannot be cut."""
    attempt = Attempt(op=Op(1), attempt=1, dispatched_ms=1)

    [cut] = _after(attempt, "x" * 10_000)
    [small] = _after(attempt, "Encoded failure", encoded=100)
    [large] = _after(attempt, "Encoded failure", encoded=ENCODED_BYTES_MAX)

    assert len(cut.failure.message) == MESSAGE_CHARS_MAX
    assert len(small.failure.encoded_attributes) == 1
    assert large.failure.encoded_attributes == ()


def _after(attempt: Attempt, message: str, encoded: int = 0) -> tuple[FailedAttempts, ...]:
    attributes = (Payload({}, b"x" * encoded),) if encoded else ()
    failure = Failure(kind=FailureKind.APPLICATION, message=message, encoded_attributes=attributes)
    return with_failed(attempt, failure, identity="w", now_ms=5)

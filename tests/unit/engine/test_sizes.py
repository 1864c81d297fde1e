"""What is too large or too much is refused by the decision, not by the log: then the run goes on undisturbed."""

from __future__ import annotations

import msgspec

from streamflow.engine.context import Limits
from streamflow.engine.decide import Decision
from streamflow.engine.decide.activities import decide_heartbeat, decide_report
from streamflow.engine.decide.due import decide_due
from streamflow.engine.decide.messages import refuse_waiting
from streamflow.engine.sizes import failure_bytes, payload_bytes, shortened
from streamflow.model.answers import Reason, Rejection
from streamflow.model.commands import ActivityOutcome, HeartbeatActivity, ReportActivity
from streamflow.model.events import ActivityFailed, SignalReceived
from streamflow.model.failure import Failure, FailureKind, RetryState
from streamflow.model.ids import MessageId, Op
from streamflow.model.intents import ScheduleActivity
from streamflow.model.options import ActivityTimeouts
from streamflow.model.payload import Payload, Payloads
from tests.unit.engine.driven import Driven, W

SMALL = Limits(payload_bytes_max=1_000, waiting_inputs_max=2)


def _working(args: Payloads = (), *, whole_ms: int | None = None) -> Driven:
    """A run with one activity under way."""
    driven = Driven(SMALL)
    driven.activate(
        ScheduleActivity(
            op=Op(1),
            activity_id="1",
            activity_type="charge",
            queue="q",
            args=args,
            timeouts=ActivityTimeouts(start_to_close_ms=60_000, schedule_to_close_ms=whole_ms),
        )
    )
    return driven


def _beat(driven: Driven, size: int) -> HeartbeatActivity:
    return HeartbeatActivity(workflow_id=W, task=driven.task(), details=_payloads(size))


def _payloads(size: int) -> Payloads:
    return (Payload({"encoding": b"binary/plain"}, b"x" * size),)


def _failure(size: int) -> Failure:
    return Failure(
        kind=FailureKind.APPLICATION,
        message="no card",
        type="Declined",
        stack_trace="s" * size,
        cause=Failure(kind=FailureKind.APPLICATION, message="deeper"),
    )


def test_heartbeat_details_that_no_record_could_hold_are_refused() -> None:
    """The attempt keeps what it had said before."""
    driven = _working()
    driven.decided(decide_heartbeat(driven.run, _beat(driven, 500), driven.context()))

    refused = decide_heartbeat(driven.run, _beat(driven, 1_000), driven.context())

    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.LIMIT_EXCEEDED
    assert "heartbeat" in refused.message
    [kept] = driven.run.activities[Op(1)].attempt.heartbeat_details
    assert len(kept.data) == 500


def test_details_must_fit_into_a_task_beside_the_arguments() -> None:
    """The next attempt is to find both."""
    driven = _working(_payloads(500))

    for size, fits in ((300, True), (600, False)):
        beat = _beat(driven, size)
        ended = ReportActivity(
            workflow_id=W,
            task=driven.task(),
            outcome=ActivityOutcome.FAILED,
            heartbeat_details=beat.details,
        )
        decisions = (
            decide_heartbeat(driven.run, beat, driven.context()),
            decide_report(driven.run, ended, driven.context()),
        )
        assert [not isinstance(decision, Rejection) for decision in decisions] == [fits, fits]


def test_a_timeout_that_its_worker_saw_is_shortened_to_what_the_details_leave() -> None:
    driven = _working()
    driven.decided(decide_heartbeat(driven.run, _beat(driven, 800), driven.context()))
    failure = msgspec.structs.replace(_failure(900), kind=FailureKind.TIMEOUT, non_retryable=True)
    report = ReportActivity(
        workflow_id=W, task=driven.task(), outcome=ActivityOutcome.FAILED, failure=failure
    )
    driven.run.activities[Op(1)].cancel_requested = True

    decision = decide_report(driven.run, report, driven.context())

    assert isinstance(decision, Decision)
    [ended] = decision.facts
    assert isinstance(ended, ActivityFailed)
    assert ended.failure.details == _payloads(800)
    assert failure_bytes(ended.failure) <= SMALL.payload_bytes_max


def test_details_and_the_last_failure_fit_into_one_record_together() -> None:
    """A failure that is too large beside the details is kept as its beginning: still of its type and kind."""
    driven = _working()
    driven.decided(decide_heartbeat(driven.run, _beat(driven, 800), driven.context()))
    report = ReportActivity(
        workflow_id=W,
        task=driven.task(),
        outcome=ActivityOutcome.FAILED,
        failure=_failure(900),
    )

    driven.decided(decide_report(driven.run, report, driven.context()))

    attempt = driven.run.activities[Op(1)].attempt
    assert attempt.attempt == 2
    assert attempt.last_failure is not None
    assert attempt.last_failure.type == "Declined"
    assert attempt.last_failure.message.startswith("no card (shortened")
    size = payload_bytes(attempt.heartbeat_details) + failure_bytes(attempt.last_failure)
    assert size <= SMALL.payload_bytes_max


def test_details_stand_once_in_a_timeout_that_left_no_time_for_another_attempt() -> None:
    """Where the code that awaits the activity looks for them."""
    driven = _working(whole_ms=60_001)
    driven.decided(decide_heartbeat(driven.run, _beat(driven, 800), driven.context()))

    driven.now_ms += 60_000
    [ended] = decide_due(driven.run, driven.context())

    assert isinstance(ended, ActivityFailed)
    assert ended.retry_state is RetryState.TIMEOUT
    assert ended.failure.details == _payloads(800)
    assert ended.failure.cause is not None
    assert failure_bytes(ended.failure) <= SMALL.payload_bytes_max


def test_a_failures_words_count_as_they_are_written() -> None:
    """In bytes, whatever they are in; half a character is for the encoder to refuse."""
    words = Failure(kind=FailureKind.APPLICATION, message="ж" * 10, stack_trace="\ud800")

    assert failure_bytes(words) == 23


def test_a_failure_that_fits_is_kept_whole() -> None:
    failure = _failure(100)

    assert shortened(failure, failure_bytes(failure)) is failure


def test_no_more_signals_wait_for_a_run_than_the_bound_allows() -> None:
    """However they come."""
    driven = Driven(SMALL)
    assert refuse_waiting(driven.run, driven.context()) is None

    for number in range(2):
        driven.record(SignalReceived(name="s", message_id=MessageId(f"m{number}")))
    refused = refuse_waiting(driven.run, driven.context())

    assert refused is not None
    assert refused.reason is Reason.LIMIT_EXCEEDED

"""What a run may hold, carry and be told is bounded, and what is over is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from streamflow.engine import deadlines
from streamflow.engine.chain import successor
from streamflow.engine.context import Limits
from streamflow.engine.decide.intents import refuse_intents
from streamflow.engine.decide.length import outgrown
from streamflow.engine.sizes import failure_bytes, payload_bytes
from streamflow.model import events
from streamflow.model.answers import Reason, Rejection
from streamflow.model.failure import Failure, FailureKind, RetryState
from streamflow.model.ids import Op, WorkflowId
from streamflow.model.intents import (
    CancelRun,
    CompleteRun,
    ContinueAsNew,
    FailRun,
    Intent,
    ScheduleActivity,
    StartTimer,
    UpsertMemo,
    UpsertSearchAttributes,
)
from streamflow.model.options import ActivityTimeouts, RetryPolicy
from streamflow.model.payload import Payload
from streamflow.model.relations import (
    ChildOptions,
    SignalExternal,
    StartChild,
    Target,
    TargetStart,
)
from tests.unit.engine.driven import Driven, charge

Upsert = Callable[[dict[str, Payload]], Intent]


def _sized(size: int) -> Payload:
    return Payload({}, bytes(size))


def _child(**options: Any) -> Intent:
    return StartChild(
        op=Op(1),
        workflow_id=WorkflowId("child"),
        workflow_type="Child",
        options=ChildOptions(**options),
    )


def _memo(changes: dict[str, Payload]) -> Intent:
    return UpsertMemo(memo=changes)


def _attributes(changes: dict[str, Payload]) -> Intent:
    return UpsertSearchAttributes(search_attributes=changes)


def test_a_run_may_wait_for_so_many_activities_and_timers() -> None:
    driven = Driven(Limits(pending_activities_max=2, pending_timers_max=1))
    context = driven.context()
    timers: list[Intent] = [StartTimer(op=Op(n), duration_ms=1) for n in (1, 2)]
    activities: list[Intent] = [charge(1), charge(2), charge(3)]

    assert refuse_intents(driven.run, [charge(1), charge(2), timers[0]], context) is None
    for intents, what in ((timers, "pending timers"), (activities, "pending activities")):
        refused = refuse_intents(driven.run, intents, context)
        assert refused is not None
        assert (refused.reason, what in refused.message) == (Reason.LIMIT_EXCEEDED, True)


def test_what_a_step_carries_must_fit_into_a_record() -> None:
    """Arguments, results, memos, headers, failures and what is said for readers alike."""
    driven = Driven(Limits(payload_bytes_max=1_000))
    large = Payload({}, bytes(2_000))
    nested = Failure(
        kind=FailureKind.APPLICATION,
        cause=Failure(kind=FailureKind.APPLICATION, stack_trace="s" * 2_000),
    )

    for intent in (
        charge(args=(large,)),
        charge(headers={"h": large}),
        CompleteRun(result=large),
        FailRun(failure=nested),
        CancelRun(details=(large,)),
        ContinueAsNew(memo={"m": large}),
        charge(summary="s" * 2_000),
        StartTimer(op=Op(1), duration_ms=1, summary="s" * 2_000),
        _child(search_attributes={"a": large}),
        _child(static_details="s" * 2_000),
        SignalExternal(
            op=Op(1),
            target=Target(workflow_id=WorkflowId("other")),
            signal_name="s",
            start=TargetStart(
                workflow_type="Other", options=ChildOptions(search_attributes={"a": large})
            ),
        ),
    ):
        assert refuse_intents(driven.run, [intent], driven.context()) is not None, intent


def test_payloads_are_counted_with_what_describes_them() -> None:
    """Many small ones are as large as one that is not."""
    small = Payload({"encoding": b"json/plain"}, b"1")

    assert payload_bytes((small,) * 100, None, {"name": small}) > 101 * 19
    assert failure_bytes(None) == 0


def test_inputs_that_no_code_takes_are_bounded() -> None:
    driven = Driven(Limits(waiting_inputs_max=3))
    for _ in range(2):
        driven.decided(driven.signal())

    refused = driven.signal()

    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.LIMIT_EXCEEDED


def test_a_history_may_be_so_long() -> None:
    driven = Driven(Limits(events_max=2))
    assert outgrown(driven.run, driven.limits) is None
    driven.decided(driven.signal())

    end = outgrown(driven.run, driven.limits)

    assert end is not None
    assert end.retry_state is RetryState.NON_RETRYABLE_FAILURE
    assert end.new_run_id is None


def test_what_is_due_is_decided_in_bounded_pieces() -> None:
    """Each decision whole; what is left stays due."""
    driven = Driven(Limits(dispatch_per_step_max=2))
    driven.activate(*[charge(op) for op in range(1, 8)])
    assert driven.sent == [1, 2]

    driven.pass_time(0)
    assert driven.sent == [1, 2, 3, 4]
    assert deadlines.next_due_ms(driven.run, driven.limits) <= driven.now_ms
    driven.pass_time(0)
    driven.pass_time(0)

    assert driven.sent == [1, 2, 3, 4, 5, 6, 7]


def test_a_queue_that_never_comes_ends_an_activity_that_may_not_wait_so_long() -> None:
    """Neither being sent again nor not being sent at all starts the wait anew."""
    waits = ActivityTimeouts(start_to_close_ms=60_000, schedule_to_start_ms=5_000)
    driven = Driven(Limits(resend_ms=1_000, unknown_queue_retry_ms=1_000))
    driven.activate(
        ScheduleActivity(op=Op(1), activity_id="1", activity_type="a", timeouts=waits),
        ScheduleActivity(
            op=Op(2), activity_id="2", activity_type="a", timeouts=waits, queue="nowhere"
        ),
    )

    for _ in range(5):
        driven.pass_time(1_000)

    ended = [r.event for r in driven.run.waiting if isinstance(r.event, events.ActivityFailed)]
    assert [event.op for event in ended] == [1, 2]


def test_a_long_local_activity_is_looked_after_ever_less_often() -> None:
    """Each look writes a record; an hour of one must not write thousands."""
    driven = Driven()
    driven.activate(charge(local=True))

    for _ in range(3_600):
        driven.pass_time(1_000)

    assert 100 < len(driven.sent) < 500


@pytest.mark.parametrize("upsert", [_memo, _attributes])
def test_what_lists_show_of_a_run_must_fit_into_a_record(upsert: Upsert) -> None:
    """However often it is added to; with what was too large before, less may be done."""
    driven = Driven(Limits(payload_bytes_max=1_000))
    for name in ("a", "b"):
        driven.activate(upsert({name: _sized(400)}))

    refused = refuse_intents(driven.run, [upsert({"c": _sized(400)})], driven.context())

    assert refused is not None
    assert "memo with search attributes" in refused.message
    assert refuse_intents(driven.run, [upsert({"b": _sized(300)})], driven.context()) is None
    driven.activate(upsert({"c": _sized(400)}))
    assert refuse_intents(driven.run, [upsert({"c": _sized(350)})], driven.context()) is None


def test_what_a_run_shows_must_fit_beside_the_arguments_of_the_next_one() -> None:
    """Where another may follow it with the same arguments."""
    upsert = UpsertMemo(memo={"m": _sized(600)})
    once, again = (
        Driven(Limits(payload_bytes_max=1_000), args=(_sized(600),), retry_policy=policy)
        for policy in (None, RetryPolicy())
    )

    assert refuse_intents(once.run, [upsert], once.context()) is None
    assert refuse_intents(again.run, [upsert], again.context()) is not None


def test_what_a_run_goes_on_with_must_fit_into_a_record_with_what_it_keeps() -> None:
    driven = Driven(Limits(payload_bytes_max=1_000), memo={"m": _sized(600)})
    kept, dropped = ContinueAsNew(args=(_sized(600),)), ContinueAsNew(args=(_sized(600),), memo={})

    assert refuse_intents(driven.run, [dropped], driven.context()) is None
    assert refuse_intents(driven.run, [kept], driven.context()) is not None


def test_the_next_run_of_a_schedule_goes_without_a_result_that_does_not_fit_beside_its_input() -> (
    None
):
    """Rather than with one from before."""
    for size, kept in ((300, True), (600, False)):
        driven = Driven(
            Limits(payload_bytes_max=1_000), args=(_sized(600),), cron_schedule="* * * * *"
        )
        driven.activate(CompleteRun(result=_sized(size)))

        following = successor(driven.run, driven.context())

        assert following.args == driven.run.start.args
        assert bool(following.last_result) is kept


def test_the_next_attempt_of_a_run_has_the_beginning_of_a_failure_that_does_not_fit() -> None:
    driven = Driven(
        Limits(payload_bytes_max=1_000), args=(_sized(600),), retry_policy=RetryPolicy()
    )
    failure = Failure(kind=FailureKind.APPLICATION, message="no card", stack_trace="s" * 600)
    driven.activate(FailRun(failure=failure))

    following = successor(driven.run, driven.context())

    assert following.last_failure is not None
    assert following.last_failure.message.startswith("no card (shortened")
    assert payload_bytes(following.args) + failure_bytes(following.last_failure) <= 1_000

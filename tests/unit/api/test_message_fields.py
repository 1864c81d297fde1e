"""Moments, spans, numbers of enums and fractions have the bytes and the JSON that Protocol Buffers give them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.protobuf.duration_pb2 import Duration as RealDuration
from google.protobuf.timestamp_pb2 import Timestamp as RealTimestamp
from hypothesis import given
from hypothesis import strategies as st

from streamflow.api.common.v1 import Priority, RetryPolicy
from streamflow.api.enums.v1 import EventType, TaskQueueKind
from streamflow.api.history.v1 import History, HistoryEvent
from streamflow.api.message_json import to_json
from streamflow.api.taskqueue.v1 import TaskQueue
from streamflow.api.times import Duration, Timestamp


@given(millis=st.integers(0, 4_000_000_000_000))
def test_a_moment_is_that_of_protobuf(millis: int) -> None:
    ours, real = Timestamp(), RealTimestamp()
    ours.FromMilliseconds(millis)
    real.FromMilliseconds(millis)

    assert ours.SerializeToString() == real.SerializeToString()
    assert ours.ToJsonString() == real.ToJsonString()
    assert ours.ToDatetime() == real.ToDatetime()
    assert ours.ToDatetime(UTC) == real.ToDatetime(UTC)
    assert ours.ToMilliseconds() == millis


@given(span=st.timedeltas(timedelta(0), timedelta(days=10_000)))
def test_a_span_is_that_of_protobuf(span: timedelta) -> None:
    ours, real = Duration(), RealDuration()
    ours.FromTimedelta(span)
    real.FromTimedelta(span)

    assert ours.SerializeToString() == real.SerializeToString()
    assert ours.ToJsonString() == real.ToJsonString()
    assert ours.ToTimedelta() == span


def test_a_moment_is_taken_from_any_time_zone() -> None:
    moment = Timestamp()
    moment.FromDatetime(datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))))

    assert moment.ToDatetime(UTC) == datetime(2026, 1, 1, tzinfo=UTC)
    assert moment.ToDatetime().tzinfo is None


def test_a_number_of_an_enum_is_a_member_even_if_it_was_set_as_a_number() -> None:
    queue = TaskQueue(name="q", kind=1)

    assert queue.kind is TaskQueueKind.TASK_QUEUE_KIND_NORMAL
    assert TaskQueue().kind is TaskQueueKind.TASK_QUEUE_KIND_UNSPECIFIED
    assert TaskQueue.FromString(queue.SerializeToString()) == queue
    assert to_json(queue) == {"name": "q", "kind": "TASK_QUEUE_KIND_NORMAL"}


def test_a_number_that_no_member_has_stays_a_number() -> None:
    """A later release's."""
    queue = TaskQueue.FromString(b"\x10\x63")

    assert queue.kind == 99


def test_fractions_and_lists_of_texts_are_read_from_their_bytes() -> None:
    policy = RetryPolicy(backoff_coefficient=1.5, non_retryable_error_types=["A", "B"])
    policy.initial_interval.FromMilliseconds(1_500)

    again = RetryPolicy.FromString(policy.SerializeToString())

    assert again == policy
    assert again.backoff_coefficient == 1.5
    assert to_json(again) == {
        "initialInterval": "1.500s",
        "backoffCoefficient": 1.5,
        "nonRetryableErrorTypes": ["A", "B"],
    }
    assert (
        Priority.FromString(Priority(fairness_weight=0.5).SerializeToString()).fairness_weight
        == 0.5
    )


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda: TaskQueue(kind="normal"), TypeError),
        (lambda: RetryPolicy(backoff_coefficient="1"), TypeError),
        (lambda: setattr(RetryPolicy(), "non_retryable_error_types", ["A"]), AttributeError),
    ],
)
def test_what_does_not_fit_a_field_is_refused(change: object, error: type[Exception]) -> None:
    assert callable(change)
    with pytest.raises(error, match="Expected"):
        change()


def test_an_event_says_which_attributes_it_has() -> None:
    event = HistoryEvent(event_id=2, event_type=EventType.EVENT_TYPE_TIMER_FIRED)
    event.timer_fired_event_attributes.timer_id = "1"

    [again] = History.FromString(History(events=[event]).SerializeToString()).events

    assert again == event
    assert again.WhichOneof("attributes") == "timer_fired_event_attributes"
    assert again.HasField("timer_fired_event_attributes")
    assert not again.HasField("timer_started_event_attributes")
    with pytest.raises(ValueError, match="Expected a field of HistoryEvent"):
        again.HasField("timer_burnt_event_attributes")


def test_there_are_attributes_for_every_type_of_event() -> None:
    for kind in EventType:
        if kind:
            name = f"{kind.name.removeprefix('EVENT_TYPE_').lower()}_event_attributes"
            assert not HistoryEvent().HasField(name)

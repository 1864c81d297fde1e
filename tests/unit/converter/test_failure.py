"""Errors to stored failures and back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from streamflow.api.enums import v1 as api
from streamflow.converter import (
    DataConverter,
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    PayloadCodec,
)
from streamflow.converter.failure import STACK_TRACE_CHARS_MAX, error_of, failure_of
from streamflow.exceptions import (
    ActivityError,
    ApplicationError,
    ApplicationErrorCategory,
    CancelledError,
    ChildWorkflowError,
    FailureError,
    RetryState,
    ServerError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
    WorkflowAlreadyStartedError,
)
from streamflow.model.failure import CAUSES_MAX, Failure, FailureKind
from streamflow.model.payload import Payload

values = DefaultPayloadConverter()
failures = DefaultFailureConverter()

ERRORS: list[FailureError] = [
    ApplicationError(
        "no card",
        {"card": 1},
        b"raw",
        type="CardUnknown",
        non_retryable=True,
        next_retry_delay=timedelta(seconds=3),
        category=ApplicationErrorCategory.BENIGN,
    ),
    CancelledError("stop", 1),
    TerminatedError("ended", "why"),
    TimeoutError("late", type=TimeoutType.HEARTBEAT, last_heartbeat_details=[7]),
    ServerError("broken", non_retryable=True),
    ActivityError(
        "Activity error",
        scheduled_event_id=3,
        started_event_id=0,
        identity="worker",
        activity_type="charge",
        activity_id="1",
        retry_state=RetryState.MAXIMUM_ATTEMPTS_REACHED,
    ),
    ChildWorkflowError(
        "Child error",
        namespace="default",
        workflow_id="w",
        run_id="r",
        workflow_type="Order",
        initiated_event_id=3,
        started_event_id=4,
        retry_state=None,
    ),
    WorkflowAlreadyStartedError("w", "Order", run_id="r"),
]


def _facts(error: FailureError) -> dict[str, object]:
    return {
        name: list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
        for name, value in vars(error).items()
        if name != "_failure"
    }


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_every_error_comes_back_with_all_it_said(error: FailureError) -> None:
    """Class, message, details and every field survive being stored."""
    back = error_of(failures, failure_of(failures, error, values), values)

    assert type(back) is type(error)
    assert _facts(back) == _facts(error)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (api.RetryState.RETRY_STATE_TIMEOUT, RetryState.TIMEOUT),
        (api.RetryState.RETRY_STATE_UNSPECIFIED, None),
    ],
)
def test_a_retry_state_may_be_one_of_the_messages(given: Any, kept: RetryState | None) -> None:
    """Tests of programs make errors with either enum."""
    error = ActivityError(
        "Activity error",
        scheduled_event_id=3,
        started_event_id=0,
        identity="worker",
        activity_type="charge",
        activity_id="1",
        retry_state=given,
    )

    back = error_of(failures, failure_of(failures, error, values), values)

    assert isinstance(back, ActivityError)
    assert back.retry_state == kept


def test_any_other_exception_becomes_an_application_error_of_its_class_name() -> None:
    """Retry policies name exceptions of user code by their class."""
    failure = failure_of(failures, ValueError("bad"), values)

    assert (failure.kind, failure.type, failure.message) == (
        FailureKind.APPLICATION,
        "ValueError",
        "bad",
    )


def test_a_cancelled_task_is_a_cancellation() -> None:
    """asyncio's own cancellation is stored as one."""
    assert failure_of(failures, asyncio.CancelledError(), values).kind is FailureKind.CANCELED


def test_causes_keep_their_order() -> None:
    """The chain of ``raise ... from`` is the chain of causes."""
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise ApplicationError("outer", type="Outer") from inner
    except ApplicationError as outer:
        back = error_of(failures, failure_of(failures, outer, values), values)
        assert isinstance(back, FailureError)

    assert isinstance(back.cause, ApplicationError)
    assert (back.cause.type, back.cause.message) == ("KeyError", "'inner'")
    assert back.failure is not None
    assert "test_causes_keep_their_order" in back.failure.stack_trace


def test_a_long_chain_of_causes_is_cut_and_says_so() -> None:
    """The stored chain is bounded, and its end tells that there was more."""
    error: BaseException = ValueError("root")
    for number in range(CAUSES_MAX + 10):
        outer = ValueError(str(number))
        outer.__cause__ = error
        error = outer

    chain: list[Failure] = []
    failure: Failure | None = failure_of(failures, error, values)
    while failure is not None:
        chain.append(failure)
        failure = failure.cause

    assert len(chain) == CAUSES_MAX + 1
    assert "left out" in chain[-1].message


def test_a_huge_stack_trace_keeps_both_ends() -> None:
    """A recursion's trace is bounded but shows where it began and where it broke."""

    def frames(depth: int) -> None:
        # A different line each time, so that the formatter finds nothing to fold.
        code = "\n" * depth + "f(depth - 1) if depth else 1 / 0"
        exec(compile(code, "user.py", "exec"), {"f": frames, "depth": depth})

    with pytest.raises(ZeroDivisionError) as raised:
        frames(150)
    trace = failure_of(failures, raised.value, values).stack_trace

    assert len(trace) <= STACK_TRACE_CHARS_MAX + 100
    assert "characters left out" in trace
    assert "test_a_huge_stack_trace" in trace
    assert trace.rstrip().endswith("in <module>")


def test_a_failure_that_came_in_goes_out_unchanged() -> None:
    """A workflow that lets an activity's error pass records the very failure it was given."""
    failure = Failure(
        kind=FailureKind.APPLICATION, message="far away", stack_trace="other language"
    )

    assert failure_of(failures, error_of(failures, failure, values), values) is failure


class _Reversing(PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload({"encoding": b"reversed", "was": p.metadata["encoding"]}, p.data[::-1])
            for p in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload({"encoding": p.metadata["was"]}, p.data[::-1]) for p in payloads]


def test_encoded_attributes_hide_message_and_stack_of_the_whole_chain() -> None:
    """With a codec, nothing that user code said is stored in the clear."""
    converter = DataConverter(
        payload_codec=_Reversing(),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
    error = ApplicationError("secret", "detail")
    error.__cause__ = ValueError("inner secret")

    stored = asyncio.run(converter.store_failure(error))
    back = asyncio.run(converter.restore_failure(stored))

    assert "secret" not in repr(stored)
    assert isinstance(back, ApplicationError)
    assert isinstance(back.cause, ApplicationError)
    assert (back.message, list(back.details), back.cause.message) == (
        "secret",
        ["detail"],
        "inner secret",
    )


def test_a_codec_stands_between_values_and_the_log() -> None:
    """Values are encoded, then changed by the codec; decoding undoes both."""
    converter = DataConverter(payload_codec=_Reversing())

    stored = asyncio.run(converter.encode(["ab", None]))

    assert [payload.metadata["encoding"] for payload in stored] == [b"reversed", b"reversed"]
    assert asyncio.run(converter.decode(stored, [str])) == ["ab", None]

"""The error tree."""

from __future__ import annotations

import asyncio
import pickle

import pytest

from streamflow import exceptions
from streamflow.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    FailureError,
    RetryState,
    TimeoutError,
    TimeoutType,
    is_cancelled_exception,
)


def _activity_error(cause: BaseException) -> ActivityError:
    error = ActivityError(
        "Activity error",
        scheduled_event_id=1,
        started_event_id=0,
        identity="worker",
        activity_type="charge",
        activity_id="1",
        retry_state=RetryState.TIMEOUT,
    )
    error.__cause__ = cause
    return error


def test_every_recorded_error_is_a_failure_error() -> None:
    """One ``except FailureError`` catches whatever an awaited operation ends with."""
    assert issubclass(ApplicationError, FailureError)
    assert issubclass(CancelledError, FailureError)
    assert issubclass(TimeoutError, FailureError)
    assert issubclass(ActivityError, FailureError)


def test_the_name_of_ported_code_is_the_same_class() -> None:
    """Code that catches TemporalError catches every error of the library."""
    assert exceptions.TemporalError is exceptions.StreamflowError


def test_an_application_error_shows_its_type() -> None:
    """A log line of an application error names its type."""
    assert str(ApplicationError("no such card", type="CardUnknown")) == "CardUnknown: no such card"
    assert str(ApplicationError("no such card")) == "no such card"


def test_text_may_be_added_to_an_application_error() -> None:
    """As programs do that show the stack of where it came from."""
    error = ApplicationError("no such card", type="CardUnknown")
    assert error.args == ("CardUnknown: no such card",)

    error.args = (f"{error} (in the vault)",)

    assert str(error) == "CardUnknown: no such card (in the vault)"
    assert error.message == "no such card"


def test_an_application_error_can_come_from_another_process() -> None:
    error = ApplicationError("no such card", 4, type="CardUnknown", non_retryable=True)

    made = pickle.loads(pickle.dumps(error))

    assert (str(made), made.message, made.type) == (str(error), "no such card", "CardUnknown")
    assert (made.details, made.non_retryable) == ((4,), True)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncio.CancelledError(), True),
        (CancelledError("stop"), True),
        (_activity_error(CancelledError("stop")), True),
        (_activity_error(TimeoutError("late", type=TimeoutType.HEARTBEAT)), False),
        (ValueError("no"), False),
    ],
)
def test_a_cancellation_is_known_also_behind_an_activity(
    error: BaseException, expected: bool
) -> None:
    """A workflow tells a cancellation from a failure without unpacking causes."""
    assert is_cancelled_exception(error) is expected


def test_an_error_may_have_other_arguments_than_its_message() -> None:
    error = FailureError("said", exc_args=("one", 2))
    assert (error.message, error.args) == ("said", ("one", 2))

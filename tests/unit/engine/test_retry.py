"""The arithmetic of retries: whether, when, and never beyond what there is time for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streamflow.engine.retry import INTERVAL_MS_MAX, RetryAt, after_failure, backoff_ms
from streamflow.model.failure import Failure, FailureKind, RetryState
from streamflow.model.options import RetryPolicy

policies = st.builds(
    RetryPolicy,
    initial_interval_ms=st.integers(1, 10**9),
    backoff_coefficient=st.floats(1, 1e6),
    maximum_interval_ms=st.none() | st.integers(1, 10**12),
    maximum_attempts=st.integers(0, 5),
)
FAILED = Failure(kind=FailureKind.APPLICATION, type="Broken")


def after(policy: RetryPolicy, failure: Failure = FAILED, **facts: int) -> RetryAt | RetryState:
    given_facts = {"attempt": 1, "now_ms": 1_000, **facts}
    return after_failure(
        policy,
        failure,
        attempt=given_facts["attempt"],
        now_ms=given_facts["now_ms"],
        expires_ms=given_facts.get("expires_ms"),
    )


@given(policy=policies, attempt=st.integers(1, 10**6))
def test_waits_grow_and_stay_within_their_bounds(policy: RetryPolicy, attempt: int) -> None:
    """However large the coefficient and the number of attempts."""
    this, later = backoff_ms(policy, attempt), backoff_ms(policy, attempt + 1)

    assert 0 <= this <= later <= INTERVAL_MS_MAX
    if policy.maximum_interval_ms is not None:
        assert later <= policy.maximum_interval_ms


def test_waits_double_up_to_a_hundred_times_the_first() -> None:
    waits = [backoff_ms(RetryPolicy(), attempt) for attempt in range(1, 10)]

    assert waits == [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 100_000, 100_000]


def test_a_failure_that_says_so_is_not_retried() -> None:
    policy = RetryPolicy(non_retryable_error_types=("Final",))

    for failure in (
        Failure(kind=FailureKind.APPLICATION, non_retryable=True),
        Failure(kind=FailureKind.APPLICATION, type="Final"),
        Failure(kind=FailureKind.CANCELED),
        Failure(kind=FailureKind.TERMINATED),
    ):
        assert after(policy, failure) is RetryState.NON_RETRYABLE_FAILURE


@given(policy=policies, attempt=st.integers(1, 8), left_ms=st.integers(0, 10**6))
def test_no_attempt_is_promised_beyond_the_bounds(
    policy: RetryPolicy, attempt: int, left_ms: int
) -> None:
    """Neither more of them than the policy allows, nor one that could not begin in time."""
    state = after(policy, attempt=attempt, expires_ms=1_000 + left_ms)

    if isinstance(state, RetryAt):
        assert 1_000 <= state.due_ms < 1_000 + left_ms
        assert not policy.maximum_attempts or attempt < policy.maximum_attempts


def test_a_failure_sets_its_own_delay() -> None:
    """Also none at all."""
    for delay_ms in (0, 77):
        failure = Failure(kind=FailureKind.APPLICATION, next_retry_delay_ms=delay_ms)
        assert after(RetryPolicy(), failure) == RetryAt(1_000 + delay_ms)

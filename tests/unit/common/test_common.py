"""Options and values that workflows, activities and clients share."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.api.common.v1 import RetryPolicy as RetryPolicyMessage
from streamflow.common import (
    Priority,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from streamflow.common.durations import to_ms
from streamflow.model.options import IdConflictPolicy, IdReusePolicy

SECOND = timedelta(seconds=1)
retry_policies = st.builds(
    RetryPolicy,
    initial_interval=st.integers(1, 10**9).map(lambda ms: timedelta(milliseconds=ms)),
    backoff_coefficient=st.floats(1, 10),
    maximum_interval=st.integers(10**9, 10**10).map(lambda ms: timedelta(milliseconds=ms)),
    maximum_attempts=st.integers(0, 1_000),
    non_retryable_error_types=st.none() | st.lists(st.text(), min_size=1),
)


@given(retry_policies)
def test_a_retry_policy_survives_the_log(policy: RetryPolicy) -> None:
    """What a user asks for is what the engine reads."""
    assert RetryPolicy._from_model(policy._to_model()) == policy


@given(retry_policies)
def test_a_retry_policy_survives_its_message(policy: RetryPolicy) -> None:
    """Programs keep policies in messages of their own."""
    message = RetryPolicyMessage()

    policy.apply_to_proto(message)

    assert RetryPolicy.from_proto(message) == policy


@pytest.mark.parametrize(
    ("policy", "complaint"),
    [
        (RetryPolicy(initial_interval=-SECOND), "Initial interval cannot be negative"),
        (RetryPolicy(backoff_coefficient=0.5), "Backoff coefficient cannot be less than 1"),
        (RetryPolicy(maximum_interval=-SECOND), "Maximum interval cannot be negative"),
        (
            RetryPolicy(maximum_interval=SECOND / 2),
            "Maximum interval cannot be less than initial interval",
        ),
        (RetryPolicy(maximum_attempts=-1), "Maximum attempts cannot be negative"),
    ],
)
def test_an_impossible_retry_policy_is_refused_when_it_is_used(
    policy: RetryPolicy, complaint: str
) -> None:
    """Not when it is made: its fields may be set one after the other."""
    with pytest.raises(ValueError, match=complaint):
        policy._to_model()


def test_a_policy_of_one_attempt_has_nothing_to_refuse() -> None:
    once = RetryPolicy(initial_interval=-SECOND, backoff_coefficient=0)
    once.maximum_attempts = 1
    assert once._to_model().maximum_attempts == 1


def test_no_interval_is_the_default_interval() -> None:
    none = RetryPolicy(initial_interval=timedelta(0), maximum_interval=timedelta(0))
    assert none._to_model() == RetryPolicy()._to_model()


def test_code_is_told_the_default_of_the_longest_wait() -> None:
    told = RetryPolicy._from_model(RetryPolicy(initial_interval=3 * SECOND)._to_model())
    assert told == RetryPolicy(initial_interval=3 * SECOND, maximum_interval=300 * SECOND)


@given(st.integers(1, 999))
def test_a_short_wait_never_becomes_none(microseconds: int) -> None:
    """A positive duration below a millisecond is one millisecond inside."""
    assert to_ms(timedelta(microseconds=microseconds)) == 1


def test_an_unspecified_conflict_policy_fails() -> None:
    """A start that says nothing about an open run is refused when there is one."""
    assert WorkflowIDConflictPolicy.UNSPECIFIED._to_model() is IdConflictPolicy.FAIL


@pytest.mark.parametrize("policy", WorkflowIDReusePolicy)
def test_every_reuse_policy_is_known_inside(policy: WorkflowIDReusePolicy) -> None:
    """No user option lacks a meaning in the engine."""
    assert policy._to_model() is IdReusePolicy[policy.name]


def test_priorities_outside_one_to_five_are_refused() -> None:
    """1 is first and 5 is last; nothing else is a priority."""
    with pytest.raises(ValueError, match="from 1"):
        Priority(priority_key=6)
    with pytest.raises(TypeError, match="int"):
        Priority(priority_key=1.5)  # type: ignore[arg-type]  # the point of the test


def test_updating_search_attributes_replaces_by_name() -> None:
    """An updated collection has one value for each key, and the original is unchanged."""
    customer = SearchAttributeKey.for_keyword("customer")
    total = SearchAttributeKey.for_int("total")
    before = TypedSearchAttributes(
        [SearchAttributePair(customer, "ann"), SearchAttributePair(total, 1)]
    )

    after = before.updated(SearchAttributePair(total, 2))

    assert (after[customer], after[total], before[total]) == ("ann", 2, 1)
    assert TypedSearchAttributes.empty.get(customer) is None


def test_a_search_attribute_twice_is_refused() -> None:
    """Two values of one key would leave the reader to guess."""
    key = SearchAttributeKey.for_int("total")
    with pytest.raises(ValueError, match="total"):
        TypedSearchAttributes([SearchAttributePair(key, 1), SearchAttributePair(key, 2)])

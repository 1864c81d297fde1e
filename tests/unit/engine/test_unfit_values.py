"""Priorities, retry policies and durations out of their bounds are refused; where they are recorded, they are lived with."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from streamflow.engine.chain import deadline_ms
from streamflow.engine.context import DEFAULT_LIMITS
from streamflow.engine.deadlines import TIME_MS_MAX, Due, activity_due
from streamflow.engine.decide.intents import refuse_intents
from streamflow.engine.decide.options import options_after
from streamflow.engine.decide.start import Begin, decide_start
from streamflow.engine.retry import INTERVAL_MS_MAX, RetryAt, after_failure, backoff_ms
from streamflow.model import standalone
from streamflow.model.activity_options import ActivityOption, ActivityOptions, OptionsChange
from streamflow.model.answers import Reason, Rejection
from streamflow.model.bounds import DURATION_MS_MAX
from streamflow.model.commands import StartWorkflow
from streamflow.model.events import WorkflowStarted
from streamflow.model.ids import MessageId, Op, RunId
from streamflow.model.intents import ContinueAsNew, Intent
from streamflow.model.options import ActivityTimeouts, RetryPolicy
from streamflow.model.payload import Payload
from streamflow.model.priorities import inherited
from streamflow.model.relations import Chain
from tests.unit.engine.driven import FAILED, MINUTE, Driven, W, charge

INT_MAX = 2**63 - 1
PRIORITIES: list[dict[str, Any]] = [
    {"priority": 6},
    {"priority": -1},
    {"fairness_key": "é" * 33},
    {"fairness_weight": float("nan")},
]
POLICIES = [
    RetryPolicy(initial_interval_ms=-5),
    RetryPolicy(initial_interval_ms=INT_MAX),
    RetryPolicy(maximum_interval_ms=-1),
    RetryPolicy(maximum_interval_ms=INT_MAX),
    RetryPolicy(backoff_coefficient=0.9),
    RetryPolicy(backoff_coefficient=float("inf")),
    RetryPolicy(backoff_coefficient=float("nan")),
    RetryPolicy(maximum_attempts=-1),
]
UNFIT: list[dict[str, Any]] = [*PRIORITIES, *({"retry_policy": policy} for policy in POLICIES)]
DURATIONS: list[dict[str, Any]] = [
    {f"{name}_ms": value}
    for name in ("start_delay", "run_timeout", "execution_timeout", "task_timeout")
    for value in (-1, DURATION_MS_MAX + 1, INT_MAX)
]


def _start(**fields: Any) -> Begin | Rejection:
    named: dict[str, Any] = {"workflow_id": W, "workflow_type": "Order"}
    command = StartWorkflow(**named | fields)
    decided = decide_start(None, command, MessageId("m"), Driven().context())
    assert isinstance(decided, Begin | Rejection)
    return decided


def _is_invalid(decided: object) -> bool:
    return isinstance(decided, Rejection) and decided.reason is Reason.INVALID_ARGUMENT


@pytest.mark.parametrize("unfit", [*UNFIT, *DURATIONS])
def test_a_start_is_refused(unfit: dict[str, Any]) -> None:
    assert _is_invalid(_start(**unfit))


def test_a_start_at_the_bounds_is_taken_and_can_be_recorded() -> None:
    begin = _start(
        priority=5,
        fairness_key="k" * 64,
        start_delay_ms=DURATION_MS_MAX,
        execution_timeout_ms=DURATION_MS_MAX,
        retry_policy=RetryPolicy(initial_interval_ms=0, maximum_interval_ms=DURATION_MS_MAX),
    )

    assert isinstance(begin, Begin)
    assert msgspec.msgpack.encode(begin.facts)


def test_one_attempt_alone_needs_no_coefficient() -> None:
    policy = RetryPolicy(maximum_attempts=1, backoff_coefficient=0)

    assert isinstance(_start(retry_policy=policy), Begin)


@pytest.mark.parametrize(
    "unfit",
    [*UNFIT, {"start_delay_ms": INT_MAX}, {"timeouts": ActivityTimeouts(heartbeat_ms=INT_MAX)}],
)
def test_an_activity_of_a_clients_own_is_refused_as_it_is_started(unfit: dict[str, Any]) -> None:
    """The run that has it made could only be stuck."""
    order: dict[str, Any] = {
        "activity_id": "a",
        "activity_type": "charge",
        "queue": "q",
        "timeouts": MINUTE,
    }
    spec = standalone.StandaloneSpec(**order | unfit)

    kind = standalone.WORKFLOW_TYPE
    assert _is_invalid(_start(workflow_type=kind, args=(standalone.encode_spec(spec),)))


@pytest.mark.parametrize("args", [(), (Payload({}, b"no order"),)])
def test_an_activity_without_an_order_is_refused(args: tuple[Payload, ...]) -> None:
    assert _is_invalid(_start(workflow_type=standalone.WORKFLOW_TYPE, args=args))


@pytest.mark.parametrize("unfit", UNFIT)
def test_an_activity_is_refused(unfit: dict[str, Any]) -> None:
    driven = Driven()

    assert _is_invalid(refuse_intents(driven.run, [charge(**unfit)], driven.context()))


def test_a_policy_to_continue_with_is_refused() -> None:
    driven = Driven()
    intents: list[Intent] = [ContinueAsNew(retry_policy=POLICIES[0])]

    assert _is_invalid(refuse_intents(driven.run, intents, driven.context()))


@pytest.mark.parametrize("unfit", UNFIT)
def test_options_of_an_activity_are_not_changed_to_it(unfit: dict[str, Any]) -> None:
    driven = Driven()
    driven.activate(charge())
    options: dict[str, Any] = {"queue": "q", "timeouts": MINUTE, "retry_policy": RetryPolicy()}
    both = (ActivityOption.PRIORITY, ActivityOption.RETRY_POLICY)
    change = OptionsChange(to=ActivityOptions(**options | unfit), which=both)

    assert isinstance(options_after(driven.run.activities[Op(1)], change, restore=False), str)


# -- what is recorded ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("attempt", [1, 2, 64, 5_000])
def test_a_wait_under_an_unfit_policy_is_within_the_bounds(
    policy: RetryPolicy, attempt: int
) -> None:
    assert 0 <= backoff_ms(policy, attempt) <= INTERVAL_MS_MAX


@pytest.mark.parametrize("delay_ms", [-INT_MAX, INT_MAX])
def test_a_failures_own_delay_is_within_the_bounds(delay_ms: int) -> None:
    failure = msgspec.structs.replace(FAILED, next_retry_delay_ms=delay_ms)
    after = after_failure(RetryPolicy(), failure, attempt=1, now_ms=1_000, expires_ms=None)

    assert isinstance(after, RetryAt)
    assert 1_000 <= after.due_ms <= 1_000 + DURATION_MS_MAX


def test_a_deadline_is_within_the_bounds() -> None:
    assert deadline_ms(1_000, INT_MAX) == 1_000 + DURATION_MS_MAX


def test_a_limit_of_an_activity_is_due_within_the_bounds() -> None:
    driven = Driven()
    driven.activate(charge())
    activity = driven.run.activities[Op(1)]
    timeouts = ActivityTimeouts(schedule_to_close_ms=INT_MAX)
    activity.scheduled = msgspec.structs.replace(activity.scheduled, timeouts=timeouts)

    assert activity_due(activity, Due.SCHEDULE_TO_CLOSE, DEFAULT_LIMITS) == TIME_MS_MAX


@pytest.mark.parametrize("unfit", UNFIT)
def test_a_chain_goes_on_with_what_it_was_begun_with(unfit: dict[str, Any]) -> None:
    """On another queue: there it is a start, too."""
    chain = Chain(run_id=RunId("next"), first_run_id=RunId("first"), continued_from=RunId("last"))

    assert isinstance(_start(chain=chain, **unfit), Begin)


@pytest.mark.parametrize("unfit", PRIORITIES)
def test_what_an_older_run_begins_is_within_the_bounds(unfit: dict[str, Any]) -> None:
    started = WorkflowStarted(
        workflow_type="Order",
        queue="q",
        message_id=MessageId("m"),
        first_run_id=RunId("r"),
        **unfit,
    )
    driven = Driven()
    fields = inherited(charge(), started)

    assert refuse_intents(driven.run, [charge(**fields)], driven.context()) is None

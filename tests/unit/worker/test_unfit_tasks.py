"""Whatever a task holds and whatever fails after its code: an end is told, and the slot is given back."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from streamflow import activity
from streamflow.common import Priority
from streamflow.converter import DataConverter
from streamflow.memory.clock import RealClock
from streamflow.model.commands import ActivityOutcome
from streamflow.model.failure import Failure
from streamflow.model.options import ActivityTimeouts, RetryPolicy
from streamflow.model.tasks import ActivityTask
from streamflow.worker.registry import Registry
from streamflow.worker.running.attempt import Attempt, Outcome
from streamflow.worker.running.executor import Executor
from tests.unit.worker.tasks import task_of, values

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(30)]
FOR_EVER_MS = 2**63 - 1


@activity.defn
async def fall() -> None:
    raise RuntimeError("the payment service is away")


@activity.defn
async def tell_priority() -> Priority:
    return activity.info().priority


@activity.defn
async def tell_limits() -> bool:
    info = activity.info()
    assert info.retry_policy is not None
    assert info.retry_policy.maximum_interval == info.schedule_to_close_timeout
    longest = info.retry_policy.maximum_interval
    return longest is not None and longest > timedelta(days=365_000)


class _Broken(logging.Handler):
    """A handler of the user's own that no record survives."""

    def emit(self, record: logging.LogRecord) -> None:
        raise OSError("no room on the disk of logs")


async def _outcomes(*tasks: ActivityTask) -> list[Outcome]:
    """Of these, one after the other in the only slot."""
    executor = Executor(
        Registry([fall, tell_priority, tell_limits]),
        DataConverter.default,
        RealClock(),
        namespace="default",
        slots=1,
    )
    ends: list[asyncio.Future[Outcome]] = []
    for task in tasks:
        ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        ends.append(ended)
        executor.run([Attempt(task, ended=partial(_settle, ended))])
    async with asyncio.timeout(10):
        return [await ended for ended in ends]


def _settle(ended: asyncio.Future[Outcome], _: Attempt, outcome: Outcome) -> None:
    ended.set_result(outcome)


def _failure(outcome: Outcome) -> Failure:
    assert outcome.kind is ActivityOutcome.FAILED, outcome
    assert outcome.failure is not None
    return outcome.failure


def _result(outcome: Outcome) -> Any:
    assert outcome.result is not None, outcome
    return values.from_payload(outcome.result)


@pytest.mark.parametrize("unfit", [{"priority": 9}, {"priority": -7}, {"fairness_key": "k" * 65}])
async def test_an_unfit_priority_takes_no_slot_from_others(unfit: dict[str, Any]) -> None:
    """The failure of its attempts is noted, and told, like any other."""
    outcomes = await _outcomes(task_of("fall", **unfit), task_of("fall", op=2))

    messages = [_failure(outcome).message for outcome in outcomes]
    assert messages == ["the payment service is away"] * 2


async def test_an_unfit_priority_is_told_as_the_nearest() -> None:
    unfit: dict[str, Any] = {
        "priority": 9,
        "fairness_key": "é" * 33,
        "fairness_weight": float("nan"),
    }
    [outcome] = await _outcomes(task_of("tell_priority", **unfit))

    assert _result(outcome) == {
        "priority_key": 5,
        "fairness_key": "é" * 32,
        "fairness_weight": None,
    }


async def test_limits_that_no_duration_holds_are_told_as_the_longest() -> None:
    [outcome] = await _outcomes(
        task_of(
            "tell_limits",
            timeouts=ActivityTimeouts(schedule_to_close_ms=FOR_EVER_MS),
            retry_policy=RetryPolicy(initial_interval_ms=FOR_EVER_MS),
        )
    )

    assert _result(outcome) is True


async def test_an_end_that_cannot_be_noted_is_told() -> None:
    """As when the user's logging fails: the next attempt has the slot."""
    broken = _Broken()
    log = logging.getLogger("streamflow.activity")
    log.addHandler(broken)
    try:
        first, second = await _outcomes(task_of("fall"), task_of("tell_priority", op=2))
    finally:
        log.removeHandler(broken)

    assert _failure(first).type == "RuntimeError"
    assert "OSError" in _failure(first).message
    assert second.kind is ActivityOutcome.COMPLETED

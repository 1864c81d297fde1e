"""Which of the attempts that wait is next, and how soon one may begin."""

from __future__ import annotations

import asyncio
import time
import uuid
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from streamflow import activity, workflow
from streamflow.common import Priority
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker
from streamflow.worker.running.attempt import Attempt
from streamflow.worker.taking.waiting import Rate, Waiting
from tests.unit.worker.tasks import task_of

LIMIT = timedelta(seconds=60)


def attempt(name: str, **fields: Any) -> Attempt:
    task = msgspec.structs.replace(task_of(name), **fields)
    return Attempt(task, ended=lambda *_: None)


def order(*attempts: Attempt) -> list[str]:
    waiting: Waiting[Attempt] = Waiting()
    for each in attempts:
        waiting.push(each)
    return [waiting.pop().task.activity_type for _ in range(len(waiting))]


def test_a_lower_priority_key_goes_first_and_none_is_three() -> None:
    found = order(
        attempt("none"),
        attempt("last", priority=5),
        attempt("three", priority=3),
        attempt("first", priority=1),
    )

    assert found == ["first", "none", "three", "last"]


def test_keys_of_fairness_take_turns() -> None:
    """Whoever asks for much does not keep out who asks for little."""
    many = [attempt("many", fairness_key="m") for _ in range(4)]
    few = [attempt("few", fairness_key="f") for _ in range(2)]

    assert order(*many, *few) == ["many", "few", "many", "few", "many", "many"]


def test_a_heavier_key_has_more_turns() -> None:
    heavy = [attempt("heavy", fairness_key="h", fairness_weight=3.0) for _ in range(6)]
    light = [attempt("light", fairness_key="l") for _ in range(2)]

    assert order(*light, *heavy)[:4].count("heavy") == 3


def test_a_rate_spaces_beginnings_evenly() -> None:
    """None is saved up for later."""
    rate = Rate(10)
    assert rate.wait_ms(0) == 0
    rate.take(0)

    assert rate.wait_ms(0) == 100
    assert rate.wait_ms(1_000) == 0
    rate.take(1_000)
    assert rate.wait_ms(1_000) == 100


def test_without_a_rate_nobody_waits() -> None:
    rate = Rate(None)
    rate.take(0)

    assert rate.wait_ms(0) == 0


begun: list[tuple[str, float]] = []


@activity.defn
async def note(name: str) -> Any:
    begun.append((name, time.monotonic()))
    priority = activity.info().priority
    return [priority.priority_key, priority.fairness_key, priority.fairness_weight]


@workflow.defn
class Notes:
    @workflow.run
    async def run(self, count: int) -> list[Any]:
        return await asyncio.gather(
            *(
                workflow.execute_activity(
                    note,
                    f"n{number}",
                    start_to_close_timeout=LIMIT,
                    priority=Priority(
                        priority_key=5 - number, fairness_key="k", fairness_weight=2.0
                    ),
                )
                for number in range(count)
            )
        )


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "option", ["max_activities_per_second", "max_task_queue_activities_per_second"]
)
async def test_a_worker_keeps_to_its_rates(option: str) -> None:
    """Four beginnings at 20 a second take three twentieths of one; an activity knows its priority."""
    begun.clear()
    queue = f"q-{uuid.uuid4().hex[:8]}"
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(
            env.client,
            task_queue=queue,
            workflows=[Notes],
            activities=[note],
            **{option: 20},  # type: ignore[arg-type]  # one of two floats
        ),
    ):
        found = await env.client.execute_workflow(Notes.run, 4, id="w", task_queue=queue)

    times = sorted(at for _, at in begun)
    assert times[-1] - times[0] >= 0.14
    assert found[0] == [5, "k", 2.0]


@pytest.mark.asyncio
async def test_a_rate_that_lets_nothing_begin_is_refused() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        with pytest.raises(ValueError, match="max_activities_per_second"):
            Worker(env.client, task_queue="q", activities=[note], max_activities_per_second=0)

"""Activities that may be made once only: their time does not run before they begin."""

from __future__ import annotations

import asyncio

from streamflow.model.commands import StartActivity
from tests.unit.worker.stage import ONCE, Stage, play_scene
from tests.unit.worker.tasks import task_of


def test_what_may_run_once_is_announced_when_there_is_a_slot() -> None:
    """Who is told of a start watches over the attempt's time, so nobody is told while it waits."""

    async def scene(stage: Stage) -> None:
        stage.worker(slots=1, prefetch=5)
        await asyncio.sleep(1)
        stage.dispatch(*(task_of("sleep", 10, op=n, retry_policy=ONCE) for n in (1, 2)))
        await asyncio.sleep(5)
        assert [command.task.op for command in stage.said(StartActivity)] == [1]

        await asyncio.sleep(6)
        assert [command.task.op for command in stage.said(StartActivity)] == [1, 2]
        await asyncio.sleep(10)
        assert stage.results() == ["slept", "slept"]

    play_scene(scene)


def test_of_those_that_wait_the_most_urgent_is_announced_first() -> None:
    async def scene(stage: Stage) -> None:
        stage.worker(slots=1, prefetch=5)
        await asyncio.sleep(1)
        stage.dispatch(
            task_of("sleep", 10, op=1, retry_policy=ONCE),
            task_of("sleep", 10, op=2, retry_policy=ONCE, priority=5),
            task_of("sleep", 10, op=3, retry_policy=ONCE, priority=1),
        )
        await asyncio.sleep(15)

        assert [command.task.op for command in stage.said(StartActivity)] == [3, 1]

    play_scene(scene)

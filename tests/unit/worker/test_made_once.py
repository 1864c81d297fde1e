"""Activities that may be made once only: their time does not run before they begin."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from streamflow.model.answers import Answer
from streamflow.model.commands import Command, ReportActivity, StartActivity
from streamflow.ports import Committed, TopicPartition, Unavailable
from tests.unit.worker.stage import ONCE, Stage, agree, play_scene
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


def test_what_is_announced_and_not_acknowledged_goes_on_with_its_partition() -> None:
    """Nobody has begun it: the partition's next owner is given it, and makes it."""

    async def scene(stage: Stage) -> None:
        def silent(command: Command) -> Answer | None:
            return None if isinstance(command, StartActivity) else agree(command)

        stage.answer = silent
        stage.worker("a")
        await asyncio.sleep(1)
        for partition in (0, 1):
            stage.dispatch(
                task_of("double", partition, op=partition, retry_policy=ONCE), partition=partition
            )
        await asyncio.sleep(1)
        assert len(stage.said(StartActivity)) == 2

        stage.worker("b")
        await asyncio.sleep(2)
        stage.answer = agree
        await asyncio.sleep(60)

        reports = sorted((said.task.op, said.identity) for said in stage.said(ReportActivity))
        assert [op for op, _ in reports] == [0, 1]
        assert {identity for _, identity in reports} == {"a", "b"}

    play_scene(scene, partitions=2)


@pytest.mark.parametrize("taken", [False, True], ids=["refused", "taken unheard"])
def test_what_could_not_be_committed_goes_on_with_its_partition(taken: bool) -> None:
    """It is acknowledged, a rebalance fails the commit before it begins, and then takes its partition."""

    async def scene(stage: Stage) -> None:
        first = stage.worker("a")
        await asyncio.sleep(1)
        poller, source = first.poller, first.poller._opened.source
        commit, revoked = source.commit, poller.on_revoked

        def failing(offsets: Mapping[TopicPartition, Committed]) -> None:
            if taken:
                commit(offsets)
            raise Unavailable("a rebalance is under way")

        def on_revoked(partitions: list[TopicPartition]) -> None:
            source.commit = commit  # type: ignore[method-assign]  # of the new generation
            revoked(partitions)

        source.commit, poller.on_revoked = failing, on_revoked  # type: ignore[method-assign, assignment]
        stage.dispatch(task_of("double", 1, op=1, retry_policy=ONCE), partition=1)
        await asyncio.sleep(0.05)
        stage.worker("b")
        await asyncio.sleep(60)

        reports = [(said.task.op, said.identity) for said in stage.said(ReportActivity)]
        assert reports == [(1, "b")]

    play_scene(scene, partitions=2)

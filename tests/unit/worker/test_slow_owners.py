"""Owners that answer late, not now, or several times: their tasks begin all the same, and once."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from streamflow.model.answers import Answer, Confirmed, Reason, Rejection
from streamflow.model.commands import Command, ConfirmTasks, ReportActivity, StartActivity
from streamflow.ports import Committed
from streamflow.wire.inbox import reply_record
from tests.unit.worker.stage import ONCE, Stage, agree, play_scene
from tests.unit.worker.tasks import task_of


@pytest.mark.parametrize("late_s", [6, 50])
def test_an_owner_that_always_answers_late_is_heard(late_s: int) -> None:
    """What it is asked again meanwhile grows with its delay more slowly than the delay."""

    async def scene(stage: Stage) -> None:
        def late(command: Command) -> Answer | None:
            to, answer = stage.received[-1].envelope.reply_to, agree(command)
            if to is not None and answer is not None:
                record = reply_record(to, answer)
                asyncio.get_running_loop().call_later(late_s, stage.broker.append, record)
            return None

        stage.answer = late
        stage.dispatch(task_of("double", 1, op=1))
        stage.worker()
        await asyncio.sleep(1)
        stage.dispatch(task_of("double", 2, op=2, retry_policy=ONCE))
        await asyncio.sleep(200)

        assert sorted(stage.results()) == [2, 4]
        assert len(stage.said(ConfirmTasks)) <= 4
        assert len(stage.said(StartActivity)) <= 4

    play_scene(scene)


def _late_to_be_seen(stage: Stage, late_s: float, answer: Answer, command: Command) -> None:
    """The answer is written now, and a transaction that stalls in front of it hides it."""
    to = stage.received[-1].envelope.reply_to
    if not isinstance(command, ConfirmTasks) or to is None:
        return
    record, now_ms = reply_record(to, answer), stage.broker.clock.now_ms()
    partition = stage.broker.partition_for(record)
    asyncio.get_running_loop().call_later(
        late_s,
        lambda: partition.append(
            record.key, record.value, record.headers, now_ms=now_ms, transaction=None
        ),
    )


def test_an_answer_that_has_grown_old_on_its_way_is_asked_for_again() -> None:
    """What was wanted when it was written may have ended before it was read (seed 344 of the simulation)."""

    async def scene(stage: Stage) -> None:
        def ends_meanwhile(command: Command) -> Answer | None:
            is_first = len(stage.said(ConfirmTasks)) == 1
            _late_to_be_seen(stage, 3, Confirmed(pending=(is_first,)), command)
            return None

        stage.answer = ends_meanwhile
        stage.dispatch(task_of("double", 1, op=1))
        stage.worker()
        await asyncio.sleep(20)

        assert len(stage.said(ConfirmTasks)) == 2
        assert stage.results() == []

    play_scene(scene)


def test_where_all_answers_are_late_tasks_begin_all_the_same() -> None:
    """Asked again no newer answer comes: the second is trusted."""

    async def scene(stage: Stage) -> None:
        def late(command: Command) -> Answer | None:
            _late_to_be_seen(stage, 3, Confirmed(pending=(True,)), command)
            return None

        stage.answer = late
        stage.dispatch(task_of("double", 1, op=1))
        stage.worker()
        await asyncio.sleep(20)

        assert len(stage.said(ConfirmTasks)) == 2
        assert stage.results() == [2]

    play_scene(scene)


def test_an_answer_that_is_lost_is_asked_for_soon_however_often_it_was_before() -> None:
    """What was answered meanwhile does not count as silence."""

    async def scene(stage: Stage) -> None:
        def third(command: Command) -> Answer | None:
            match len(stage.said(ConfirmTasks)):
                case 1:
                    _late_to_be_seen(stage, 3, Confirmed(pending=(True,)), command)
                    return None
                case 2:
                    return None
                case _:
                    return agree(command)

        stage.answer = third
        stage.dispatch(task_of("double", 1, op=1))
        stage.worker()
        await asyncio.sleep(9.5)

        assert stage.results() == [2]

    play_scene(scene)


def test_a_silent_owner_takes_no_room_from_the_tasks_of_others() -> None:
    """It may be away for long; a queue may serve the workflows of several. Once it answers, all of its tasks are made."""

    async def scene(stage: Stage) -> None:
        def of_others(command: Command) -> Answer | None:
            if isinstance(command, ConfirmTasks) and command.tasks[0][1].op <= 20:
                return None
            return agree(command)

        stage.answer = of_others
        stage.dispatch(*(task_of("double", n, op=n) for n in range(1, 21)))
        stage.worker(slots=2, prefetch=2)
        await asyncio.sleep(1)
        stage.dispatch(*(task_of("double", n, op=n) for n in range(21, 31)))
        await asyncio.sleep(30)
        assert sorted(stage.results()) == [2 * n for n in range(21, 31)]

        stage.answer = agree
        await asyncio.sleep(130)
        assert sorted(stage.results()) == [2 * n for n in range(1, 31)]
        assert stage.committed() == Committed(30, "")

    play_scene(scene)


def test_the_answers_to_all_questions_about_a_task_begin_it_once() -> None:
    """They come together, when an owner has been away."""

    async def scene(stage: Stage) -> None:
        stage.answer = lambda _: None
        stage.dispatch(task_of("double", 1, op=1))
        stage.worker()
        await asyncio.sleep(1)
        stage.dispatch(task_of("double", 2, op=2, retry_policy=ONCE))
        await asyncio.sleep(30)
        asked = list(stage.received)
        assert len(asked) == 6

        stage.answer = agree
        for received in asked:
            to, answer = received.envelope.reply_to, agree(received.command)
            assert to is not None
            assert answer is not None
            stage.broker.append(reply_record(to, answer))
        await asyncio.sleep(10)

        assert sorted(said.task.op for said in stage.said(ReportActivity)) == [1, 2]

    play_scene(scene)


def test_an_owner_that_is_away_is_asked_less_and_less() -> None:
    """Down to once a minute: all of it waits for it in its inbox."""

    async def scene(stage: Stage) -> None:
        times: list[float] = []

        def silent(_: Command) -> None:
            times.append(asyncio.get_running_loop().time())

        stage.answer = silent
        stage.dispatch(task_of("double", 1))
        stage.worker()
        await asyncio.sleep(300)

        apart = [round(later - earlier) for earlier, later in pairwise(times)]
        assert apart == [5, 10, 20, 40, 60, 60, 60]

    play_scene(scene)


def test_an_owner_that_cannot_say_now_is_asked_again() -> None:
    async def scene(stage: Stage) -> None:
        stage.answer = lambda _: Rejection(reason=Reason.UNAVAILABLE, message="not now")
        stage.dispatch(task_of("double", 1, op=1))
        stage.worker()
        await asyncio.sleep(1)
        stage.dispatch(task_of("double", 2, op=2, retry_policy=ONCE))
        await asyncio.sleep(1)

        stage.answer = agree
        await asyncio.sleep(10)

        assert sorted(stage.results()) == [2, 4]

    play_scene(scene)

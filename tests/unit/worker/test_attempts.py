"""Which attempt an activity's code is told it is: redeliveries count, as the worker sees them."""

from __future__ import annotations

import asyncio

from streamflow.model.answers import Confirmed
from streamflow.model.commands import ConfirmTasks, HeartbeatActivity, Received, ReportActivity
from streamflow.wire.inbox import reply_record
from tests.unit.worker.stage import Stage, play_scene
from tests.unit.worker.tasks import task_of, values

SESSION_S = 10


def _attempts_seen(stage: Stage) -> list[int]:
    """As the activity's code saw them, in order."""
    return [
        values.from_payload(beat.details[0])
        for beat in stage.said(HeartbeatActivity)
        if beat.details
    ]


async def _heard(stage: Stage, count: int) -> None:
    """Returns as soon as so many attempts have said so."""
    for _ in range(1_000 * 3 * SESSION_S):
        if len(_attempts_seen(stage)) >= count:
            return
        await asyncio.sleep(0.001)
    raise AssertionError(f"only {_attempts_seen(stage)} were heard")


def test_a_task_redelivered_after_a_crash_is_a_later_attempt_for_its_code_only() -> None:
    """Its code counts on; the owner hears of the attempt, and the token, that it gave out."""

    async def scene(stage: Stage) -> None:
        dead = stage.worker("a")
        await asyncio.sleep(1)
        stage.dispatch(task_of("attempt_then_sleep", 60))
        await asyncio.sleep(5)
        dead.log.crash()

        stage.worker("b")
        await asyncio.sleep(SESSION_S + 70)

        assert _attempts_seen(stage) == [1, 2]
        assert {beat.task.attempt for beat in stage.said(HeartbeatActivity)} == {1}
        [report] = stage.said(ReportActivity)
        assert report.task.attempt == 1

    play_scene(scene)


def test_a_task_that_ends_its_worker_at_once_is_counted_from_its_redelivery_on() -> None:
    """The first beginning may go unnoticed if it lasts for milliseconds; a redelivered task is noted before it begins."""

    async def scene(stage: Stage) -> None:
        stage.dispatch(task_of("attempt_then_sleep", 60))
        for name in ("a", "b", "c"):
            worker = stage.worker(name)
            await _heard(stage, 1 + "abc".index(name))
            worker.log.crash()

        assert _attempts_seen(stage) == [1, 2, 3]

    play_scene(scene)


def test_a_task_that_waited_for_a_worker_is_a_first_attempt() -> None:
    """Though it was there before its worker was, and had to be asked about."""

    async def scene(stage: Stage) -> None:
        dead = stage.worker("a")
        await asyncio.sleep(1)
        dead.log.crash()
        stage.dispatch(task_of("attempt_then_sleep", 1))

        stage.worker("b")
        await asyncio.sleep(SESSION_S + 10)

        assert _attempts_seen(stage) == [1]

    play_scene(scene)


def test_a_retry_counts_on_from_the_attempt_that_the_owner_gives_out() -> None:
    """The owner's count and the redeliveries add up, for each attempt anew."""

    async def scene(stage: Stage) -> None:
        stage.worker()
        await asyncio.sleep(1)
        stage.dispatch(task_of("attempt_then_sleep", 1, attempt=4))
        await asyncio.sleep(5)

        assert _attempts_seen(stage) == [4]

    play_scene(scene)


def test_an_answer_to_a_question_that_was_asked_again_ends_nobody() -> None:
    """It comes late, and then twice (found by the simulation): the task runs once, and the worker goes on."""

    async def scene(stage: Stage) -> None:
        unanswered: list[Received] = []
        agreeing, stage.answer = stage.answer, lambda _: None
        stage.dispatch(task_of("double", 1))
        worker = stage.worker()
        await asyncio.sleep(12)
        unanswered += [r for r in stage.received if isinstance(r.command, ConfirmTasks)]
        assert len(unanswered) > 1

        stage.answer = agreeing
        for late in (*unanswered, *unanswered):
            assert late.envelope.reply_to is not None
            stage.broker.append(reply_record(late.envelope.reply_to, Confirmed(pending=(True,))))
        stage.dispatch(task_of("double", 2, op=2))
        await asyncio.sleep(12)

        assert sorted(stage.results()) == [2, 4]
        assert worker.running.failed() is None

    play_scene(scene)

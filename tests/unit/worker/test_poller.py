"""The poller on the log in memory: a test plays the owner of the tasks, and reads what the worker says to it."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from streamflow import activity
from streamflow.model.answers import Answer, Confirmed, HeartbeatAck, Reason, Rejection
from streamflow.model.commands import (
    ActivityOutcome,
    Command,
    ConfirmTasks,
    HeartbeatActivity,
    ReportActivity,
    StartActivity,
)
from streamflow.model.options import ActivityTimeouts
from streamflow.model.tasks import CancelTask
from streamflow.ports import Committed, OutRecord, TopicPartition
from streamflow.topology import (
    dead_letters_topic,
)
from streamflow.worker.registry import Registry
from streamflow.worker.taking.window import decode
from tests.unit.worker.stage import ONCE, TASKS, Stage, agree, play_scene
from tests.unit.worker.tasks import task_of, values


def test_tasks_are_made_reported_and_committed() -> None:
    """In the end the group stands behind the last task, with nothing to add."""

    async def scene(stage: Stage) -> None:
        stage.worker()
        await asyncio.sleep(1)
        stage.dispatch(*(task_of("double", n, op=n) for n in range(1, 6)))
        await asyncio.sleep(1)

        assert sorted(stage.results()) == [2, 4, 6, 8, 10]
        assert stage.committed() == Committed(5, "")

    play_scene(scene)


def test_a_task_that_lay_for_long_is_confirmed_before_it_runs() -> None:
    """Its activity may have ended elsewhere meanwhile, as after a move to another queue, or with its workflow."""

    async def scene(stage: Stage) -> None:
        def not_the_second(command: Command) -> Answer | None:
            if isinstance(command, ConfirmTasks):
                return Confirmed(pending=tuple(ref.op != 2 for _, ref in command.tasks))
            return agree(command)

        stage.answer = not_the_second
        stage.worker(slots=1, prefetch=0)
        await asyncio.sleep(1)
        stage.dispatch(
            task_of("sleep", 5, op=1), task_of("double", 2, op=2), task_of("double", 3, op=3)
        )
        await asyncio.sleep(10)

        asked = [ref.op for command in stage.said(ConfirmTasks) for _, ref in command.tasks]
        assert asked == [2, 3]
        assert stage.results()[1:] == [6]
        assert stage.committed() == Committed(3, "")

    play_scene(scene)


def test_a_slow_task_holds_nothing_up() -> None:
    """What is finished above it is committed beside the mark."""

    async def scene(stage: Stage) -> None:
        stage.worker()
        await asyncio.sleep(1)
        stage.dispatch(
            task_of("sleep", 30, op=1), *(task_of("double", n, op=n) for n in range(2, 5))
        )
        await asyncio.sleep(5)

        committed = stage.committed()
        assert committed is not None
        assert committed.offset == 0
        assert decode(0, committed.metadata) == [(1, 4)]
        await asyncio.sleep(30)
        assert stage.committed() == Committed(4, "")

    play_scene(scene)


def test_a_new_group_asks_before_it_runs_what_was_there() -> None:
    """Tasks from before the assignment are confirmed; those that are not pending are dropped unrun."""

    async def scene(stage: Stage) -> None:
        def only_the_second(command: Command) -> Answer | None:
            if isinstance(command, ConfirmTasks):
                return Confirmed(pending=(False, True))
            return agree(command)

        stage.answer = only_the_second
        stage.dispatch(task_of("double", 1, op=1), task_of("double", 2, op=2))
        stage.worker()
        await asyncio.sleep(2)

        assert len(stage.said(ConfirmTasks)) == 1
        assert stage.results() == [4]
        assert stage.committed() == Committed(2, "")

    play_scene(scene)


def test_a_redelivered_task_goes_on_where_the_last_heartbeat_said() -> None:
    """Its record was sent before any heartbeat, so its owner adds the latest; what the answer leaves out is asked again."""

    async def scene(stage: Stage) -> None:
        latest = tuple(values.to_payloads([7]))

        def one_at_a_time(command: Command) -> Answer | None:
            if isinstance(command, ConfirmTasks):
                return Confirmed(pending=(True,), heartbeat_details=(latest,))
            return agree(command)

        stage.answer = one_at_a_time
        stage.dispatch(task_of("resume", op=1), task_of("resume", op=2))
        stage.worker()
        await asyncio.sleep(2)

        assert [len(command.tasks) for command in stage.said(ConfirmTasks)] == [2, 1]
        assert stage.results() == [7, 7]

    play_scene(scene)


def test_a_dead_workers_running_task_is_made_again_at_once() -> None:
    """The successor is given only what was not finished, and asks whether it is still wanted."""

    async def scene(stage: Stage) -> None:
        dead = stage.worker("a")
        await asyncio.sleep(1)
        stage.dispatch(task_of("sleep", 20, op=1), task_of("double", 2, op=2))
        await asyncio.sleep(1)
        dead.log.crash()

        stage.worker("b")
        await asyncio.sleep(40)

        asked = [ref.op for command in stage.said(ConfirmTasks) for _, ref in command.tasks]
        assert asked == [1]
        assert sorted(map(str, stage.results())) == ["4", "slept"]
        assert stage.committed() == Committed(2, "")

    play_scene(scene)


def test_an_unanswered_question_is_asked_again() -> None:
    """A task waits for its owner for as long as it takes."""

    async def scene(stage: Stage) -> None:
        stage.answer = lambda _: None
        stage.dispatch(task_of("double", 1))
        stage.worker()
        await asyncio.sleep(12)
        assert stage.results() == []
        stage.answer = agree
        await asyncio.sleep(12)

        assert stage.results() == [2]

    play_scene(scene)


def test_what_may_run_once_is_announced_and_committed_before_it_runs() -> None:
    """When its code begins, no crash can lead to a second run."""

    async def scene(stage: Stage) -> None:
        seen: list[Committed | None] = []

        @activity.defn
        async def once() -> None:
            seen.append(stage.committed())

        worker = stage.worker()
        worker.executor._registry = Registry([once])
        await asyncio.sleep(1)
        stage.dispatch(task_of("once", retry_policy=ONCE))
        await asyncio.sleep(2)

        assert len(stage.said(StartActivity)) == 1
        assert seen == [Committed(1, "")]

    play_scene(scene)


def test_what_may_run_once_is_not_run_when_its_owner_has_given_it_up() -> None:
    """A refusal of the announcement drops the task."""

    async def scene(stage: Stage) -> None:
        stage.answer = lambda _: Rejection(reason=Reason.STALE_TASK, message="gone")
        stage.worker()
        await asyncio.sleep(1)
        stage.dispatch(task_of("double", 1, retry_policy=ONCE))
        await asyncio.sleep(2)

        assert stage.said(ReportActivity) == []
        assert stage.committed() == Committed(1, "")

    play_scene(scene)


def test_a_long_task_is_announced_once_and_a_short_one_never() -> None:
    """After a second its owner knows since when it runs, by whom, and where to push a cancellation."""

    async def scene(stage: Stage) -> None:
        stage.worker()
        await asyncio.sleep(1)
        begun_ms = stage.broker.clock.now_ms()
        stage.dispatch(task_of("sleep", 5, op=1), task_of("double", 1, op=2))
        await asyncio.sleep(10)

        announced = stage.said(StartActivity)
        assert [command.task.op for command in announced] == [1]
        assert abs(announced[0].started_ms - begun_ms) < 200
        assert announced[0].identity == "a"

    play_scene(scene)


def test_a_pushed_cancellation_reaches_the_code() -> None:
    """The control address of the announcement takes it."""

    async def scene(stage: Stage) -> None:
        stage.worker()
        await asyncio.sleep(1)
        task = task_of("until_cancelled")
        stage.dispatch(task)
        await asyncio.sleep(3)
        cancel = CancelTask(workflow_id=task.workflow_id, run_id=task.run_id, op=task.op, attempt=1)
        stage.push(stage.said(StartActivity)[0], cancel)
        await asyncio.sleep(1)

        assert "cancel_requested=True" in stage.results()[0]

    play_scene(scene)


def test_an_answer_to_a_heartbeat_or_announcement_may_ask_to_stop() -> None:
    """A cancellation from before the announcement is learned with its answer."""

    async def scene(stage: Stage) -> None:
        stage.answer = lambda _: HeartbeatAck(known=True, cancel_requested=True)
        stage.worker()
        await asyncio.sleep(1)
        stage.dispatch(task_of("until_cancelled"))
        await asyncio.sleep(3)

        assert "cancel_requested=True" in stage.results()[0]

    play_scene(scene)


def test_an_attempt_that_is_not_wanted_any_more_is_stopped() -> None:
    """Its owner's refusal says so."""

    async def scene(stage: Stage) -> None:
        stage.answer = lambda _: Rejection(reason=Reason.STALE_TASK, message="gone")
        stage.worker()
        await asyncio.sleep(1)
        stage.dispatch(task_of("until_cancelled"))
        await asyncio.sleep(3)

        assert "not_found=True" in stage.results()[0]

    play_scene(scene)


def test_heartbeats_are_sent_at_eight_tenths_of_their_timeout() -> None:
    """However often the code reports, and with the latest details."""

    async def scene(stage: Stage) -> None:
        stage.worker()
        await asyncio.sleep(1)
        stage.dispatch(task_of("beat", 40, timeouts=ActivityTimeouts(heartbeat_ms=10_000)))
        await asyncio.sleep(50)

        details = [values.from_payloads(beat.details)[0] for beat in stage.said(HeartbeatActivity)]
        assert details[0] == 0
        assert all(7 <= later - earlier <= 9 for earlier, later in pairwise(details))
        assert len(stage.said(StartActivity)) == 1

    play_scene(scene)


def test_a_hand_over_takes_running_tasks() -> None:
    """They end where they began, and the partition's new owner is not given them."""

    async def scene(stage: Stage) -> None:
        stage.worker("a")
        await asyncio.sleep(1)
        stage.dispatch(task_of("sleep", 20, op=1))
        stage.dispatch(task_of("sleep", 20, op=2), partition=1)
        await asyncio.sleep(3)

        stage.worker("b")
        await asyncio.sleep(5)
        stage.dispatch(task_of("double", 1, op=3))
        stage.dispatch(task_of("double", 1, op=4), partition=1)
        await asyncio.sleep(30)

        reports = {int(said.task.op): said.identity for said in stage.said(ReportActivity)}
        assert (reports[1], reports[2]) == ("a", "a")
        assert {reports[3], reports[4]} == {"a", "b"}
        assert stage.said(ConfirmTasks) == []

    play_scene(scene, partitions=2)


def test_a_worker_that_goes_gives_back_what_it_has_not_ended() -> None:
    """After its end nobody could report it, so its successor is given it at once."""

    async def scene(stage: Stage) -> None:
        first = stage.worker("a", slots=1)
        await asyncio.sleep(1)
        stage.dispatch(task_of("sleep", 10, op=1), task_of("double", 2, op=2))
        await asyncio.sleep(3)

        first.running.stop()
        await asyncio.sleep(1)
        stage.worker("b")
        await asyncio.sleep(20)

        asked = [ref.op for command in stage.said(ConfirmTasks) for _, ref in command.tasks]
        assert asked == [1, 2]
        assert {report.identity for report in stage.said(ReportActivity)} == {"b"}

    play_scene(scene)


def test_no_more_is_fetched_than_there_is_room_for() -> None:
    """Tasks beyond slots and prefetch stay in the log, where another worker could take them."""

    async def scene(stage: Stage) -> None:
        worker = stage.worker(slots=2, prefetch=3)
        await asyncio.sleep(1)
        stage.dispatch(*(task_of("sleep", 5, op=n) for n in range(1, 21)))
        await asyncio.sleep(1)
        assert len(worker.poller._opened.tasks) == 5
        await asyncio.sleep(60)

        assert len(stage.results()) == 20
        assert stage.committed() == Committed(20, "")

    play_scene(scene)


def test_an_unreadable_task_goes_to_the_dead_letters() -> None:
    """It does not hold up the tasks behind it."""

    async def scene(stage: Stage) -> None:
        stage.worker()
        await asyncio.sleep(1)
        stage.broker.append(OutRecord(*TASKS, b"w", b"not a task"))
        stage.dispatch(task_of("double", 1))
        await asyncio.sleep(2)

        letters = stage.broker.partition(TopicPartition(dead_letters_topic("default"), 0)).read(
            0, 10
        )[0]
        assert [letter.value for letter in letters] == [b"not a task"]
        assert stage.results() == [2]
        assert stage.committed() == Committed(2, "")

    play_scene(scene)


def test_a_draining_worker_takes_nothing_new() -> None:
    """What runs goes on; what comes waits for another worker."""

    async def scene(stage: Stage) -> None:
        worker = stage.worker()
        await asyncio.sleep(1)
        stage.dispatch(task_of("sleep", 5, op=1))
        await asyncio.sleep(1)
        worker.executor.begin_no_more()
        worker.poller.drain()
        await asyncio.sleep(1)
        stage.dispatch(task_of("double", 1, op=2))
        await asyncio.sleep(10)

        assert stage.results() == ["slept"]

    play_scene(scene)


def test_a_failing_attempt_sends_its_last_details_before_its_report() -> None:
    """The next attempt finds how far this one came."""

    @activity.defn
    async def fail_late() -> None:
        activity.heartbeat("first")
        await asyncio.sleep(0.5)
        activity.heartbeat("last")
        raise ValueError("no")

    async def scene(stage: Stage) -> None:
        worker = stage.worker()
        worker.executor._registry = Registry([fail_late])
        await asyncio.sleep(1)
        stage.dispatch(task_of("fail_late"))
        await asyncio.sleep(2)

        said = [
            r.command
            for r in stage.received
            if isinstance(r.command, HeartbeatActivity | ReportActivity)
        ]
        assert isinstance(said[-1], ReportActivity)
        assert said[-1].outcome is ActivityOutcome.FAILED
        assert isinstance(said[-2], HeartbeatActivity)
        assert values.from_payloads(said[-2].details) == ["last"]

    play_scene(scene)

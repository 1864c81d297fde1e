"""A workflow that is sent very much at once: the others of its partition overtake it, and nothing is lost or doubled by that."""

from __future__ import annotations

from typing import Any

import pytest

from streamflow import workflow
from streamflow.coroutine.flags import ASKED_MAX
from streamflow.memory.faults import Rates
from streamflow.model.answers import Confirmed, Done, QueryAnswer
from streamflow.model.commands import (
    ActivityOutcome,
    ConfirmTasks,
    QueryWorkflow,
    ReportActivity,
    SignalWorkflow,
)
from streamflow.model.events import SignalReceived
from streamflow.model.ids import WorkflowId
from streamflow.model.tasks import ActivityTask
from streamflow.processor.turns import fairness, pace
from tests.unit.processor.programs import Charge, FanOut, Hello, Local, Sleeper
from tests.unit.processor.stage import Hands, Stage, payload, ref, start

MANY = 23
FEW = 3


@workflow.defn
class Notes:
    def __init__(self) -> None:
        self.noted: list[int] = []

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def note(self, number: int) -> None:
        self.noted.append(number)

    @workflow.query
    def notes(self) -> list[int]:
        return self.noted


NOTES = QueryWorkflow(workflow_id=WorkflowId("w"), query_name="notes")


def flooded(**options: Any) -> Stage:
    """A workflow with many signals in the inbox, and behind them the start of another."""
    stage = Stage([Notes, Hello, Charge, Local, Sleeper], records_of_one_max=FEW, **options)
    stage.begin("Notes")
    for number in range(MANY):
        note = SignalWorkflow(
            workflow_id=WorkflowId("w"), signal_name="note", args=(payload(number),)
        )
        stage.send(note, reply=False)
    return stage


def turn(stage: Stage) -> None:
    stage.broker.run()
    stage.processor.turn()
    stage.broker.run()


def reported(task: ActivityTask) -> ReportActivity:
    return ReportActivity(
        workflow_id=task.workflow_id, task=ref(task), outcome=ActivityOutcome.COMPLETED
    )


def noted(stage: Stage) -> int:
    return sum(isinstance(event, SignalReceived) for event in stage.events())


def test_who_is_sent_little_need_not_wait_for_who_is_sent_much() -> None:
    stage = flooded()
    asked = stage.send(start("Hello", "other"))

    turn(stage)

    [answer] = stage.answers(asked)
    assert isinstance(answer, Done)
    assert noted(stage) == FEW
    stage.settle()
    assert stage.ask(NOTES) == QueryAnswer(result=payload(list(range(MANY))))


def test_the_position_names_what_was_overtaken() -> None:
    stage = flooded()
    stage.send(start("Hello", "other"), reply=False)
    turn(stage)
    meta = stage.partition().meta

    assert meta.read_to == 1 + MANY + 1
    assert sorted(meta.held) == list(range(1 + FEW, 1 + MANY))
    assert meta.inbox_offset == 1 + FEW
    stage.settle()
    assert (meta.inbox_offset, meta.read_to, meta.held) == (MANY + 2, MANY + 2, frozenset())


at_once = pytest.mark.parametrize("at_once", [4, 500], ids=["a poll brings some", "brings all"])
"""Found by the simulation (seed 10246): what was not read again yet, after a start or an abort, was forgotten."""


@at_once
@pytest.mark.parametrize("long", [2, 128], ids=["others first", "together"])
@pytest.mark.parametrize("disk", ["kept", "empty"])
@pytest.mark.parametrize("turns", [1, 2, 3, 4, 7])
def test_a_crash_in_the_middle_loses_and_doubles_nothing(
    disk: str, turns: int, long: int, at_once: int
) -> None:
    stage = flooded(turn_records_long=long, batch_records_max=at_once)
    for number in range(turns):
        stage.send(start("Hello", f"other-{number}"), reply=False)
        turn(stage)

    stage.restart(crash=True, disk=disk)

    assert stage.ask(NOTES) == QueryAnswer(result=payload(list(range(MANY))))
    for number in range(turns):
        assert stage.kinds(f"other-{number}").count("WorkflowStarted") == 1


@at_once
@pytest.mark.parametrize("long", [2, 128], ids=["others first", "together"])
def test_aborted_turns_lose_and_double_nothing(long: int, at_once: int) -> None:
    stage = flooded(turn_records_long=long, batch_records_max=at_once)
    stage.broker.faults.rates = Rates(aborted=0.5)
    for number in range(10):
        stage.send(start("Hello", f"other-{number}"), reply=False)
        turn(stage)
    stage.settle()
    stage.broker.faults.calm()

    assert stage.ask(NOTES) == QueryAnswer(result=payload(list(range(MANY))))
    for number in range(10):
        assert stage.kinds(f"other-{number}").count("WorkflowStarted") == 1
    assert stage.processor.counters.aborted > 0


def test_a_question_about_tasks_waits_for_what_may_have_ended_them() -> None:
    """It is filed under one workflow and asks of another, whose report is held."""
    stage = flooded()
    stage.begin("Charge", "c")
    [task] = stage.tasks()
    for number in range(FEW):
        note = SignalWorkflow(
            workflow_id=WorkflowId("c"), signal_name="note", args=(payload(number),)
        )
        stage.send(note, reply=False)
    stage.send(reported(task), reply=False)
    question = ConfirmTasks(workflow_id=WorkflowId("o"), tasks=((WorkflowId("c"), ref(task)),))
    asked = stage.send(question)
    stage.settle()

    assert stage.answers(asked) == [Confirmed(pending=(False,))]


# -- after a long turn --------------------------------------------------------------------------------------------------


def test_who_came_during_a_long_turn_goes_first_and_alone() -> None:
    """It has waited for one long turn already, and must not pay for another."""
    stage = flooded(turn_records_long=2)
    turn(stage)
    asked = stage.send(start("Hello", "other"))

    turn(stage)
    [answer] = stage.answers(asked)
    assert isinstance(answer, Done)
    assert noted(stage) == FEW

    turn(stage)
    assert noted(stage) == 2 * FEW
    stage.settle()
    assert stage.ask(NOTES) == QueryAnswer(result=payload(list(range(MANY))))


def test_who_waits_for_a_local_activity_goes_first_when_that_has_ended() -> None:
    """Where it ended in time, all of this would have been one turn."""
    hands = Hands()
    stage = flooded(turn_records_long=2, local=hands)
    stage.send(start("Local", "l"), reply=False)
    turn(stage)
    before = noted(stage)
    hands.end(hands.begun[0])

    turn(stage)

    assert "WorkflowCompleted" in stage.kinds("l")
    assert noted(stage) == before
    turn(stage)
    assert noted(stage) == before + FEW


def test_others_who_never_end_take_every_second_turn_at_most() -> None:
    stage = flooded(turn_records_long=2)
    for number in range(10):
        stage.send(start("Hello", f"other-{number}"), reply=False)
        turn(stage)

    assert noted(stage) >= 5 * FEW
    assert all(stage.kinds(f"other-{number}") for number in range(9))


def test_many_others_are_taken_with_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone they would make a long turn themselves."""
    monkeypatch.setattr(fairness, "OTHERS_MAX", 1)
    stage = flooded(turn_records_long=2)
    turn(stage)
    for name in "ab":
        stage.send(start("Hello", name), reply=False)

    turn(stage)

    assert stage.kinds("a")
    assert stage.kinds("b")
    assert noted(stage) == 2 * FEW


def test_timers_wait_for_one_turn_of_others_and_no_longer() -> None:
    stage = flooded(turn_records_long=2)
    stage.begin("Sleeper", "s", args=(payload(1),))
    stage.settle()
    for number in range(MANY):
        note = SignalWorkflow(
            workflow_id=WorkflowId("w"), signal_name="note", args=(payload(number),)
        )
        stage.send(note, reply=False)
    turn(stage)
    stage.clock.advance(1_000)
    stage.send(start("Hello", "other"), reply=False)

    turn(stage)
    assert stage.kinds("other")
    assert "TimerFired" not in stage.kinds("s")

    stage.send(start("Hello", "another"), reply=False)
    turn(stage)
    assert "TimerFired" in stage.kinds("s")


def test_code_that_has_still_to_run_does_not_wait_for_older_timers() -> None:
    """It is due since it was put off, and thousands may be due since before that."""
    stage = Stage([FanOut, Sleeper], due_per_turn_max=1)
    for number in range(5):
        stage.begin("Sleeper", f"s{number}", args=(payload(1),))
    stage.settle()
    stage.clock.advance(1_000)
    stage.send(start("FanOut", args=(payload(3 * ASKED_MAX),)), reply=False)
    for _ in range(3):
        turn(stage)

    assert len(stage.tasks()) == 3 * ASKED_MAX
    assert sum("TimerFired" in stage.kinds(f"s{number}") for number in range(5)) < 5
    stage.settle()
    assert all("TimerFired" in stage.kinds(f"s{number}") for number in range(5))


def test_what_waits_in_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "HELD_MAX", 5)
    stage = flooded(batch_records_max=4)
    most = 0
    for _ in range(3 * MANY):
        turn(stage)
        most = max(most, len(stage.partition().held))

    assert 0 < most <= 5 + 1
    assert noted(stage) == MANY

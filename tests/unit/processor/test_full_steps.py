"""A run that asks for very much in one step: it is recorded in parts, and the others of its partition go on between them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from streamflow import workflow
from streamflow.coroutine.flags import ASKED_MAX
from streamflow.memory.faults import Rates
from streamflow.model.answers import Description, Done, QueryAnswer
from streamflow.model.commands import DescribeWorkflow, QueryWorkflow, SignalWorkflow
from streamflow.model.events import Activated, ActivityScheduled
from streamflow.model.ids import WorkflowId
from tests.unit.processor.programs import Hello
from tests.unit.processor.stage import Stage, payload, start

PARTS = 4
MANY = PARTS * ASKED_MAX - 10


@workflow.defn
class FanOut:
    def __init__(self) -> None:
        self.noted: list[int] = []

    @workflow.run
    async def run(self) -> Any:
        limit = timedelta(minutes=1)
        acts = [
            workflow.execute_activity("act", n, start_to_close_timeout=limit) for n in range(MANY)
        ]
        return len(await asyncio.gather(*acts))

    @workflow.signal
    def note(self, number: int) -> None:
        self.noted.append(number)

    @workflow.query
    def notes(self) -> list[int]:
        return self.noted


def begun(turns: int, **options: Any) -> Stage:
    """The processor is stopped after so many turns: its run has asked for a part in each."""
    stage = Stage([FanOut, Hello], **options)
    stage.settle()
    stage.send(start("FanOut"), reply=False)
    for _ in range(turns):
        stage.broker.run()
        stage.processor.turn()
    stage.broker.run()
    return stage


def asked(stage: Stage) -> int:
    return sum(isinstance(event, ActivityScheduled) for event in stage.events())


def finish(stage: Stage) -> None:
    stage.settle()
    for task in stage.tasks():
        stage.report(task)


def test_each_turn_asks_for_a_part_of_it() -> None:
    stage = begun(2)
    assert asked(stage) == 2 * ASKED_MAX

    stage.settle()

    steps = [event for event in stage.events() if isinstance(event, Activated)]
    assert [step.goes_on for step in steps] == [True] * (PARTS - 1) + [False]
    assert asked(stage) == len(stage.tasks()) == MANY


def test_others_have_their_turn_in_between() -> None:
    stage = begun(1)
    answer = stage.send(start("Hello", "other"))

    stage.processor.turn()
    stage.broker.run()

    assert isinstance(stage.answers(answer)[0], Done)
    assert asked(stage) < MANY


@pytest.mark.parametrize("disk", ["kept", "empty"])
@pytest.mark.parametrize("turns", range(1, PARTS + 1))
def test_a_crash_between_two_parts_loses_and_doubles_none(turns: int, disk: str) -> None:
    stage = begun(turns)

    stage.restart(crash=True, disk=disk)

    assert asked(stage) == len(stage.tasks()) == MANY


def test_aborted_parts_are_asked_for_again() -> None:
    stage = begun(0)
    stage.broker.faults.rates = Rates(aborted=0.5)
    stage.settle()
    stage.broker.faults.calm()
    stage.settle()

    assert stage.processor.counters.aborted > 0
    assert asked(stage) == len(stage.tasks()) == MANY


def test_a_query_in_the_middle_sees_every_signal_before_it() -> None:
    """The code runs on for it, until it has come to rest."""
    stage = begun(1)
    note = SignalWorkflow(workflow_id=WorkflowId("w"), signal_name="note", args=(payload(7),))
    stage.send(note, reply=False)
    notes = stage.send(QueryWorkflow(workflow_id=WorkflowId("w"), query_name="notes"))

    stage.processor.turn()
    stage.broker.run()

    assert stage.answers(notes) == [QueryAnswer(result=payload([7]))]


def test_a_description_tells_of_all_that_the_code_asks_for() -> None:
    stage = begun(1)

    described = stage.ask(DescribeWorkflow(workflow_id=WorkflowId("w")))

    assert isinstance(described, Description)
    assert asked(stage) == MANY


def test_the_run_ends_with_every_result() -> None:
    stage = begun(PARTS)
    finish(stage)

    assert stage.kinds()[-1] == "WorkflowCompleted"


def test_no_transaction_is_large() -> None:
    """Whatever one run asks for at once."""
    stage = begun(PARTS)
    by_step: dict[int, int] = {}
    for recorded in stage.recorded():
        by_step[recorded.step] = by_step.get(recorded.step, 0) + 1
    assert max(by_step.values()) <= ASKED_MAX + 2

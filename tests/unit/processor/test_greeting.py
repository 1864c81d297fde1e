"""Who waits for a result hears of a new owner at once, and only when the old one had not said goodbye."""

from __future__ import annotations

from streamflow.memory.faults import Rates
from streamflow.model.answers import RunResult, TakenOver
from streamflow.model.commands import AwaitResult, SignalWorkflow
from streamflow.model.ids import WorkflowId
from streamflow.model.options import Status
from streamflow.topology import inbox_topic
from tests.unit.processor.programs import Counter
from tests.unit.processor.stage import NS, QUEUE, Stage, payload

W = WorkflowId("w")
HEARD = TakenOver(inbox_topic=inbox_topic(NS, QUEUE), partitions=(0,))


def counting() -> Stage:
    stage = Stage([Counter])
    stage.begin("Counter")
    return stage


def test_a_takeover_from_an_owner_that_died_is_told_to_all_who_listen() -> None:
    """Once, on each partition of the replies topic."""
    stage = counting()

    stage.restart(crash=True)

    assert set(stage.taken_over()) == {HEARD}
    places = stage.broker.topics()["default.replies"].partitions
    assert len(stage.taken_over()) == places


def test_neither_a_first_owner_nor_an_orderly_hand_over_is_told() -> None:
    """There was nobody to wait for, or the waiters were sent on one by one."""
    stage = counting()

    stage.restart()

    assert stage.taken_over() == []


def test_who_asks_again_is_told_of_a_run_that_ended_meanwhile() -> None:
    """Though the answer of the first question died with its processor."""
    stage = counting()
    stage.ask(SignalWorkflow(workflow_id=W, signal_name="end"))

    stage.restart(crash=True)
    answer = stage.ask(AwaitResult(workflow_id=W))

    assert isinstance(answer, RunResult)
    assert answer.status is Status.COMPLETED


def test_a_waiter_of_a_dead_processor_who_asks_again_hears_the_end() -> None:
    """The new owner has it on its list, and answers in the transaction of the end."""
    stage = counting()
    stage.send(AwaitResult(workflow_id=W))
    stage.settle()
    stage.restart(crash=True)
    again = stage.send(AwaitResult(workflow_id=W))
    stage.settle()

    stage.ask(SignalWorkflow(workflow_id=W, signal_name="end"))

    [answer] = stage.answers(again)
    assert isinstance(answer, RunResult)
    assert answer.status is Status.COMPLETED


def test_partitions_that_begin_anew_again_and_again_are_told_of_once_in_a_while() -> None:
    """Whoever hears it asks, and so makes the next transaction: while all are in doubt, that would go round for ever.

    Found by the simulation (seeds 11731, 12346, 13851): a million turns in no time.
    """
    stage = counting()
    places = stage.broker.topics()["default.replies"].partitions
    stage.broker.faults.rates = Rates(unknown_committed=1.0)
    for _ in range(10):
        stage.send(
            SignalWorkflow(workflow_id=W, signal_name="add", args=(payload("x"),)), reply=False
        )
        stage.processor.turn()
        stage.broker.run()
        stage.processor.turn()
    stage.broker.faults.calm()

    at_once = len(stage.taken_over())
    stage.pass_time(2_000)

    assert stage.processor.counters.unknown == 10
    assert at_once == places
    assert len(stage.taken_over()) == 2 * places

"""A topic that takes nothing because a grant is missing: what would write there waits, nobody is put aside, nothing is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from streamflow import workflow
from streamflow.model.answers import Confirmed, Description, Done
from streamflow.model.commands import (
    ConfirmTasks,
    DescribeWorkflow,
    FromRun,
    SignalWorkflow,
    StartWorkflow,
    TerminateWorkflow,
)
from streamflow.model.ids import WorkflowId
from streamflow.model.options import Parent
from streamflow.ports import OutRecord
from streamflow.topology import (
    activities_topic,
    dead_letters_topic,
    history_topic,
    inbox_topic,
    processor_group,
)
from tests.unit.processor.programs import Charge, Counter, Hello, Local, Sleeper
from tests.unit.processor.stage import NS, QUEUE, Hands, Stage, payload, ref, start

OTHER = "other"


@workflow.defn(name="Delegating")
class Delegating:
    @workflow.run
    async def run(self) -> str:
        said: str = await workflow.execute_child_workflow(
            "Hello", id="delegate", task_queue=OTHER, run_timeout=timedelta(days=1), result_type=str
        )
        return said


@workflow.defn(name="Stray")
class Stray:
    """Has something to say to somebody whom nobody knows."""

    @workflow.run
    async def run(self) -> None:
        await workflow.get_external_workflow_handle("nobody").signal("hello")


def give_all(stage: Stage) -> None:
    stage.broker.ungranted.clear()
    stage.broker.withheld.clear()


def turn(stage: Stage, times: int = 50) -> None:
    for _ in range(times):
        stage.processor.turn()
        stage.broker.run()


def describe(stage: Stage, workflow_id: str) -> Description:
    described = stage.ask(DescribeWorkflow(workflow_id=WorkflowId(workflow_id)))
    assert isinstance(described, Description)
    return described


def nothing_was_given_up(stage: Stage) -> bool:
    counters = stage.processor.counters
    return not (counters.quarantined or counters.passed_over or counters.dead_letters)


def test_commands_wait_while_the_history_takes_nothing() -> None:
    stage = Stage([Hello])
    stage.settle()
    stage.broker.ungranted.add(history_topic(NS, QUEUE))
    request = stage.send(start("Hello"))
    turn(stage)

    before = stage.answers(request)
    give_all(stage)
    stage.settle()

    assert before == []
    assert [type(answer) for answer in stage.answers(request)] == [Done]
    assert nothing_was_given_up(stage)


def test_an_activity_waits_while_its_topic_takes_nothing_and_others_go_on() -> None:
    stage = Stage([Charge, Hello])
    stage.settle()
    stage.broker.ungranted.add(activities_topic(NS, QUEUE))

    assert isinstance(stage.begin("Charge", "a"), Done)
    assert isinstance(stage.begin("Hello", "b"), Done)
    [waiting] = describe(stage, "a").pending_activities
    give_all(stage)
    stage.pass_time(31_000)

    assert "a grant that is missing" in waiting.hint
    assert len(stage.tasks()) == 1
    assert nothing_was_given_up(stage)


def test_a_child_waits_while_its_queue_takes_nothing_and_others_go_on() -> None:
    """Its run names the grant; the child starts once it is given."""
    stage = Stage([Delegating, Hello])
    stage.another_queue(OTHER)
    stage.settle()
    stage.broker.ungranted.add(inbox_topic(NS, OTHER))

    assert isinstance(stage.begin("Delegating", "a"), Done)
    assert isinstance(stage.begin("Hello", "b"), Done)
    trouble = describe(stage, "a").trouble
    give_all(stage)
    stage.pass_time(60_000)

    assert trouble is not None
    assert trouble.kind == "grant"
    assert f"Write on topic {inbox_topic(NS, OTHER)}" in trouble.message
    assert describe(stage, "a").trouble is None
    assert "ChildInitiated" in stage.kinds("a")
    assert nothing_was_given_up(stage)


def test_a_run_that_waits_for_a_grant_can_be_ended() -> None:
    stage = Stage([Delegating])
    stage.another_queue(OTHER)
    stage.settle()
    stage.broker.ungranted.add(inbox_topic(NS, OTHER))
    stage.begin("Delegating", "a")

    assert isinstance(stage.ask(TerminateWorkflow(workflow_id=WorkflowId("a"))), Done)


def test_a_message_for_nobody_fails_though_other_queues_may_not_be_looked_at() -> None:
    """A queue that the processor does not reach is none that the message could go to."""
    stage = Stage([Stray, Hello])
    stage.another_queue(OTHER)
    stage.settle()
    stage.broker.ungranted.add(processor_group(NS, OTHER))

    stage.begin("Stray", "a")
    stage.begin("Hello", "b")

    assert stage.kinds("a")[-1] == "WorkflowFailed"
    assert stage.kinds("b")[-1] == "WorkflowCompleted"


def asked_by_another(stage: Stage, command: StartWorkflow | SignalWorkflow) -> None:
    """A run of the other queue asks, and that queue's inbox takes no answer."""
    stage.another_queue(OTHER)
    stage.settle()
    stage.broker.ungranted.add(inbox_topic(NS, OTHER))
    stage.send(command, reply=False)


ASKING = Parent(
    namespace=NS,
    queue=OTHER,
    workflow_id="asking",
    run_id="r",
    op=1,
    root_workflow_id="asking",
    root_run_id="r",
)
ANSWERED: dict[str, StartWorkflow | SignalWorkflow] = {
    "child": start("Hello", "asked", parent=ASKING),
    "signal": SignalWorkflow(
        workflow_id=WorkflowId("asked"),
        signal_name="add",
        args=(payload("x"),),
        origin=FromRun(sender=ASKING),
    ),
}


def test_questions_about_the_tasks_of_others_are_answered_while_somebody_waits() -> None:
    """For a grant he may wait for days; workers ask about every task that lay for a while."""
    stage = Stage([Charge, Hello])
    stage.begin("Charge", "c")
    [task] = stage.tasks()
    asked_by_another(stage, ANSWERED["child"])
    stage.settle()

    question = ConfirmTasks(workflow_id=WorkflowId("c"), tasks=((WorkflowId("c"), ref(task)),))
    asked = stage.send(question)
    stage.pass_time(10_000)

    assert stage.answers(asked) == [Confirmed(pending=(True,))]


@pytest.mark.parametrize("what", ANSWERED)
def test_who_has_to_answer_a_queue_that_takes_nothing_waits_and_others_go_on(what: str) -> None:
    """What was asked is answered once the grant is given, by whatever was taken in between in its order."""
    stage = Stage([Hello, Counter])
    if what == "signal":
        stage.begin("Counter", "asked")
    asked_by_another(stage, ANSWERED[what])

    assert isinstance(stage.begin("Hello", "beside"), Done)
    turn(stage, 5)
    waits_ms = stage.processor.turn()
    kinds = stage.kinds("asked")
    give_all(stage)
    stage.pass_time(31_000)

    assert waits_ms is not None
    assert waits_ms > 1_000
    assert kinds[2:] == []
    assert stage.kinds("asked")[2:] != []
    answers = stage.broker.records(inbox_topic(NS, OTHER))
    assert {record.key for record in answers} == {b"asking"}
    assert nothing_was_given_up(stage)


def test_timers_and_local_activities_of_who_waits_for_a_grant_are_taken_afterwards() -> None:
    hands = Hands()
    stage = Stage([Local, Sleeper], local=hands)
    stage.begin("Local", "calling")
    stage.begin("Sleeper", "sleeping", args=(payload(10),))
    for workflow_id in ("calling", "sleeping"):
        signal = SignalWorkflow(
            workflow_id=WorkflowId(workflow_id),
            signal_name="x",
            origin=FromRun(sender=ASKING),
        )
        asked_by_another(stage, signal)
    turn(stage, 5)
    hands.end(hands.begun[-1])
    stage.clock.advance(15_000)
    turn(stage, 5)

    before = stage.kinds("calling"), stage.kinds("sleeping")
    give_all(stage)
    stage.pass_time(31_000)

    assert "ActivityCompleted" not in before[0]
    assert "TimerFired" not in before[1]
    assert stage.kinds("calling")[-1] == "WorkflowCompleted"
    assert stage.kinds("sleeping")[-1] == "WorkflowCompleted"
    assert len(hands.begun) == 1


def test_what_cannot_be_read_waits_while_dead_letters_are_not_taken() -> None:
    """It is not passed over: the letter is written once the grant is given."""
    stage = Stage([Hello])
    stage.settle()
    stage.broker.ungranted.add(dead_letters_topic(NS))
    stage.broker.append(OutRecord(inbox_topic(NS, QUEUE), 0, b"w", b"no command"))
    turn(stage)

    before = stage.dead_letters()
    give_all(stage)
    stage.settle()

    assert before == []
    assert [letter.key for letter in stage.dead_letters()] == [b"w"]
    assert stage.processor.counters.passed_over == 0

"""What callers ask of runs, and what they are told: through a whole processor, on a log in memory."""

from __future__ import annotations

from typing import Any

import pytest

from streamflow.model.answers import Done, Located, QueryAnswer, Reason, Rejection, RunResult
from streamflow.model.commands import (
    AwaitResult,
    CancelWorkflow,
    Command,
    DescribeWorkflow,
    FetchHistory,
    FromRun,
    Locate,
    SignalWorkflow,
    TerminateWorkflow,
    WaitFor,
)
from streamflow.model.ids import Op
from streamflow.model.options import IdConflictPolicy, IdReusePolicy, Parent, Status
from streamflow.model.payload import Payload
from streamflow.ports import OutRecord
from streamflow.topology import partition_for
from tests.unit.processor.asking import COUNT, END, RUN, W, add, refusal, run_of
from tests.unit.processor.programs import Counter, Hello, Refusing
from tests.unit.processor.stage import NS, QUEUE, Stage, payload, start

# -- copies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("between", ["same batch", "later", "after a crash", "on an empty disk"])
def test_a_copy_is_answered_from_the_first_ones_outcome(between: str) -> None:
    """Whenever it comes: the run was begun once, and both callers learn of it."""
    stage = Stage([Counter])
    stage.settle()
    first = stage.send(start("Counter"), message_id="same")
    if between != "same batch":
        stage.settle()
    if between in ("after a crash", "on an empty disk"):
        stage.restart(crash=True, disk="empty" if between == "on an empty disk" else "kept")

    second = stage.send(start("Counter"), message_id="same")
    stage.settle()

    assert stage.answers(first) == stage.answers(second)
    assert len(stage.answers(first)) == 1
    assert stage.kinds().count("WorkflowStarted") == 1


def test_a_refused_start_is_refused_again_though_the_reason_is_gone() -> None:
    """A copy must not begin what the caller was told would not begin."""
    stage = Stage([Counter])
    stage.begin("Counter")
    first = stage.ask(start("Counter"), message_id="late")
    stage.ask(TerminateWorkflow(workflow_id=W))

    assert refusal(first) is Reason.ALREADY_STARTED
    assert stage.ask(start("Counter"), message_id="late") == first


def test_a_signal_sent_twice_is_received_once() -> None:
    stage = Stage([Counter])
    stage.begin("Counter")

    stage.send(add("x"), message_id="s")
    stage.send(add("x"), message_id="s")
    stage.settle()
    stage.ask(add("x"), message_id="s")

    assert stage.kinds().count("SignalReceived") == 1


def test_a_copied_start_that_waits_for_the_result_waits_on() -> None:
    """And is answered at the run's end, like the first one."""
    stage = Stage([Counter])
    stage.settle()
    request = start("Counter", wait_for=WaitFor.RESULT)
    first = stage.send(request, message_id="same")
    stage.settle()
    second = stage.send(request, message_id="same")
    stage.settle()
    assert stage.answers(first) == stage.answers(second) == []

    stage.ask(END)

    [one], [other] = stage.answers(first), stage.answers(second)
    assert one == other
    assert isinstance(one, RunResult)
    assert one.status is Status.COMPLETED


# -- starting ---------------------------------------------------------------------------------------------------------


def test_an_open_run_keeps_its_name() -> None:
    stage = Stage([Counter])
    run_id = run_of(stage.begin("Counter"))

    again = stage.begin("Counter")

    assert refusal(again) is Reason.ALREADY_STARTED
    assert isinstance(again, Rejection)
    assert again.run_id == run_id


def test_an_existing_run_can_be_used() -> None:
    stage = Stage([Counter])
    run_id = run_of(stage.begin("Counter"))

    again = stage.begin("Counter", id_conflict_policy=IdConflictPolicy.USE_EXISTING)

    assert again == Done(run_id=run_id)


def test_an_existing_run_can_be_terminated_for_a_new_one() -> None:
    """In one transaction: there is no moment without an open run."""
    stage = Stage([Counter])
    former = run_of(stage.begin("Counter"))

    follower = run_of(
        stage.begin("Counter", id_conflict_policy=IdConflictPolicy.TERMINATE_EXISTING)
    )

    assert follower != former
    result = stage.ask(AwaitResult(workflow_id=W, run_id=former))
    assert isinstance(result, RunResult)
    assert result.status is Status.TERMINATED
    assert result.new_run_id is None
    located = stage.ask(Locate(workflow_id=W))
    assert isinstance(located, Located)
    assert (located.run_id, located.status) == (follower, Status.RUNNING)


@pytest.mark.parametrize(
    ("policy", "workflow", "free"),
    [
        (IdReusePolicy.ALLOW_DUPLICATE, "Hello", True),
        (IdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY, "Hello", False),
        (IdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY, "Refusing", True),
        (IdReusePolicy.REJECT_DUPLICATE, "Refusing", False),
        (IdReusePolicy.TERMINATE_IF_RUNNING, "Hello", True),
    ],
)
def test_a_closed_runs_name_is_free_where_the_policy_says_so(
    policy: IdReusePolicy, workflow: str, free: bool
) -> None:
    stage = Stage([Hello, Refusing])
    stage.begin(workflow)

    again = stage.begin(workflow, id_reuse_policy=policy)

    assert isinstance(again, Done) is free


def test_a_signal_with_start_goes_to_the_open_run() -> None:
    stage = Stage([Counter])
    run_id = run_of(stage.begin("Counter", signal_name="add", signal_args=(payload("a"),)))

    second = stage.begin("Counter", signal_name="add", signal_args=(payload("b"),))

    assert run_of(second) == run_id
    assert stage.ask(COUNT) == QueryAnswer(result=payload(2))


def test_a_delayed_start_waits_and_a_signal_ends_the_wait() -> None:
    stage = Stage([Counter, Hello])
    stage.begin("Hello", "patient", start_delay_ms=60_000)
    stage.begin("Counter", "w", start_delay_ms=60_000)
    assert stage.kinds("patient") == ["WorkflowStarted"]

    stage.ask(add("x"))
    assert "Activated" in stage.kinds("w")
    stage.pass_time(59_000)
    assert stage.kinds("patient") == ["WorkflowStarted"]

    stage.pass_time(1_000)
    assert "WorkflowCompleted" in stage.kinds("patient")


def test_what_no_record_could_hold_is_refused() -> None:
    """Neither the caller nor the run is left in the dark, and the run is not put aside for it."""
    stage = Stage([Counter])
    huge = Payload({"encoding": b"binary/plain"}, bytes(950_000))
    stage.begin("Counter")

    signal = SignalWorkflow(workflow_id=W, signal_name="add", args=(huge,))

    assert refusal(stage.ask(signal)) is Reason.LIMIT_EXCEEDED
    assert refusal(stage.begin("Counter", "large", args=(huge,))) is Reason.LIMIT_EXCEEDED
    assert isinstance(stage.ask(add("small")), Done)


# -- messages to runs that are not there ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        add("x"),
        CancelWorkflow(workflow_id=W),
        TerminateWorkflow(workflow_id=W),
        COUNT,
        DescribeWorkflow(workflow_id=W),
        AwaitResult(workflow_id=W),
        FetchHistory(workflow_id=W),
        Locate(workflow_id=W),
    ],
    ids=lambda command: type(command).__name__,
)
def test_who_asks_of_an_unknown_run_is_told(command: Command) -> None:
    stage = Stage([Counter])
    stage.settle()

    assert refusal(stage.ask(command)) is Reason.NOT_FOUND
    assert stage.dead_letters() == []


def test_a_signal_that_nobody_waits_for_becomes_a_dead_letter() -> None:
    """To a run that is not there, and to one that is closed."""
    stage = Stage([Hello])
    stage.begin("Hello")

    stage.send(add("x", "nobody"), reply=False)
    stage.send(add("x"), reply=False)
    stage.settle()

    assert [record.key for record in stage.dead_letters()] == [b"nobody", b"w"]


def test_a_closed_run_takes_no_more_messages() -> None:
    stage = Stage([Hello])
    stage.begin("Hello")

    for command in (add("x"), CancelWorkflow(workflow_id=W), TerminateWorkflow(workflow_id=W)):
        assert refusal(stage.ask(command)) is Reason.ALREADY_CLOSED


def test_a_run_is_only_found_under_its_own_workflow_id() -> None:
    """Naming somebody else's run gives nothing of it away."""
    stage = Stage([Counter])
    other = run_of(stage.begin("Counter", "other"))

    for command in (
        FetchHistory(workflow_id=W, run_id=other),
        DescribeWorkflow(workflow_id=W, run_id=other),
        SignalWorkflow(workflow_id=W, run_id=other, signal_name="add"),
    ):
        assert refusal(stage.ask(command)) is Reason.NOT_FOUND


# -- placement --------------------------------------------------------------------------------------------------------


def test_a_record_on_the_wrong_partition_is_forwarded_once() -> None:
    stage = Stage([Hello], partitions=4)
    stage.settle()
    home = partition_for("w", 4)

    answer = stage.ask(start("Hello"), partition=(home + 1) % 4)

    assert isinstance(answer, Done)
    assert stage.processor.counters.forwarded == 1
    assert stage.dead_letters() == []


def test_a_record_that_is_misplaced_again_becomes_a_dead_letter() -> None:
    """Two processors that disagree about placement would send it back and forth for ever."""
    stage = Stage([Hello], partitions=4)
    stage.settle()
    home = partition_for("w", 4)
    stage.send(start("Hello"), partition=(home + 1) % 4)
    stage.settle()
    [forwarded] = [
        record for record in stage.broker.records("default.q.inbox") if record.partition == home
    ]

    stage.broker.append(
        OutRecord(
            forwarded.topic,
            (home + 2) % 4,
            forwarded.key,
            forwarded.value,
            forwarded.headers,
        )
    )
    stage.settle()

    assert stage.processor.counters.forwarded == 1
    assert len(stage.dead_letters()) == 1


@pytest.mark.parametrize("command", [SignalWorkflow, CancelWorkflow, TerminateWorkflow])
def test_a_message_for_a_child_does_not_reach_a_namesake(command: Any) -> None:
    """A parent speaks to the run that it started; another may have the ID by now."""
    stage = Stage([Counter])
    stage.begin("Counter")
    parent = Parent(namespace=NS, queue=QUEUE, workflow_id="p", run_id=RUN, op=1)
    name = {"signal_name": "end"} if command is SignalWorkflow else {}
    origin = FromRun(sender=parent, answers=False, child_op=Op(1))

    stage.send(command(workflow_id=W, origin=origin, **name), reply=False)
    stage.settle()

    assert stage.kinds() == ["WorkflowStarted", "Activated"]

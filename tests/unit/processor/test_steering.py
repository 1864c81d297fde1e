"""An operator's hand on a run: paused, let go on, deleted."""

from __future__ import annotations

from streamflow.model.answers import Description, Done, Reason, Rejection
from streamflow.model.commands import DescribeWorkflow, SignalWorkflow, TerminateWorkflow
from streamflow.model.control import PAUSED, ControlWorkflow, WorkflowControl
from streamflow.model.ids import WorkflowId
from streamflow.topology import executions_topic
from tests.unit.processor.programs import Counter, Hello
from tests.unit.processor.stage import NS, Stage, payload

W = WorkflowId("w")


def control(what: WorkflowControl, reason: str = "") -> ControlWorkflow:
    return ControlWorkflow(workflow_id=W, control=what, reason=reason)


def add(what: str = "x") -> SignalWorkflow:
    return SignalWorkflow(workflow_id=W, signal_name="add", args=(payload(what),))


def steps(stage: Stage) -> int:
    return stage.kinds().count("Activated")


def test_a_paused_run_takes_everything_in_and_does_nothing() -> None:
    """Signals wait, also over a takeover; going on, the code sees all of them at once."""
    stage = Stage([Counter])
    stage.begin("Counter")
    before = steps(stage)

    assert isinstance(stage.ask(control(WorkflowControl.PAUSE, "look first")), Done)
    stage.ask(add("a"))
    stage.restart()
    stage.ask(add("b"))
    stage.pass_time(3_600_000)
    assert steps(stage) == before

    assert isinstance(stage.ask(control(WorkflowControl.UNPAUSE)), Done)
    assert steps(stage) == before + 1
    assert isinstance(stage.ask(control(WorkflowControl.UNPAUSE)), Done)


def test_a_paused_run_can_be_terminated() -> None:
    """The pause goes with it."""
    stage = Stage([Counter])
    stage.begin("Counter")
    stage.ask(control(WorkflowControl.PAUSE))

    assert isinstance(stage.ask(TerminateWorkflow(workflow_id=W)), Done)

    assert stage.kinds()[-1] == "WorkflowTerminated"
    refused = stage.ask(control(WorkflowControl.PAUSE))
    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.ALREADY_CLOSED


def test_deleting_takes_a_closed_run_away_and_only_that() -> None:
    """Its history, its row in the feed, and its name is free; an open run is refused."""
    stage = Stage([Hello, Counter])
    stage.begin("Counter")
    refused = stage.ask(control(WorkflowControl.DELETE))
    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.NOT_DUE
    stage.ask(TerminateWorkflow(workflow_id=W))

    assert isinstance(stage.ask(control(WorkflowControl.DELETE)), Done)
    stage.pass_time(61_000)

    missing = stage.ask(add())
    assert isinstance(missing, Rejection)
    assert missing.reason is Reason.NOT_FOUND
    feed = {record.key: record.value for record in stage.broker.records(executions_topic(NS))}
    assert list(feed.values()) == [None]
    stage.restart()
    assert isinstance(stage.begin("Hello"), Done)


def test_the_kind_of_trouble_is_said() -> None:
    """Who paused it and why, for a description and for lists."""
    stage = Stage([Counter])
    stage.begin("Counter")
    stage.ask(
        ControlWorkflow(workflow_id=W, control=WorkflowControl.PAUSE, reason="r", identity="me")
    )

    described = stage.ask(DescribeWorkflow(workflow_id=W))
    assert isinstance(described, Description)
    assert described.trouble is not None
    assert (described.trouble.kind, described.trouble.message) == (PAUSED, "paused by me: r")

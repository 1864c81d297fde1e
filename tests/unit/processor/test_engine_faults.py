"""The engine itself goes wrong: one run is put aside with the reason, and everything else goes on."""

from __future__ import annotations

from typing import Any

import pytest

from streamflow.engine.decide.messages import decide_signal
from streamflow.engine.describe import summarize
from streamflow.model.answers import Done, QueryAnswer, Reason, Rejection
from streamflow.model.commands import QueryWorkflow
from streamflow.ports import Unavailable
from streamflow.processor.commands import stepper
from streamflow.processor.steps import recorder as recording
from streamflow.processor.turns import commit
from streamflow.wire.keys import EntityKind
from tests.unit.processor.asking import W, add, trouble
from tests.unit.processor.programs import Counter, Hello, Sleeper
from tests.unit.processor.stage import Stage, payload, start


class Sabotage:
    """Makes the engine fail for one workflow, as a bug of ours would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.active = True

        def broken(run: Any, *rest: Any) -> Any:
            if self.active and run.workflow_id == "w":
                raise AssertionError("our own fault")
            return decide_signal(run, *rest)

        monkeypatch.setattr(stepper, "decide_signal", broken)


def test_an_engine_fault_puts_one_run_aside_and_the_partition_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its command is kept as a dead letter and its caller told; nothing of it is recorded."""
    Sabotage(monkeypatch)
    stage = Stage([Counter])
    stage.begin("Counter")
    stage.begin("Counter", "other")
    events = stage.kinds()

    bad, good = stage.send(add("x")), stage.send(add("x", "other"))
    stage.settle()

    [told] = stage.answers(bad)
    assert isinstance(told, Rejection)
    assert told.reason is Reason.QUARANTINED
    assert isinstance(stage.answers(good)[0], Done)
    assert [record.key for record in stage.dead_letters()] == [b"w"]
    assert stage.kinds() == events
    found = trouble(stage)
    assert found is not None
    assert found.kind == "quarantined"


def test_nothing_leaves_of_a_run_that_is_put_aside_in_the_batch_that_began_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the good news about its start, nor its events, nor what would take a copy for known."""
    sabotage = Sabotage(monkeypatch)
    stage = Stage([Counter])
    stage.settle()

    begun = stage.send(start("Counter"), message_id="begin")
    stage.send(add("x"))
    stage.settle()

    [told] = stage.answers(begun)
    assert isinstance(told, Rejection)
    assert stage.kinds() == []
    assert len(stage.dead_letters()) == 2
    sabotage.active = False
    assert isinstance(stage.ask(start("Counter"), message_id="begin"), Done)


def test_a_run_that_was_put_aside_goes_on_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it is sent after the fault; a new process is not needed for it."""
    sabotage = Sabotage(monkeypatch)
    stage = Stage([Counter])
    stage.begin("Counter")
    stage.ask(add("x"))
    sabotage.active = False
    stage.ask(add("x"))

    stage.pass_time(61_000)

    assert stage.ask(QueryWorkflow(workflow_id=W, query_name="count")) == QueryAnswer(
        result=payload(1)
    )
    assert trouble(stage) is None


def test_what_is_due_and_cannot_be_decided_does_not_keep_the_processor_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One try now and then, not one in every turn."""

    def broken(*_: Any) -> Any:
        raise AssertionError("our own fault")

    stage = Stage([Sleeper])
    stage.begin("Sleeper", args=(payload(5),))
    monkeypatch.setattr(stepper, "decide_due", broken)
    before = stage.processor.counters.transactions

    stage.pass_time(300_000)

    assert 0 < stage.processor.counters.transactions - before < 10
    monkeypatch.undo()
    stage.pass_time(600_000)
    assert stage.kinds()[-1] == "WorkflowCompleted"


def test_what_cannot_be_sealed_puts_its_run_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor would end, and meet the same again after its restart."""

    def broken(run: Any, **facts: Any) -> Any:
        if run.workflow_id == "w":
            raise OverflowError("too large for its field")
        return summarize(run, **facts)

    stage = Stage([Hello])
    stage.settle()
    monkeypatch.setattr(recording, "summarize", broken)
    bad, good = stage.send(start("Hello")), stage.send(start("Hello", "other"))

    stage.settle()

    assert isinstance(stage.answers(bad)[0], Rejection)
    assert isinstance(stage.answers(good)[0], Done)
    assert stage.kinds() == []
    assert stage.kinds("other")[-1] == "WorkflowCompleted"


def test_the_logs_silence_while_stepping_is_no_runs_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The batch is dropped and done again; nobody is put aside."""
    stage = Stage([Counter])
    stage.begin("Counter")
    failures = iter([True, True])

    def silent(*rest: Any) -> Any:
        if next(failures, False):
            raise Unavailable("no answer")
        return decide_signal(*rest)

    monkeypatch.setattr(stepper, "decide_signal", silent)

    assert isinstance(stage.ask(add("x")), Done)

    assert stage.processor.counters.quarantined == 0
    assert stage.processor.counters.aborted == 2
    assert stage.kinds().count("SignalReceived") == 1


def test_after_an_error_that_nobody_understands_nothing_is_said_in_the_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The batch may be committed already: a farewell with the offset from before would bring its input back."""
    stage = Stage([Hello])
    stage.begin("Hello")

    def full(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(commit, "store", full)
    stage.send(start("Hello", "second"))
    with pytest.raises(OSError, match="disk full"):
        stage.settle()
    monkeypatch.undo()
    positions = len(stage.of_kind(EntityKind.POSITION))

    stage.processor.close()

    assert len(stage.of_kind(EntityKind.POSITION)) == positions
    stage.stores.close()
    stage.start()
    stage.settle()
    assert stage.kinds("second").count("WorkflowStarted") == 1
    assert stage.partition().meta.inbox_offset == 2

"""Runs that are put aside for their history's sake, or their code's: what comes meanwhile is kept, and they can go on."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from streamflow.dead_letters import Filter, Reason, find_letters, redrive
from streamflow.doctor import verify
from streamflow.model import answers
from streamflow.model.answers import Description, Done, QueryAnswer, Rejection
from streamflow.model.commands import ActivityOutcome, DescribeWorkflow
from streamflow.model.control import ControlWorkflow, ResetWorkflow, WorkflowControl
from streamflow.model.events import TimerFired
from streamflow.model.failure import Failure, FailureKind
from streamflow.model.ids import Op, RunId, WorkflowId
from streamflow.ports import OutRecord, Record, TopicPartition
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.steps import activate
from streamflow.topology import executions_topic, history_topic, read_queues
from streamflow.wire import keys
from streamflow.wire.events import encode_event, event_code
from streamflow.wire.header import SF, EntryHeader, entry_hash, pack, unpack
from streamflow.wire.keys import EntityKind
from tests.unit.processor.asking import COUNT, W, add, run_of, trouble
from tests.unit.processor.programs import Charge, Counter, Hello
from tests.unit.processor.stage import NS, QUEUE, Stage

HISTORY = TopicPartition(history_topic(NS, QUEUE), 0)
UNPAUSE = ControlWorkflow(workflow_id=W, control=WorkflowControl.UNPAUSE)
DELETE = ControlWorkflow(workflow_id=W, control=WorkflowControl.DELETE)


def event_of(stage: Stage, seq: int) -> tuple[keys.HistoryKey, Record]:
    return next(
        (key, record)
        for key, record in stage.entries()
        if key.kind is EntityKind.EVENT and key.workflow_id == W and key.number == seq
    )


def lose(stage: Stage, seq: int) -> None:
    """The log has lost an event of the run, and a processor finds it on an empty disk."""
    stage.log.crash()
    _, victim = event_of(stage, seq)
    partition = stage.broker.partition(HISTORY)
    partition.entries[:] = [entry for entry in partition.entries if entry.record != victim]
    again(stage)


def damage(stage: Stage, seq: int) -> None:
    """An event is there, and in its place, and no state takes it."""
    stage.log.crash()
    last = [
        (key, record)
        for key, record in stage.entries()
        if key.kind is EntityKind.EVENT and key.workflow_id == W
    ][-1]
    key, record = last
    packed = dict(record.headers)[SF]
    fact = TimerFired(op=Op(99))
    number = key.number + 1
    header = EntryHeader(
        EntityKind.EVENT,
        event_code(fact),
        key.run_id,
        number,
        4,
        1_000,
        1,
        0,
        entry_hash(packed, record.value or b""),
    )
    stage.broker.append(
        OutRecord(
            HISTORY.topic,
            0,
            keys.event_key(W, key.run_id, number),
            encode_event(W, key.run_id, number, 4, 1_000, fact),
            ((SF, pack(header)),),
        )
    )
    again(stage)


def fork(stage: Stage, seq: int) -> None:
    """Somebody else has written an event of this number as well, as an owner would whom nobody had fenced."""
    stage.log.crash()
    key, record = event_of(stage, seq)
    fact = TimerFired(op=Op(99))
    header = msgspec.structs.replace(unpack(dict(record.headers)[SF]), code=event_code(fact))
    value = encode_event(W, key.run_id, seq, 4, 1_000, fact)
    stage.broker.append(OutRecord(HISTORY.topic, 0, record.key, value, ((SF, pack(header)),)))
    again(stage)


def again(stage: Stage) -> None:
    stage.stores = type(stage.stores)()
    stage.start()
    stage.settle()


def counting(what: str = "abc") -> tuple[Stage, RunId]:
    stage = Stage([Counter, Hello, Charge])
    run_id = run_of(stage.begin("Counter"))
    for one in what:
        stage.ask(add(one))
    return stage, run_id


def count(stage: Stage) -> Any:
    answer = stage.ask(COUNT)
    assert isinstance(answer, QueryAnswer), answer
    assert answer.result is not None
    return msgspec.json.decode(answer.result.data)


def last_sound_step(stage: Stage) -> int:
    [run] = verify(stage.log, NS, read_queues(stage.log, NS)[QUEUE]).broken
    return run.last_step


@pytest.mark.parametrize("hurt", [lose, damage, fork])
def test_a_broken_run_goes_on_from_before_its_break_and_nothing_is_lost(
    hurt: Callable[[Stage, int], None],
) -> None:
    """Signals that are still there are given to the new run; those that came meanwhile are letters, and re-driven."""
    stage, broken = counting()
    hurt(stage, 4)
    stage.send(add("meanwhile"), reply=False)
    stage.settle()
    [letter] = find_letters(stage.log, NS, Filter())
    assert letter.reason in (Reason.QUARANTINED, Reason.ENGINE)

    fresh = stage.ask(ResetWorkflow(workflow_id=W, run_id=broken, event_id=last_sound_step(stage)))
    redrive(stage.log, NS, [letter])
    stage.settle()

    assert run_of(fresh) != broken
    assert count(stage) == 4
    assert isinstance(stage.ask(msgspec.structs.replace(DELETE, run_id=broken)), Done)
    stage.settle()
    stage.restart(disk="empty")
    assert stage.processor.counters.gaps == 0
    assert count(stage) == 4
    assert verify(stage.log, NS, read_queues(stage.log, NS)[QUEUE]).sound


@pytest.mark.parametrize("hurt", [lose, damage, fork])
def test_a_broken_run_is_taken_away_and_its_name_is_free(
    hurt: Callable[[Stage, int], None],
) -> None:
    """Though it was open: it takes no closing event. What stood beside its events goes as well."""
    stage, broken = counting()
    hurt(stage, 4)

    assert isinstance(stage.ask(DELETE), Done)
    stage.settle()

    assert stage.rows().run(broken) is None
    assert stage.rows().gaps() == []
    feed = stage.broker.records(executions_topic(NS))
    assert [record.value for record in feed if record.key == keys.summary_key(QUEUE, W, broken)][
        -1
    ] is None
    assert isinstance(stage.begin("Counter"), Done)
    stage.restart(disk="empty")
    assert count(stage) == 0
    assert verify(stage.log, NS, read_queues(stage.log, NS)[QUEUE]).sound


def test_attempts_of_a_broken_run_go_with_it() -> None:
    stage = Stage([Charge])
    broken = run_of(stage.begin("Charge"))
    stage.report(
        stage.tasks()[-1],
        ActivityOutcome.FAILED,
        failure=Failure(kind=FailureKind.APPLICATION, message="no"),
    )
    assert stage.rows().attempts(broken)
    lose(stage, 2)

    stage.ask(DELETE)
    stage.settle()

    assert stage.rows().attempts(broken) == []
    stage.broker.compact(HISTORY.topic)
    left = [key for key, record in stage.entries() if record.value and key.run_id == broken]
    assert left == []


def test_a_broken_run_is_not_gone_on_with_from_behind_its_break() -> None:
    stage, broken = counting()
    lose(stage, 4)

    refused = stage.ask(ResetWorkflow(workflow_id=W, run_id=broken, event_id=6))

    assert isinstance(refused, Rejection)
    assert "whose last event is 3" in refused.message


def test_a_broken_run_of_another_workflow_is_nobodys() -> None:
    stage, broken = counting()
    stage.begin("Counter", "other")
    lose(stage, 4)

    refused = stage.ask(
        ControlWorkflow(
            workflow_id=WorkflowId("other"), run_id=broken, control=WorkflowControl.DELETE
        )
    )

    assert isinstance(refused, Rejection)
    assert refused.reason is answers.Reason.NOT_FOUND
    assert stage.rows().gaps() == [broken]


# -- code that ends the process ---------------------------------------------------------------------------------------


class Ended(BaseException):
    """Stands for the end of the process: nothing catches it."""


@pytest.fixture
def deadly(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Workflows whose steps end the process."""
    names: set[str] = set()
    before = activate._watched

    @contextlib.contextmanager
    def watched(around: Surroundings, run_id: str, suspect: str) -> Iterator[None]:
        around.suspects.entered(suspect)
        if suspect in names:
            raise Ended
        with before(around, run_id, suspect):
            yield
        around.suspects.left()

    monkeypatch.setattr(activate, "_watched", watched)
    return names


def deaths(stage: Stage) -> int:
    """How often the process ends, on a disk that it keeps, before it comes to rest."""
    for died in range(20):
        try:
            stage.settle()
        except Ended:
            stage.log.crash()
            stage.stores.crash()
            stage.processor._around.suspects.close()
            stage.start()
        else:
            return died
    raise AssertionError("it ends for ever")


def kind_of_trouble(stage: Stage) -> str:
    found = trouble(stage)
    return found.kind if found else ""


def test_a_run_that_ended_its_process_is_let_go_on_by_command(
    deadly: set[str], tmp_path: Any
) -> None:
    """What came meanwhile waits in its history. Does it do so again, it is put aside again: the command is taken once."""
    stage = Stage([Counter], state_folder=str(tmp_path))
    stage.begin("Counter")
    deadly.add(W)
    stage.send(add("x"))
    assert deaths(stage) == 3
    assert kind_of_trouble(stage) == "quarantined"
    stage.ask(add("y"))

    assert isinstance(stage.ask(UNPAUSE), Done)
    stage.clock.advance(10)
    assert deaths(stage) == 3
    assert kind_of_trouble(stage) == "quarantined"

    deadly.clear()
    assert isinstance(stage.ask(UNPAUSE), Done)
    stage.pass_time(10)
    assert kind_of_trouble(stage) == ""
    assert count(stage) == 2


def test_a_release_is_not_undone_by_a_step_in_its_own_batch(
    deadly: set[str], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The suspect is forgiven only once that is committed, however long its batch takes. Found on a real Kafka: the run was
    put aside again before, and was tried no more."""
    stage = Stage([Counter], state_folder=str(tmp_path))
    stage.begin("Counter")
    deadly.add(W)
    stage.send(add("x"))
    assert deaths(stage) == 3
    deadly.clear()

    with monkeypatch.context() as patch:
        now_ms, ticks = stage.clock.now_ms, itertools.count()
        patch.setattr(stage.clock, "now_ms", lambda: now_ms() + next(ticks))
        assert isinstance(stage.ask(UNPAUSE), Done)
    stage.pass_time(1_000)

    assert kind_of_trouble(stage) == ""
    assert count(stage) == 1


def test_a_run_that_only_a_query_would_hurt_is_released_too(
    deadly: set[str], tmp_path: Any
) -> None:
    """It is in no trouble yet, for nothing waits for its code."""
    stage = Stage([Counter], state_folder=str(tmp_path))
    stage.begin("Counter")
    deadly.add(W)
    stage.send(COUNT)
    assert deaths(stage) == 3
    assert isinstance(stage.ask(COUNT), Rejection)

    deadly.clear()
    stage.ask(UNPAUSE)
    stage.pass_time(10)

    assert count(stage) == 0
    described = stage.ask(DescribeWorkflow(workflow_id=W))
    assert isinstance(described, Description)
    assert described.trouble is None


def test_unpausing_what_is_neither_paused_nor_quarantined_changes_nothing() -> None:
    stage, _ = counting()
    before = len(stage.entries())

    assert isinstance(stage.ask(UNPAUSE), Done)

    kinds = [key.kind for key, _ in stage.entries()[before:]]
    assert set(kinds) == {EntityKind.DEDUP, EntityKind.POSITION}

"""Transactions that the log refuses for good: whose record it was is found, and everybody else goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from streamflow.memory.producer import MemoryProducer
from streamflow.memory.source import MemorySource
from streamflow.memory.store import MemoryStores
from streamflow.memory.transactor import MemoryTransactor
from streamflow.model.answers import Description, Done, Reason, Rejection
from streamflow.model.commands import DescribeWorkflow, QueryWorkflow, SignalWorkflow
from streamflow.model.ids import WorkflowId
from streamflow.ports import (
    Committed,
    LogError,
    OutRecord,
    RecordRefused,
    Source,
    TopicPartition,
)
from streamflow.topology import (
    activities_topic,
    dead_letters_topic,
    history_topic,
    inbox_topic,
    partition_for,
)
from streamflow.wire.keys import EntityKind, parse_key
from tests.unit.processor.programs import Charge, Counter, Hello, Sleeper
from tests.unit.processor.stage import NS, QUEUE, Stage, payload, start

Refuses = Callable[[OutRecord], bool]
LETTERS = dead_letters_topic(NS)
HISTORY = history_topic(NS, QUEUE)


class Picky:
    """Makes the log in memory refuse some records, as a broker does with its own bounds and rights."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, names: bool) -> None:
        """``names`` says whether the error names the record."""
        self.refuses: Refuses = lambda _: False
        self.refused = 0
        plain = MemoryTransactor.commit

        def commit(
            transactor: MemoryTransactor,
            records: Sequence[OutRecord],
            offsets: Mapping[TopicPartition, Committed],
            source: Source,
        ) -> None:
            found = next((record for record in records if self.refuses(record)), None)
            if found is not None:
                self.refused += 1
                raise RecordRefused("too large, say", found if names else None)
            plain(transactor, records, offsets, source)

        monkeypatch.setattr(MemoryTransactor, "commit", commit)


@pytest.fixture(params=[True, False], ids=["named", "not named"])
def picky(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Picky:
    return Picky(monkeypatch, names=request.param)


def of_workflow(workflow_id: str, kind: EntityKind = EntityKind.EVENT) -> Refuses:
    """The history refuses this workflow's entries of one kind."""

    def refuses(record: OutRecord) -> bool:
        if record.topic != HISTORY or record.key is None:
            return False
        key = parse_key(record.key)
        return key.workflow_id == workflow_id and key.kind is kind

    return refuses


def test_the_run_whose_record_is_refused_goes_aside_and_the_others_go_on(picky: Picky) -> None:
    """Found among a hundred of one batch, in a number of transactions that grows with its logarithm."""
    stage = Stage([Hello])
    stage.settle()
    picky.refuses = of_workflow("w42")
    requests = {n: stage.send(start("Hello", f"w{n}")) for n in range(100)}
    stage.settle()

    told = {n: stage.answers(request)[0] for n, request in requests.items()}

    assert [n for n, answer in told.items() if not isinstance(answer, Done)] == [42]
    refusal = told[42]
    assert isinstance(refusal, Rejection)
    assert refusal.reason is Reason.QUARANTINED
    assert len(stage.dead_letters()) == 1
    assert picky.refused <= 15


def test_a_run_whose_timer_cannot_be_recorded_goes_aside(picky: Picky) -> None:
    """It is marked; the others' timers fire in time."""
    stage = Stage([Sleeper])
    for n in range(20):
        stage.begin("Sleeper", f"w{n}", args=(payload(60),))
    picky.refuses = of_workflow("w7")

    stage.pass_time(61_000)

    ended = [n for n in range(20) if "WorkflowCompleted" in stage.kinds(f"w{n}")]
    assert ended == [n for n in range(20) if n != 7]
    picky.refuses = lambda _: False
    described = stage.ask(DescribeWorkflow(workflow_id=WorkflowId("w7")))
    assert isinstance(described, Description)
    assert described.trouble is not None
    assert described.trouble.kind == "quarantined"


def test_a_suspicion_goes_with_its_partition(picky: Picky) -> None:
    """Another owner had it meanwhile: what comes later is taken like anybody's."""
    stage = Stage([Counter])
    stage.settle()
    suspecting = stage.processor
    picky.refuses = of_workflow("w")
    stage.send(start("Counter"))
    while not suspecting._inbound.refusals.probed:
        suspecting.turn()
        stage.broker.run()
    picky.refuses = lambda _: False
    source = suspecting._connections.source
    assert isinstance(source, MemorySource)
    source.group.expire(source.member)
    stage.stores = MemoryStores()
    another = stage.start("another")
    stage.settle()
    for _ in range(5):
        suspecting.turn()
        stage.broker.run()
    another.close()
    stage.processor = suspecting
    stage.pass_time(20_000)

    signal = SignalWorkflow(workflow_id=WorkflowId("w"), signal_name="add", args=(payload("x"),))

    assert isinstance(stage.ask(signal), Done)
    assert stage.dead_letters() == []


def test_a_task_that_is_refused_puts_its_run_aside(picky: Picky) -> None:
    """Its activities topic takes nothing, say; the queue's other workflows do not care."""
    stage = Stage([Charge, Hello])
    stage.settle()
    picky.refuses = lambda record: record.topic == activities_topic(NS, QUEUE)
    charging, greeting = stage.send(start("Charge", "a")), stage.send(start("Hello", "b"))
    stage.settle()

    [charged], [greeted] = stage.answers(charging), stage.answers(greeting)

    assert isinstance(charged, Rejection)
    assert isinstance(greeted, Done)


def test_a_run_that_cannot_even_be_marked_is_left_alone(picky: Picky) -> None:
    """Its commands are passed over, its senders told, and nothing is tried for ever."""
    stage = Stage([Counter, Hello])
    stage.begin("Counter")
    events, marks = of_workflow("w"), of_workflow("w", EntityKind.TROUBLE)
    picky.refuses = lambda record: events(record) or marks(record) or record.topic == LETTERS
    signal = SignalWorkflow(workflow_id=WorkflowId("w"), signal_name="add", args=(payload("x"),))

    told = stage.ask(signal)

    assert isinstance(told, Rejection)
    assert told.reason is Reason.QUARANTINED
    assert stage.processor.counters.passed_over == 1
    assert isinstance(stage.begin("Hello", "other"), Done)


# -- records that belong to no run ------------------------------------------------------------------------------------


def _goes_on(stage: Stage) -> bool:
    return isinstance(stage.begin("Hello", "next"), Done)


def test_a_forward_that_is_refused_becomes_a_dead_letter(picky: Picky) -> None:
    stage = Stage([Hello], partitions=2)
    stage.settle()
    picky.refuses = lambda record: record.topic == inbox_topic(NS, QUEUE)

    stage.send(start("Hello", "astray"), partition=1 - partition_for("astray", 2))
    stage.settle()

    [letter] = stage.dead_letters()
    assert letter.key == b"astray"
    assert _goes_on(stage)


def test_a_dead_letter_that_is_refused_is_kept_without_its_value(picky: Picky) -> None:
    stage = Stage([Hello])
    stage.settle()
    picky.refuses = lambda record: record.topic == LETTERS and bool(record.value)

    stage.broker.append(OutRecord(inbox_topic(NS, QUEUE), 0, b"w", b"no command"))
    stage.settle()

    [letter] = stage.dead_letters()
    assert (letter.key, letter.value) == (b"w", None)
    reason = dict(letter.headers)["__connect.errors.exception.message"].decode()
    assert "without its value" in reason
    assert _goes_on(stage)


def test_a_dead_letter_that_is_refused_in_any_form_is_passed_over_and_counted(picky: Picky) -> None:
    """It stays in the inbox topic; the partition goes on."""
    stage = Stage([Hello])
    stage.settle()
    picky.refuses = lambda record: record.topic == LETTERS

    for number in range(3):
        stage.broker.append(OutRecord(inbox_topic(NS, QUEUE), 0, b"w", b"no command %d" % number))
    stage.settle()

    assert stage.dead_letters() == []
    assert stage.processor.counters.passed_over == 3
    picky.refuses = lambda _: False
    assert _goes_on(stage)


def test_a_partition_whose_own_records_are_refused_waits_and_blames_nobody(picky: Picky) -> None:
    """Its rights were taken, say: it tries ever more rarely, and all is well when they are back."""
    stage = Stage([Hello])
    stage.settle()
    picky.refuses = lambda record: (
        record.topic == HISTORY
        and record.key is not None
        and parse_key(record.key).kind is EntityKind.POSITION
    )
    request, before_ms = stage.send(start("Hello")), stage.clock.now_ms()

    for _ in range(200):
        wait_ms = stage.processor.turn()
        stage.broker.run()
        stage.clock.advance(wait_ms or 1)
    tried, waited_ms = picky.refused, stage.clock.now_ms() - before_ms
    picky.refuses = lambda _: False
    stage.pass_time(10_000)

    assert tried < 210
    assert waited_ms > 100_000
    assert isinstance(stage.answers(request)[0], Done)
    assert stage.dead_letters() == []


# -- answers ----------------------------------------------------------------------------------------------------------


def test_an_answer_that_the_log_does_not_take_is_refused_to_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The commit that it followed stands."""
    stage = Stage([Counter])
    stage.begin("Counter")
    plain = MemoryProducer.send

    def send(
        producer: MemoryProducer,
        record: OutRecord,
        done: Callable[[LogError | None], None] | None = None,
    ) -> None:
        if len(record.value or b"") > 500:
            raise RecordRefused("too large", record)
        plain(producer, record, done)

    monkeypatch.setattr(MemoryProducer, "send", send)
    for _ in range(10):
        signal = SignalWorkflow(
            workflow_id=WorkflowId("w"), signal_name="add", args=(payload("x" * 100),)
        )
        stage.ask(signal)

    told = stage.ask(DescribeWorkflow(workflow_id=WorkflowId("w")))
    counted = stage.ask(QueryWorkflow(workflow_id=WorkflowId("w"), query_name="count"))

    assert isinstance(told, Description | Rejection)
    assert not isinstance(counted, Rejection)
    assert stage.processor.counters.aborted == 0

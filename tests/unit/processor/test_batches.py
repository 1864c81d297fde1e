"""What one transaction takes, how large it may become, and what is left of it when it does not happen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.memory.faults import Rates
from streamflow.model.answers import Done, QueryAnswer, Rejection
from streamflow.model.commands import QueryWorkflow, SignalWorkflow
from streamflow.model.ids import WorkflowId
from streamflow.model.payload import Payload
from streamflow.ports import OutRecord, TopicPartition
from streamflow.processor.state.batch import BYTES_MAX, Batch
from streamflow.processor.steps import runs
from streamflow.topology import dead_letters_topic, history_topic, partition_for
from streamflow.wire.keys import EntityKind
from tests.unit.processor.programs import Charge, Counter, Hello
from tests.unit.processor.stage import NS, QUEUE, Stage, payload, start

COUNT = QueryWorkflow(workflow_id=WorkflowId("w"), query_name="count")


def add(size: int, workflow_id: str = "w") -> SignalWorkflow:
    data = Payload({"encoding": b"json/plain"}, b'"' + b"x" * size + b'"')
    return SignalWorkflow(workflow_id=WorkflowId(workflow_id), signal_name="add", args=(data,))


def record(value: bytes, topic: str = "t") -> OutRecord:
    return OutRecord(topic, 0, b"k", value)


# -- whose is what ----------------------------------------------------------------------------------------------------


def test_a_batch_knows_whose_each_record_is() -> None:
    batch = Batch()
    nobodys, first, second, more = (record(bytes([n])) for n in range(4))
    batch.append(nobodys)
    batch.mark(0, "a")
    batch.append(first)
    batch.mark(1, "b")
    batch.append(second)
    batch.mark(0, "a")
    batch.append(more)

    assert batch.owner_of(nobodys) is None
    assert batch.owner_of(first) == batch.owner_of(more) == (0, "a")
    assert batch.owner_of(second) == (1, "b")
    assert batch.owner_of(record(b"elsewhere")) is None
    assert batch.owner_of(None) is None


@given(
    steps=st.lists(st.tuples(st.integers(0, 1), st.sampled_from("abc"), st.integers(0, 3))),
    gone=st.tuples(st.integers(0, 1), st.sampled_from("abc")),
)
def test_forgetting_a_workflow_leaves_all_others(
    steps: list[tuple[int, str, int]], gone: tuple[int, str]
) -> None:
    """In their order, and still known as theirs; also when several steps of several workflows alternate."""
    batch = Batch()
    expected: list[tuple[OutRecord, tuple[int, str]]] = []
    for partition, workflow_id, count in steps:
        batch.mark(partition, workflow_id)
        for _ in range(count):
            mine, answer = record(b"r"), record(b"a")
            batch.append(mine)
            batch.answers.append(answer)
            if (partition, workflow_id) != gone:
                expected.append((mine, (partition, workflow_id)))

    batch.forget(*gone)

    assert [(r, batch.owner_of(r)) for r in batch.records] == expected
    assert len(batch.answers) == len(expected)


# -- how large ----------------------------------------------------------------------------------------------------------


def test_a_batch_takes_only_so_much_input_and_the_rest_comes_next_in_order() -> None:
    """A transaction covers a prefix of each partition."""
    stage = Stage([Counter])
    stage.begin("Counter")
    for _ in range(10):
        stage.send(add(300_000), reply=False)
    asked = stage.send(COUNT)
    before = stage.processor.counters.transactions

    stage.settle()

    assert stage.processor.counters.transactions - before == 3
    assert stage.answers(asked) == [QueryAnswer(result=payload(10))]
    assert stage.partition().held == []


def test_nobody_is_told_what_is_not_committed() -> None:
    """A query sees a signal of its own batch, and says so only when the signal is there for good."""
    stage = Stage([Counter])
    stage.begin("Counter")
    stage.broker.faults.rates = Rates(aborted=1)
    stage.send(add(10), reply=False)
    asked = stage.send(COUNT)
    while stage.processor.counters.aborted < 3:
        stage.processor.turn()

    assert stage.answers(asked) == []
    stage.broker.faults.calm()
    stage.settle()
    assert stage.answers(asked) == [QueryAnswer(result=payload(1))]


def test_held_records_are_read_again_after_an_abort_and_taken_once() -> None:
    """What was held comes anew from the log, or it would be there twice."""
    stage = Stage([Counter])
    stage.begin("Counter")
    for _ in range(10):
        stage.send(add(300_000), reply=False)
    stage.broker.faults.rates = Rates(aborted=0.5)
    stage.settle()
    stage.broker.faults.calm()
    stage.settle()

    assert stage.processor.counters.aborted > 0
    assert stage.ask(COUNT) == QueryAnswer(result=payload(10))
    assert stage.kinds().count("SignalReceived") == 10


def test_a_full_batch_records_the_rest_and_runs_its_code_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is lost if the process dies in between: such runs are due at once."""
    stage = Stage([Charge])
    stage.settle()
    monkeypatch.setattr(runs, "BYTES_MAX", 2_000)
    for number in range(16):
        stage.send(start("Charge", f"w{number}"), reply=False)
    while not stage.of_kind(EntityKind.EVENT):
        stage.processor.turn()
    begun = sum("WorkflowStarted" in stage.kinds(f"w{n}") for n in range(16))
    stepped = sum("Activated" in stage.kinds(f"w{n}") for n in range(16))
    assert begun == 16
    assert 0 < stepped < 16

    stage.restart(crash=True, disk="empty")

    assert len(stage.tasks()) == 16


def test_the_first_batches_of_a_partition_are_small() -> None:
    """All their runs are cold: the first go on while the others are still replayed."""
    stage = Stage([Charge])
    for number in range(100):
        stage.send(start("Charge", f"w{number}"), reply=False)
    begun: list[int] = []
    while len(stage.tasks()) < 100:
        if not begun or len(stage.tasks()) > begun[-1]:
            begun.append(len(stage.tasks()))
        stage.processor.turn()
    assert [one for one in begun if one] == [16, 48]


def test_a_batch_that_takes_long_lets_no_further_code_run() -> None:
    """The owner has to poll; code that is slow makes the others wait, not the group think that it died."""
    stage = Stage([Hello], batch_ms_max=-1)
    stage.settle()

    stage.send(start("Hello"))
    while not stage.of_kind(EntityKind.EVENT):
        stage.processor.turn()
    assert stage.kinds() == ["WorkflowStarted"]
    stage.processor.turn()
    assert stage.kinds() == ["WorkflowStarted"]


# -- what the log refuses -----------------------------------------------------------------------------------------------


def test_a_record_that_the_log_refuses_puts_its_run_aside_and_the_others_go_on() -> None:
    """Its commands become dead letters, its caller is told, and the partition does not stand still."""
    stage = Stage([Counter, Hello])
    stage.begin("Counter")
    stage.begin("Counter", "other")
    stage.broker.alter_topics({history_topic(NS, QUEUE): {"max.message.bytes": "20000"}})
    stage.broker.alter_topics({dead_letters_topic(NS): {"max.message.bytes": "2000000"}})

    bad, good = stage.send(add(30_000)), stage.send(add(10, "other"))
    stage.settle()

    assert isinstance(stage.answers(bad)[0], Rejection)
    assert isinstance(stage.answers(good)[0], Done)
    assert [letter.key for letter in stage.dead_letters()] == [b"w"]
    assert stage.processor.counters.quarantined == 1
    assert isinstance(stage.begin("Hello", "later"), Done)


# -- what does not happen -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rates",
    [
        Rates(aborted=0.4),
        Rates(unknown_committed=0.4),
        Rates(unknown_open=0.4),
        Rates(unknown_late=0.4),
    ],
    ids=["aborted", "committed", "open", "late"],
)
def test_whatever_becomes_of_transactions_each_signal_counts_once(rates: Rates) -> None:
    """And what is in memory is what is in the log: a fresh processor finds the same."""
    stage = Stage([Counter], partitions=2)
    stage.begin("Counter")
    stage.broker.faults.rates = rates
    for _ in range(12):
        stage.send(add(3), reply=False)
        stage.pass_time(20_000)
    stage.broker.faults.calm()
    stage.pass_time(60_000)

    live = stage.ask(COUNT)
    stage.restart(crash=True, disk="empty")

    assert live == stage.ask(COUNT) == QueryAnswer(result=payload(12))


def test_nothing_of_an_aborted_batch_is_seen() -> None:
    """No answer, no task, and no run in memory or on disk."""
    stage = Stage([Charge])
    stage.settle()
    stage.broker.faults.rates = Rates(aborted=1.0)
    asked = stage.send(start("Charge"))

    for _ in range(5):
        stage.processor.turn()
    stage.broker.run()

    assert stage.answers(asked) == []
    assert stage.tasks() == []
    assert stage.rows().latest_run("w") is None
    assert len(stage.partition().drafts) == 0


def test_every_transaction_names_the_offset_of_its_partition() -> None:
    """Also one that moved none, made by a timer: that is what fences it."""
    stage = Stage([Charge], partitions=3)
    number = partition_for("w", 3)
    stage.begin("Charge", start_delay_ms=5_000)
    inbox = TopicPartition("default.q.inbox", number)
    [before] = [
        positions.positions.decided([inbox])[inbox]
        for positions in stage.broker.groups().values()
        if positions.positions.decided([inbox])[inbox]
    ]

    stage.pass_time(5_000)

    [after] = [
        positions.positions.decided([inbox])[inbox]
        for positions in stage.broker.groups().values()
        if positions.positions.decided([inbox])[inbox]
    ]
    assert before is not None
    assert after is not None
    assert after.offset == before.offset
    assert after.metadata != before.metadata


def test_a_batch_is_about_as_large_as_its_bound() -> None:
    """Recorded events count before they are sealed."""
    batch = Batch()

    batch.sealed_later(BYTES_MAX)

    assert batch.size_bytes >= BYTES_MAX

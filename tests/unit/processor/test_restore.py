"""Taking a partition over: its store becomes equal to its log, whatever the disk had and whoever wrote last."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamflow.memory.store import MemoryStores
from streamflow.model.answers import Done, QueryAnswer, Reason, Rejection
from streamflow.model.commands import (
    ActivityOutcome,
    CancelWorkflow,
    DescribeWorkflow,
    QueryWorkflow,
    SignalWorkflow,
    TerminateWorkflow,
)
from streamflow.model.failure import Failure, FailureKind
from streamflow.model.ids import WorkflowId
from streamflow.model.options import IdConflictPolicy
from streamflow.ports import Committed, OutRecord, TopicPartition
from streamflow.processor.state.layout import META, Meta
from streamflow.processor.state.partition import State
from streamflow.processor.state.rows import Ingest, Rows
from streamflow.topology import history_topic, inbox_topic, processor_group
from streamflow.wire.entities import decode_position
from streamflow.wire.header import SF
from streamflow.wire.keys import EntityKind
from streamflow.wire.offset_note import OffsetNote, note, read_note
from tests.unit.processor.logs import dump
from tests.unit.processor.programs import Charge, Counter, Hello, Sleeper
from tests.unit.processor.stage import NS, QUEUE, Stage, payload, start

INBOX = TopicPartition(inbox_topic(NS, QUEUE), 0)
HISTORY = TopicPartition(history_topic(NS, QUEUE), 0)
COUNT = QueryWorkflow(workflow_id=WorkflowId("w"), query_name="count")


def add(workflow_id: str = "w") -> SignalWorkflow:
    return SignalWorkflow(
        workflow_id=WorkflowId(workflow_id), signal_name="add", args=(payload("x"),)
    )


def counting(signals: int = 3) -> Stage:
    stage = Stage([Counter])
    stage.begin("Counter")
    for _ in range(signals):
        stage.ask(add())
    return stage


def offsets(stage: Stage) -> dict[TopicPartition, Committed | None]:
    return stage.broker.group(processor_group(NS, QUEUE)).positions.decided([INBOX])


def rows_of(stage: Stage) -> dict[bytes, bytes]:
    """All rows but how far the log was followed, which differs between two ways of following it."""
    rows = dump(stage.rows())
    rows.pop(META, None)
    return rows


def undo_meta(rows: Rows, **changes: int) -> None:
    """Sets how far the store believes to have followed its log."""
    meta = rows.meta()
    for name, value in changes.items():
        setattr(meta, name, value)
    Ingest(rows).finish(meta)


# -- live and restored --------------------------------------------------------------------------------------------------

commands = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "hello",
                "count",
                "charge",
                "sleep",
                "add",
                "cancel",
                "terminate",
                "complete",
                "fail",
                "time",
                "abort",
                "query",
            ]
        ),
        st.sampled_from(["a", "b"]),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(asked=commands)
def test_what_is_live_is_what_the_log_restores(asked: list[tuple[str, str]]) -> None:
    """Rows written by commits equal rows restored from nothing, whatever was asked."""
    stage = Stage([Hello, Counter, Charge, Sleeper], partitions=1)
    stage.settle()
    for what, name in asked:
        _do(stage, what, WorkflowId(name))
    stage.settle()

    live = rows_of(stage)
    stage.restart(crash=True, disk="empty")

    assert rows_of(stage) == live


def _do(stage: Stage, what: str, workflow_id: WorkflowId) -> None:
    match what:
        case "hello":
            stage.send(start("Hello", workflow_id))
        case "count":
            stage.send(start("Counter", workflow_id))
        case "charge":
            stage.send(start("Charge", workflow_id))
        case "sleep":
            stage.send(start("Sleeper", workflow_id, args=(payload(30),)))
        case "add":
            stage.send(add(workflow_id))
        case "cancel":
            stage.send(CancelWorkflow(workflow_id=workflow_id))
        case "terminate":
            stage.send(TerminateWorkflow(workflow_id=workflow_id))
        case "query":
            stage.send(QueryWorkflow(workflow_id=workflow_id, query_name="count"))
        case "complete" | "fail":
            outcome = ActivityOutcome.COMPLETED if what == "complete" else ActivityOutcome.FAILED
            failure = Failure(kind=FailureKind.APPLICATION, message="no")
            stage.settle()
            for task in stage.tasks()[-2:]:
                stage.report(task, outcome, failure=failure)
        case "time":
            stage.pass_time(15_000)
        case "abort":
            stage.broker.faults.rates = type(stage.broker.faults.rates)(aborted=1.0)
            stage.processor.turn()
            stage.broker.faults.calm()
        case _:
            raise AssertionError(what)


def test_an_old_store_catches_up_and_a_lower_bound_changes_nothing() -> None:
    """Its offset is a lower bound: what it has already may come again."""
    stage = counting()
    live = rows_of(stage)
    rows = stage.rows()
    undo_meta(rows, history_offset=1)

    stage.restart(crash=True)

    assert rows_of(stage) == live
    assert stage.processor.counters.gaps == 0


# -- stores that cannot be trusted ----------------------------------------------------------------------------------------


def test_a_store_that_is_ahead_of_its_log_is_rebuilt() -> None:
    """By offset: the log was made anew."""
    stage = counting()
    live = rows_of(stage)
    undo_meta(stage.rows(), history_offset=10_000)

    stage.restart(crash=True)

    assert rows_of(stage) == live


def test_a_store_that_knows_of_later_transactions_is_rebuilt() -> None:
    """By ordinal: another log has grown as long as the one that the store followed."""
    stage = counting()
    live = rows_of(stage)
    store = stage.rows().store
    batch = store.batch()
    batch.put(b"rghost", b"")
    store.write(batch)
    undo_meta(stage.rows(), ordinal=10_000)

    stage.restart(crash=True)

    assert rows_of(stage) == live


def test_a_store_that_slept_past_the_tombstones_is_rebuilt() -> None:
    """The log forgets tombstones after a week; a store that never saw them would keep the dead."""
    stage = counting()
    stage.pass_time(1_000)
    stage.ask(add())
    other = counting(0)
    assert other.stores is not stage.stores
    store = stage.rows().store
    batch = store.batch()
    batch.put(b"xghost", b"")
    store.write(batch)
    stage.log.crash()
    stage.stores.crash()
    sleeping, stage.stores = stage.stores, other.stores
    stage.stores = type(other.stores)()
    stage.start("another")
    stage.pass_time(10_000)
    stage.ask(add())
    stage.processor.close()
    stage.clock.advance(7 * 86_400_000)

    stage.stores = sleeping
    stage.start()
    stage.settle()

    assert b"xghost" not in dump(stage.rows())
    assert stage.ask(COUNT) == QueryAnswer(result=payload(5))


def test_a_store_of_another_format_is_rebuilt() -> None:
    stage = counting()
    live = rows_of(stage)
    undo_meta(stage.rows(), format=99)

    stage.restart(crash=True)

    assert rows_of(stage) == live


def test_a_store_that_is_damaged_while_it_is_used_is_rebuilt() -> None:
    """The batch at hand is dropped, and its input is read again."""
    stage = counting()
    stage.stores.corrupt("0")

    assert isinstance(stage.ask(add()), Done)

    assert stage.ask(COUNT) == QueryAnswer(result=payload(4))


def test_a_store_that_turns_out_damaged_as_it_becomes_active_is_rebuilt() -> None:
    """What nobody looks at before: who is stuck is tried again then."""
    stage = counting()
    stage.stores.corrupt("0", prefix=b"x")

    stage.restart(crash=True)

    assert stage.ask(COUNT) == QueryAnswer(result=payload(3))


def test_a_damaged_store_does_not_keep_its_owner_from_leaving() -> None:
    stage = counting()
    stage.stores.corrupt("0")

    stage.restart()

    assert stage.ask(COUNT) == QueryAnswer(result=payload(3))


# -- offsets ----------------------------------------------------------------------------------------------------------


def test_an_offset_says_which_transaction_it_is_of_and_by_whom() -> None:
    stage = counting()

    told = read_note(offsets(stage)[INBOX])

    assert told is not None
    assert told.ordinal == stage.partition().meta.ordinal
    assert told.owner == "p"
    assert told.transactional_ids


def test_a_farewell_names_no_owner() -> None:
    """So nobody waits for us, or fences us."""
    stage = counting()

    stage.processor.close()

    told = read_note(offsets(stage)[INBOX])
    assert told is not None
    assert told.owner == ""


@pytest.mark.parametrize("metadata", ["", "something else", "[1]", "{}"])
def test_a_foreign_note_is_no_note(metadata: str) -> None:
    """Whoever resets the group's offsets by hand leaves none of ours."""
    assert read_note(Committed(5, metadata)) is None
    assert read_note(None) is None


def test_a_note_is_read_as_it_was_written() -> None:
    assert read_note(Committed(5, note(7, "me", ("a", "b")))) == OffsetNote(7, "me", ("a", "b"))


def test_a_lost_group_offset_is_taken_from_the_position_record() -> None:
    """Brokers forget the offsets of groups that were idle for a week."""
    stage = counting()
    stage.log.crash()
    stage.stores.crash()
    group = stage.broker.group(processor_group(NS, QUEUE))
    group.positions._committed.clear()

    stage.stores = type(stage.stores)()
    stage.start()
    stage.settle()

    assert stage.partition().meta.inbox_offset == 4
    assert stage.processor.counters.commands == 0
    assert stage.ask(COUNT) == QueryAnswer(result=payload(3))


def test_offsets_ahead_of_the_history_raise_the_alarm_and_are_not_believed() -> None:
    """A transaction that the history lacks: its input is read again from where the history is."""
    stage = counting()
    stage.log.crash()
    stage.stores.crash()
    group = stage.broker.group(processor_group(NS, QUEUE))
    told = read_note(offsets(stage)[INBOX])
    assert told is not None
    stage.broker.append(OutRecord(INBOX.topic, 0, b"w", b"{}"))
    group.positions.commit({INBOX: Committed(5, note(told.ordinal + 1, "p", ()))})

    stage.start()
    stage.settle()

    assert stage.processor.counters.torn == 1
    assert len(stage.dead_letters()) == 1  # the record that the torn transaction had passed over


def _lose_the_last_transaction(stage: Stage) -> None:
    """As a broker that was elected without having it: history only, not the offsets."""
    last = stage.partition().meta.ordinal
    history = stage.broker.partition(HISTORY)
    cut = next(
        record.offset
        for key, record in stage.entries()
        if key.kind is EntityKind.POSITION
        and decode_position(record.value or b"").ordinal == last - 1
    )
    stage.log.crash()
    stage.stores.crash()
    del history.entries[cut + 1 - history.start :]


@pytest.mark.parametrize("disk", ["kept", "empty"])
def test_a_transaction_that_the_history_has_lost_is_made_again(disk: str) -> None:
    """Alarmed, from its own input: also where the local store had it, which would else tell another story than the log."""
    stage = counting()
    _lose_the_last_transaction(stage)

    if disk == "empty":
        stage.stores = type(stage.stores)()
    stage.start()
    stage.settle()

    assert stage.processor.counters.torn == 1
    assert stage.ask(COUNT) == QueryAnswer(result=payload(3))
    stage.ask(add())
    stage.restart(crash=True, disk="empty")
    assert stage.processor.counters.gaps == 0
    assert stage.ask(COUNT) == QueryAnswer(result=payload(4))


def test_input_that_retention_took_unread_is_said() -> None:
    """What is left is read on."""
    stage = counting()
    stage.log.crash()
    stage.stores.crash()
    for _ in range(5):
        stage.broker.append(OutRecord(INBOX.topic, 0, b"w", b"{}"))
    inbox = stage.broker.partition(INBOX)
    gone = stage_offset(stage) + 2
    del inbox.entries[: gone - inbox.start]
    inbox.start = gone

    stage.start()
    stage.settle()

    assert stage.processor.counters.expired_input == 2
    assert stage.ask(COUNT) == QueryAnswer(result=payload(3))


def stage_offset(stage: Stage) -> int:
    """Where the group stands in the inbox."""
    committed = offsets(stage)[INBOX]
    assert committed is not None
    return committed.offset


# -- what is wrong in the log -------------------------------------------------------------------------------------------


def test_a_run_with_a_gap_is_set_apart_and_the_others_go_on() -> None:
    stage = counting()
    stage.begin("Counter", "other")
    stage.log.crash()
    victim = next(
        record
        for key, record in stage.entries()
        if key.kind is EntityKind.EVENT and key.workflow_id == "w" and key.number == 3
    )
    partition = stage.broker.partition(HISTORY)
    del partition.entries[victim.offset - partition.start]

    stage.stores = type(stage.stores)()
    stage.start()
    stage.settle()

    assert stage.processor.counters.gaps == 1
    assert isinstance(stage.ask(add("other")), Done)
    over = start("Counter", id_conflict_policy=IdConflictPolicy.TERMINATE_EXISTING)
    for command in (add(), COUNT, DescribeWorkflow(workflow_id=WorkflowId("w")), over):
        told = stage.ask(command)
        assert isinstance(told, Rejection)
        assert told.reason is Reason.QUARANTINED
    assert stage.processor.counters.quarantined == 0


def test_records_that_are_not_ours_do_not_end_a_restore() -> None:
    """Whatever somebody wrote into the history topic: it is passed over, with an alarm where it claims to be ours."""
    stage = counting()
    header = dict(stage.entries()[0][1].headers)[SF]
    for key, value, headers in (
        (b"k", b"v", ()),
        (b"k", b"v", ((SF, b"short"),)),
        (b"no key of ours", b"v", ((SF, header),)),
    ):
        stage.broker.append(OutRecord(HISTORY.topic, 0, key, value, headers))

    stage.restart(crash=True, disk="empty")

    assert stage.partition().state is State.ACTIVE
    assert stage.processor.counters.foreign == 2
    assert stage.ask(COUNT) == QueryAnswer(result=payload(3))


def test_a_new_store_has_followed_nothing() -> None:
    assert Meta().inbox_offset == -1
    assert Meta().history_offset == 0


def test_restoring_gets_as_much_time_as_the_work_beside_it() -> None:
    """Where each turn of the active partitions takes long, the others are not restored a read at a time between two of them."""

    def turns(worked_ms: int) -> int:
        stage = counting(signals=400)
        stage.options = {"restore_slice_ms": -1}
        stage.processor.close()
        stage.stores = MemoryStores()
        stage.start()
        for number in range(1, 1_000):
            stage.processor.turn()
            if stage.partition().state is State.ACTIVE:
                return number
            stage.clock.advance(worked_ms)
        raise AssertionError("it is never restored")

    alone, beside_work = turns(0), turns(100)

    assert alone > 4
    assert beside_work <= alone / 2

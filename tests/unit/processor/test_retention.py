"""What is forgotten, when, and in how large pieces: closed runs, and messages that need not be known again."""

from __future__ import annotations

import pytest

from streamflow.engine.context import Limits
from streamflow.memory.faults import Rates
from streamflow.model.answers import Done, Reason, Rejection, RunResult
from streamflow.model.commands import (
    AwaitResult,
    QueryWorkflow,
    SignalWorkflow,
    TerminateWorkflow,
)
from streamflow.model.ids import WorkflowId
from streamflow.model.options import IdReusePolicy, Status
from streamflow.processor.state.layout import META
from streamflow.topology import executions_topic
from streamflow.wire.keys import EntityKind
from tests.unit.processor.logs import dump
from tests.unit.processor.programs import Charge, Counter, Hello, Sleeper
from tests.unit.processor.stage import NS, Stage, payload, start

W = WorkflowId("w")
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def add(what: str = "x") -> SignalWorkflow:
    return SignalWorkflow(workflow_id=W, signal_name="add", args=(payload(what),))


def events_left(stage: Stage) -> list[int]:
    """The events that a compacted topic still has."""
    left: dict[bytes, bool] = {}
    numbers: dict[bytes, int] = {}
    for key, record in stage.entries():
        if key.kind is EntityKind.EVENT:
            assert record.key is not None
            left[record.key] = record.value is not None
            numbers[record.key] = key.number
    return sorted(numbers[key] for key, there in left.items() if there)


def test_a_closed_run_is_kept_for_its_retention_and_then_nothing_of_it_is_left() -> None:
    """Neither in the log, nor in the store, nor in the feed; and its name is free."""
    stage = Stage([Hello], limits=Limits(retention_ms=2 * DAY_MS), dedup_ms_min=DAY_MS)
    stage.begin("Hello")
    stage.pass_time(2 * DAY_MS - 1_000)
    assert isinstance(stage.ask(QueryWorkflow(workflow_id=W, query_name="x")), Rejection)
    assert events_left(stage) == [1, 2, 3]

    stage.pass_time(61_000)
    stage.pass_time(61_000)

    assert events_left(stage) == []
    stage.ask(add())  # whatever comes, messages that are too old are looked for with it
    assert list(dump(stage.rows())) == [META]
    feed = {record.key: record.value for record in stage.broker.records(executions_topic(NS))}
    assert list(feed.values()) == [None]
    assert isinstance(stage.begin("Hello"), Done)


def test_a_run_that_is_kept_for_no_time_has_its_end_recorded_and_told_first() -> None:
    """Also where it ends in the turn in which it is due: whoever waits for it could find nothing later."""
    stage = Stage([Sleeper], limits=Limits(retention_ms=0))
    stage.begin("Sleeper", args=(payload(60),))
    waiting = stage.send(AwaitResult(workflow_id=W))
    stage.settle()
    stage.clock.advance(60_000)

    stage.ask(TerminateWorkflow(workflow_id=W))
    stage.pass_time(1_000)

    [told] = stage.answers(waiting)
    assert isinstance(told, RunResult)
    assert told.status is Status.TERMINATED
    assert stage.kinds()[-1] == "WorkflowTerminated"
    assert events_left(stage) == []


def test_retention_may_differ_by_workflow_type() -> None:
    stage = Stage(
        [Hello, Counter], limits=Limits(retention_ms=DAY_MS), retention_ms={"Hello": HOUR_MS}
    )
    stage.begin("Hello", "short")
    stage.begin("Counter", "long")
    stage.ask(TerminateWorkflow(workflow_id=WorkflowId("long")))

    stage.pass_time(HOUR_MS + 1_000)

    assert stage.rows().latest_run("short") is None
    assert stage.rows().latest_run("long") is not None


def test_a_long_history_is_deleted_in_bounded_pieces_from_its_end() -> None:
    """The mark stands until the last event is gone, so nobody takes the rest for a broken run."""
    stage = Stage([Counter], limits=Limits(retention_ms=HOUR_MS), tombstones_per_turn_max=10)
    stage.begin("Counter")
    for _ in range(20):
        stage.ask(add())
    stage.ask(TerminateWorkflow(workflow_id=W))
    stage.settle()
    total = len(stage.kinds())
    stage.clock.advance(HOUR_MS)
    left: list[int] = []
    while not left or left[-1]:
        stage.processor.turn()
        now = events_left(stage)
        assert now == list(range(1, len(now) + 1))
        left.append(len(now))

    steps = [before - after for before, after in zip([total, *left], left, strict=False)]
    assert max(steps) <= 10
    assert stage.of_kind(EntityKind.DELETING)[-1].value is None


@pytest.mark.parametrize("disk", ["kept", "empty"])
@pytest.mark.parametrize("compacted", [False, True])
def test_a_deletion_that_was_interrupted_is_gone_on_with(disk: str, compacted: bool) -> None:
    """By whoever owns the partition then; also where compaction has been there first."""
    stage = Stage([Counter], limits=Limits(retention_ms=HOUR_MS), tombstones_per_turn_max=5)
    stage.begin("Counter")
    for _ in range(10):
        stage.ask(add())
    stage.ask(TerminateWorkflow(workflow_id=W))
    stage.clock.advance(HOUR_MS)
    total = len(stage.kinds())
    while len(events_left(stage)) == total:
        stage.processor.turn()
    assert 0 < len(events_left(stage)) < total
    if compacted:
        stage.broker.compact("default.q.history")

    stage.restart(crash=True, disk=disk)
    stage.pass_time(1_000)

    assert events_left(stage) == []
    assert stage.processor.counters.gaps == 0
    assert stage.rows().latest_run("w") is None


def test_an_aborted_deletion_is_done_again() -> None:
    stage = Stage([Hello], limits=Limits(retention_ms=HOUR_MS))
    stage.begin("Hello")
    stage.clock.advance(HOUR_MS)
    stage.broker.faults.rates = Rates(aborted=1.0)
    for _ in range(5):
        stage.processor.turn()
    stage.broker.faults.calm()

    stage.pass_time(1_000)

    assert events_left(stage) == []
    assert stage.rows().latest_run("w") is None


def test_a_new_run_under_a_name_that_is_being_deleted_is_found() -> None:
    stage = Stage([Counter], limits=Limits(retention_ms=HOUR_MS), tombstones_per_turn_max=3)
    stage.begin("Counter")
    for _ in range(5):
        stage.ask(add())
    stage.ask(TerminateWorkflow(workflow_id=W))
    stage.clock.advance(HOUR_MS)
    stage.processor.turn()

    stage.begin("Counter")
    stage.pass_time(1_000)

    assert isinstance(stage.ask(add()), Done)
    stage.restart(crash=True, disk="empty")
    assert isinstance(stage.ask(add()), Done)


def test_attempt_records_go_with_their_run() -> None:
    stage = Stage([Charge], limits=Limits(retention_ms=HOUR_MS))
    stage.begin("Charge")
    stage.ask(TerminateWorkflow(workflow_id=W))
    stage.pass_time(HOUR_MS + 1_000)

    assert not [key for key in dump(stage.rows()) if key[:1] in (b"a", b"x", b"e", b"r", b"t")]


@pytest.mark.parametrize("rebuilt", [False, True])
def test_an_older_run_is_the_latest_once_the_younger_one_has_gone(rebuilt: bool) -> None:
    """Also where the store is made anew from the log."""
    stage = Stage([Counter, Hello], retention_ms={"Hello": HOUR_MS})
    older = stage.begin("Counter")
    assert isinstance(older, Done)
    stage.ask(TerminateWorkflow(workflow_id=W))
    stage.begin("Hello")

    stage.pass_time(HOUR_MS + 1_000)
    if rebuilt:
        stage.broker.compact("default.q.history")
        stage.restart(crash=True, disk="empty")

    assert stage.rows().latest_run("w") == older.run_id
    again = stage.begin("Counter", id_reuse_policy=IdReusePolicy.REJECT_DUPLICATE)
    assert isinstance(again, Rejection)
    assert again.reason is Reason.ALREADY_STARTED


# -- messages -----------------------------------------------------------------------------------------------------------


def test_a_message_is_forgotten_when_its_time_is_over() -> None:
    """With a tombstone in the log; a copy that comes later still is taken for a new message."""
    stage = Stage([Counter], limits=Limits(retention_ms=HOUR_MS), dedup_ms_min=2 * HOUR_MS)
    stage.begin("Counter")
    stage.ask(add(), message_id="m")
    stage.pass_time(2 * HOUR_MS - 1_000)
    stage.ask(add(), message_id="m")
    assert stage.kinds().count("SignalReceived") == 1

    stage.pass_time(120_000)
    stage.ask(add("wakes the queue"))
    stage.ask(add(), message_id="m")

    assert stage.kinds().count("SignalReceived") == 3
    tombstones = [record for record in stage.of_kind(EntityKind.DEDUP) if record.value is None]
    assert len(tombstones) == 2  # the start's and the signal's


def test_a_message_is_remembered_as_long_as_its_run_is_kept() -> None:
    """Where the run's type is kept for longer than its queue says; so is the message that began it, or would have."""
    stage = Stage(
        [Counter],
        limits=Limits(retention_ms=HOUR_MS),
        dedup_ms_min=HOUR_MS,
        retention_ms={"Counter": 5 * HOUR_MS},
    )
    began = stage.ask(start("Counter", W), message_id="start")
    refused = stage.ask(start("Counter", W), message_id="another")
    assert isinstance(began, Done)
    assert isinstance(refused, Rejection)
    stage.ask(add(), message_id="m")

    stage.pass_time(5 * HOUR_MS - 1_000)
    stage.ask(add("wakes the queue"))
    stage.ask(add(), message_id="m")

    assert stage.kinds().count("SignalReceived") == 2
    assert not [record for record in stage.of_kind(EntityKind.DEDUP) if record.value is None]
    stage.pass_time(120_000)
    stage.ask(add("wakes the queue"))
    forgotten = [record for record in stage.of_kind(EntityKind.DEDUP) if record.value is None]
    assert len(forgotten) == 3


def test_an_open_run_knows_the_start_that_began_it() -> None:
    """Also when its time is over: a caller that still waits for the result may renew its start."""
    stage = Stage([Counter], limits=Limits(retention_ms=HOUR_MS), dedup_ms_min=HOUR_MS)
    begin = start("Counter", W)
    began = stage.ask(begin, message_id="m")
    assert isinstance(began, Done)
    stage.pass_time(2 * HOUR_MS)
    stage.ask(add("wakes the queue"))
    assert [record for record in stage.of_kind(EntityKind.DEDUP) if record.value is None]

    assert stage.ask(begin, message_id="m") == Done(run_id=began.run_id)
    refused = stage.ask(begin, message_id="another")
    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.ALREADY_STARTED


def test_messages_are_forgotten_in_bounded_pieces() -> None:
    stage = Stage(
        [Counter],
        limits=Limits(retention_ms=HOUR_MS),
        dedup_ms_min=HOUR_MS,
        tombstones_per_turn_max=4,
    )
    stage.begin("Counter")
    for _ in range(11):
        stage.ask(add())
    stage.clock.advance(2 * HOUR_MS)
    sizes: list[int] = []
    before = 0
    for _ in range(8):
        stage.processor.turn()
        gone = sum(record.value is None for record in stage.of_kind(EntityKind.DEDUP))
        sizes.append(gone - before)
        before = gone

    assert sum(sizes) == 12
    assert max(sizes) == 4


def test_a_run_remembers_its_latest_messages_only() -> None:
    """So many of each run; the oldest makes room, also after a restart on an empty disk."""
    stage = Stage([Counter], limits=Limits(messages_per_run_max=3))
    stage.begin("Counter")
    for number in range(5):
        stage.ask(add(), message_id=f"m{number}x")
    stage.restart(crash=True, disk="empty")
    stage.ask(add(), message_id="m5x")
    assert stage.kinds().count("SignalReceived") == 6

    for number in (3, 4, 5):
        stage.ask(add(), message_id=f"m{number}x")
    assert stage.kinds().count("SignalReceived") == 6
    stage.ask(add(), message_id="m2x")

    assert stage.kinds().count("SignalReceived") == 7

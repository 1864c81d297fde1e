"""Closed runs are in the archive before anything of them is deleted, and nobody waits for that."""

from __future__ import annotations

from contextlib import suppress

import pytest

from streamflow.engine.context import Limits
from streamflow.memory.objects import MemoryBucket
from streamflow.memory.processes import ProcessCrashed
from streamflow.model.answers import Done
from streamflow.model.control import ControlWorkflow, WorkflowControl
from streamflow.model.ids import WorkflowId
from streamflow.wire.archive import archive_name, archive_prefix, parse_archive_name
from streamflow.wire.history_file import from_json
from tests.unit.processor.programs import Counter, Hello
from tests.unit.processor.stage import NS, Stage, start
from tests.unit.processor.test_retention import events_left

DAY_MS = 24 * 3_600_000
MINUTE_MS = 60_000


def keeping() -> tuple[Stage, MemoryBucket]:
    bucket = MemoryBucket()
    stage = Stage(
        [Hello, Counter], archive=bucket, limits=Limits(retention_ms=DAY_MS), dedup_ms_min=DAY_MS
    )
    return stage, bucket


def test_a_run_is_archived_and_then_deleted() -> None:
    """As a history that can be replayed: all of its events, as they were."""
    stage, bucket = keeping()
    stage.begin("Hello")
    recorded = stage.recorded()

    stage.pass_time(DAY_MS + MINUTE_MS)

    assert events_left(stage) == []
    [(name, data)] = bucket.objects.items()
    history = from_json(data)
    assert list(history.events) == recorded
    assert (history.workflow_id, name) == (
        "w",
        archive_name(NS, "w", recorded[-1].time_ms, history.run_id),
    )
    assert stage.processor.counters.archived == 1


def test_what_cannot_be_archived_is_kept_and_the_partition_goes_on() -> None:
    """Until the archive is there again."""
    stage, bucket = keeping()
    bucket.away = True
    stage.begin("Hello")

    stage.pass_time(DAY_MS + 10 * MINUTE_MS)

    assert events_left(stage) == [1, 2, 3]
    assert 1 <= stage.processor.counters.archive_failed <= 12
    assert isinstance(stage.begin("Counter", "other"), Done)

    bucket.away = False
    stage.pass_time(2 * MINUTE_MS)

    assert len(bucket.objects) == 1
    assert [key.workflow_id for key, record in stage.entries() if record.value is None][-1:] == [
        "w"
    ]


def test_a_process_that_dies_after_archiving_archives_again() -> None:
    """Under the same name, and deletes then."""
    stage, bucket = keeping()
    stage.begin("Hello")
    stage.pass_time(DAY_MS - 1_000)
    stage.clock.advance(2_000)
    stage.processor.turn()
    assert len(bucket.objects) == 1
    assert events_left(stage) == [1, 2, 3]

    stage.restart(crash=True, disk="empty")
    stage.pass_time(2 * MINUTE_MS)

    assert len(bucket.objects) == 1
    assert events_left(stage) == []


def test_a_crash_at_any_call_loses_no_run_and_keeps_none() -> None:
    """Of the archive or of the log, while a run is put away and deleted: afterwards it is in the one and not in the other."""
    stage, bucket = keeping()
    stage.begin("Hello")
    stage.pass_time(DAY_MS - 1_000)
    before = stage.log.process.calls
    stage.pass_time(MINUTE_MS)
    calls = stage.log.process.calls - before
    assert calls > 5

    for call in range(1, calls + 1):
        stage, bucket = keeping()
        stage.begin("Hello")
        stage.pass_time(DAY_MS - 1_000)
        stage.broker.faults.crash_at("p", stage.log.process.calls + call)
        with suppress(ProcessCrashed):
            stage.pass_time(MINUTE_MS)
        stage.restart(crash=True)
        stage.pass_time(3 * MINUTE_MS)

        assert len(bucket.objects) == 1, call
        assert events_left(stage) == [], call


def test_many_runs_are_archived_in_pieces() -> None:
    """More than may wait at once, and each of them."""
    stage, bucket = keeping()
    for number in range(450):
        stage.send(start("Hello", f"w{number}"), reply=False)
    stage.settle()

    stage.pass_time(DAY_MS + 5 * MINUTE_MS)

    assert len(bucket.objects) == 450
    assert events_left(stage) == []


def test_a_run_that_somebody_deletes_is_not_archived() -> None:
    """That is a wish to have it gone."""
    stage, bucket = keeping()
    stage.begin("Hello")

    stage.ask(ControlWorkflow(workflow_id=WorkflowId("w"), control=WorkflowControl.DELETE))

    assert events_left(stage) == []
    assert bucket.objects == {}


@pytest.mark.parametrize("workflow_id", ["order-17", "a/b", "..", "Grüße 🙂", "x" * 1_000, "%2F"])
def test_every_workflow_id_has_a_name_of_its_own(workflow_id: str) -> None:
    """That stays within its namespace, and within what a file system allows."""
    prefix = archive_prefix("ns", workflow_id)
    name = archive_name("ns", workflow_id, 1_780_000_000_000, "run-1")

    parts = prefix.split("/")
    assert parts[:2] == ["archive", "ns"]
    assert len(parts) == 4
    assert all(part.strip(".") for part in parts[:3])
    assert max(map(len, parts)) <= 200
    run = parse_archive_name(name)
    assert run is not None
    assert (run.run_id, run.closed_ms) == ("run-1", 1_780_000_000_000)


def test_ids_that_begin_alike_do_not_share_a_name() -> None:
    assert archive_prefix("ns", "x" * 300 + "a") != archive_prefix("ns", "x" * 300 + "b")
    assert archive_prefix("ns", "a/b") != archive_prefix("ns", "a%2Fb")
    assert parse_archive_name("archive/ns/w/readme.txt") is None

"""How history entries become rows: the same whether they are followed once, twice, in one go or one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streamflow.model.events import SignalReceived
from streamflow.processor.state.layout import Entry
from streamflow.processor.state.rows import Ingest
from streamflow.wire.keys import EntityKind
from tests.unit.processor.logs import (
    LoggedRun,
    dump,
    forgotten,
    ingest,
    new_rows,
    remembered,
)


@st.composite
def logs(draw: st.DrawFn) -> list[Entry]:
    """The log of a partition with two workflow IDs: runs that begin, go on, close, are deleted, and are followed."""
    log: list[Entry] = []
    runs: list[LoggedRun] = []
    numbers = iter(range(1, 1_000))
    for _ in range(draw(st.integers(0, 40))):
        step = draw(st.integers(0, 9))
        workflow_id = draw(st.sampled_from(["a", "b"]))
        mine = [run for run in runs if run.workflow_id == workflow_id]
        is_open = bool(mine) and not mine[-1].closed
        if step == 0 and not is_open:
            runs.append(LoggedRun(log, workflow_id, next(numbers)))
        elif step <= 2 and is_open:
            mine[-1].signal(due_ms=draw(st.integers(0, 3)) * 100)
        elif step == 3 and is_open:
            mine[-1].close()
        elif step == 4 and is_open:
            mine[-1].attempt(draw(st.integers(1, 2)), draw(st.booleans()))
        elif step == 5 and is_open:
            mine[-1].trouble(draw(st.booleans()))
        elif step == 6:
            message = draw(st.sampled_from(["m1", "m2"]))
            run_id = mine[-1].run_id if mine else ""
            if mine:
                mine[-1].messages += 1
            ordinal = mine[-1].messages if mine else 0
            expires_ms = draw(st.integers(1, 3)) * 10
            entry = remembered(workflow_id, message, expires_ms, run_id=run_id, ordinal=ordinal)
            log.append(entry)
        elif step == 7:
            log.append(forgotten(workflow_id, draw(st.sampled_from(["m1", "m2"]))))
        else:
            closed = [run for run in mine if run.closed and not run.deleted]
            if closed:
                _delete_a_little(draw(st.sampled_from(closed)))
    return log


def _delete_a_little(closed: LoggedRun) -> None:
    if closed.deleting:
        closed.tombstone()
    else:
        closed.mark_deleting()


def _compacted(log: list[Entry]) -> list[Entry]:
    """The last entry of each key, without tombstones."""
    last = {_key(entry): number for number, entry in enumerate(log)}
    return [log[number] for number in sorted(last.values()) if log[number].value is not None]


def _key(entry: Entry) -> tuple[object, ...]:
    seq = entry.header.seq if entry.kind == EntityKind.EVENT else 0
    workflow_id = entry.workflow_id if entry.kind == EntityKind.DEDUP else entry.header.run_id
    return entry.kind, workflow_id, seq, entry.number, entry.text


@given(log=logs(), data=st.data())
def test_following_any_tail_again_changes_nothing(log: list[Entry], data: st.DataObject) -> None:
    """The stored offset is a lower bound: what it covers already may be read again from anywhere below."""
    rows = ingest(new_rows(), log)
    once = dump(rows)

    tail = log[data.draw(st.integers(0, len(log)), label="from") :]
    ingest(rows, tail, batch=data.draw(st.integers(1, 50), label="batch"))

    assert dump(rows) == once


@given(log=logs(), batch=st.integers(1, 20))
def test_rows_do_not_depend_on_how_many_entries_are_written_at_a_time(
    log: list[Entry], batch: int
) -> None:
    """A live commit writes a few entries, a restore thousands."""
    assert dump(ingest(new_rows(), log, batch=batch)) == dump(ingest(new_rows(), log))


@given(log=logs())
def test_a_sound_log_has_no_gaps_and_one_due_row_per_run(log: list[Entry]) -> None:
    """Each run has one next due time, and so at most one row in the index."""
    rows = ingest(new_rows(), log)

    due = [run_id for _, run_id in rows.due(1 << 40, 10_000)]

    assert rows.gaps() == []
    assert len(due) == len(set(due))
    for due_ms, run_id in rows.due(1 << 40, 10_000):
        row = rows.run(run_id)
        assert row is not None
        assert row.due_ms == due_ms


@given(log=logs())
def test_the_latest_run_is_the_youngest_that_is_kept(log: list[Entry]) -> None:
    """Whichever went before it, and also where the rows were made of what compaction has left of the log."""
    rows, rebuilt = ingest(new_rows(), log), ingest(new_rows(), _compacted(log))

    for workflow_id in ("a", "b"):
        kept = [
            run_id
            for run_id, row in rows.runs(limit=1_000)
            if row.workflow_id == workflow_id and not row.deleting
        ]
        assert rows.latest_run(workflow_id) == max(kept, default=None)
        assert rebuilt.latest_run(workflow_id) == rows.latest_run(workflow_id)


def test_a_missing_event_breaks_the_run() -> None:
    log: list[Entry] = []
    run = LoggedRun(log, "a", 1)
    run.signal()
    run.signal()
    del log[1]

    assert ingest(new_rows(), log).gaps() == [run.run_id]


def test_an_event_that_names_another_predecessor_breaks_the_run() -> None:
    log: list[Entry] = []
    run = LoggedRun(log, "a", 1)
    run.event(SignalReceived(name="forged"), previous=b"12345678")

    assert ingest(new_rows(), log).gaps() == [run.run_id]


def test_two_events_at_one_place_break_the_run() -> None:
    """A zombie's event beside the owner's is a fork, also where the chain goes on from the first of them."""
    log: list[Entry] = []
    run = LoggedRun(log, "a", 1)
    first = run.hash
    run.signal()
    run.signal()
    owners, run.seq = run.hash, 1
    run.event(SignalReceived(name="zombie's"), previous=first)
    run.seq, run.hash = 3, owners
    run.signal()

    assert ingest(new_rows(), log).gaps() == [run.run_id]
    assert ingest(new_rows(), log, batch=1).gaps() == [run.run_id]


def test_a_run_that_is_being_deleted_may_have_gaps() -> None:
    """Compaction takes its tombstoned events away in any order."""
    log: list[Entry] = []
    run = LoggedRun(log, "a", 1)
    run.signal()
    run.close()
    run.mark_deleting()
    run.tombstone()
    del log[1]

    rows = ingest(new_rows(), log)

    assert rows.gaps() == []


def test_a_deleted_run_leaves_nothing() -> None:
    log: list[Entry] = []
    run = LoggedRun(log, "a", 1)
    run.trouble(present=True)
    run.trouble(present=False)
    run.close()
    run.mark_deleting()
    while not run.deleted:
        run.tombstone()

    assert list(dump(ingest(new_rows(), log))) == [b"m"]


def test_the_end_of_a_runs_retention_does_not_hide_its_follower() -> None:
    """Both may be followed in one write: the later run of the same workflow ID stays its latest."""
    log: list[Entry] = []
    former = LoggedRun(log, "a", 1)
    former.close()
    rows = ingest(new_rows(), log)
    later: list[Entry] = []
    follower = LoggedRun(later, "a", 2)
    former.log = later
    former.mark_deleting()
    while not former.deleted:
        former.tombstone()

    ingest(rows, later)

    assert rows.latest_run("a") == follower.run_id


def test_an_expired_message_is_named_with_what_is_needed_to_forget_it() -> None:
    rows = ingest(new_rows(), [remembered("a", "m", 50), remembered("b", "n", 60)])

    assert rows.expired_dedups(49, 10) == []
    [expired] = rows.expired_dedups(50, 10)
    assert (expired.workflow_id, expired.message_id) == ("a", "m")


def test_a_message_remembered_anew_lives_until_its_new_expiry() -> None:
    """A store that missed the tombstone in between (compaction took it) forgets nothing too early."""
    rows = ingest(new_rows(), [remembered("a", "m", 50)])

    ingest(rows, [remembered("a", "m", 90)])

    assert rows.expired_dedups(89, 10) == []
    assert len(rows.expired_dedups(90, 10)) == 1


def test_forgetting_a_message_removes_every_trace_of_it() -> None:
    rows = ingest(new_rows(), [remembered("a", "m", 50, run_id="r", ordinal=1)])

    ingest(rows, [forgotten("a", "m")])

    assert list(dump(rows)) == [b"m"]


def test_what_was_read_of_a_run_is_read_anew_after_a_write() -> None:
    """Rows of runs are kept between two writes: one that is due is asked of three times on its way."""
    log: list[Entry] = []
    run = LoggedRun(log, "a", 1)
    rows = ingest(new_rows(), log)
    before = rows.run(run.run_id)
    assert before is not None

    run.signal(due_ms=700)
    ingest(rows, log[1:])

    after = rows.run(run.run_id)
    assert after is not None
    assert (after.last_seq, after.due_ms) == (before.last_seq + 1, 700)


def test_entries_that_were_never_written_leave_what_is_read_as_it_was() -> None:
    """A disk that takes nothing more ends the write, and not what is known of the runs."""
    log: list[Entry] = []
    run = LoggedRun(log, "a", 1)
    rows = ingest(new_rows(), log)
    before = rows.run(run.run_id)
    assert before is not None
    as_written = before.last_seq, before.due_ms

    run.signal(due_ms=700)
    unfinished = Ingest(rows)
    for entry in log[1:]:
        unfinished.add(entry)

    after = rows.run(run.run_id)
    assert after is not None
    assert (after.last_seq, after.due_ms) == as_written

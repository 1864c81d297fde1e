"""A history as a processor writes it is sound; whatever else happens to it is found, with a way to go on."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from streamflow.doctor import BrokenRun, Verification, repair, verify
from streamflow.memory.topics import Partition as LogPartition
from streamflow.model.control import ControlWorkflow, ResetWorkflow, WorkflowControl
from streamflow.model.events import SignalReceived, TimerFired
from streamflow.model.ids import Op, WorkflowId
from streamflow.model.tasks import PositionRecord
from streamflow.ports import OutRecord, Record, TopicPartition
from streamflow.topology import history_topic, read_queues
from streamflow.wire import keys
from streamflow.wire.entities import encode
from streamflow.wire.events import encode_event, event_code
from streamflow.wire.header import SF, EntryHeader, entry_hash, pack, unpack
from streamflow.wire.keys import EntityKind
from tests.unit.processor.asking import END, RUN, W, add
from tests.unit.processor.programs import Charge, Counter, Hello
from tests.unit.processor.stage import NS, QUEUE, Stage

HISTORY = TopicPartition(history_topic(NS, QUEUE), 0)


@pytest.fixture
def stage() -> Stage:
    """A counter that has counted three, beside a run that is over."""
    stage = Stage([Counter, Hello, Charge])
    stage.begin("Hello", "over")
    stage.begin("Counter")
    for what in ("a", "b", "c"):
        stage.ask(add(what))
    return stage


def verified(stage: Stage) -> Verification:
    return verify(stage.log, NS, read_queues(stage.log, NS)[QUEUE])


def history(stage: Stage) -> LogPartition:
    return stage.broker.partition(HISTORY)


def event(stage: Stage, seq: int) -> Record:
    return next(
        record
        for key, record in stage.entries()
        if key.kind is EntityKind.EVENT and key.workflow_id == W and key.number == seq
    )


def replace(stage: Stage, record: Record, changed: Record | None) -> None:
    """As no broker does: a record of the log is another, or gone."""
    entries = history(stage).entries
    for index, entry in enumerate(entries):
        if entry.record == record:
            if changed is None:
                del entries[index]
            else:
                entries[index] = msgspec.structs.replace(entry, record=changed)
            return
    raise AssertionError(f"Expected {record} in the history")


def append(
    stage: Stage, seq: int, fact: object, *, previous: bytes, step: int = 4, header_seq: int = 0
) -> None:
    """An event that somebody else writes."""
    run_id = event(stage, 1)
    key = keys.parse_key(run_id.key or b"")
    value = encode_event(W, key.run_id, seq, step, 1_000, fact)  # type: ignore[arg-type]  # an event
    header = EntryHeader(
        EntityKind.EVENT,
        event_code(fact),  # type: ignore[arg-type]  # an event
        key.run_id,
        header_seq or seq,
        step,
        1_000,
        0,
        0,
        previous,
    )
    stage.broker.append(
        OutRecord(
            HISTORY.topic,
            0,
            keys.event_key(W, key.run_id, seq),
            value,
            ((SF, pack(header)),),
        )
    )


def hash_of(record: Record) -> bytes:
    return entry_hash(dict(record.headers)[SF], record.value or b"")


def test_what_a_processor_writes_is_sound(stage: Stage) -> None:
    """Whatever its runs did: opened, closed, were retried, reset, restored and deleted."""
    stage.begin("Charge", "paid")
    stage.report(stage.tasks()[-1])
    stage.ask(ResetWorkflow(workflow_id=W, event_id=4))
    stage.restart(disk="empty")
    stage.ask(END)
    stage.ask(
        ControlWorkflow(
            workflow_id=WorkflowId("over"), control=WorkflowControl.DELETE, identity="operator"
        )
    )

    found = verified(stage)

    assert found.sound, found
    written = [key.kind for key, record in stage.entries() if record.value is not None]
    assert found.events == written.count(EntityKind.EVENT)
    assert found.runs == 4
    assert found.open_runs == 0


def test_compaction_takes_nothing_from_what_is_sound(stage: Stage) -> None:
    stage.pass_time(40 * 86_400_000)
    stage.broker.compact(HISTORY.topic)

    found = verified(stage)

    assert found.sound, found
    assert found.runs == 1, "the closed run's retention is over"


def _missing(stage: Stage) -> None:
    replace(stage, event(stage, 5), None)


def _deleted(stage: Stage) -> None:
    stage.broker.append(
        OutRecord(HISTORY.topic, 0, event(stage, 5).key, None, event(stage, 5).headers)
    )


def _forked(stage: Stage) -> None:
    append(stage, 5, SignalReceived(name="zombie"), previous=hash_of(event(stage, 4)))


def _misfit(stage: Stage) -> None:
    last = unpack(dict(stage.entries()[-2][1].headers)[SF]).seq
    append(stage, last + 1, SignalReceived(name="forged"), previous=b"12345678")


def _unreadable(stage: Stage) -> None:
    damaged = msgspec.structs.replace(event(stage, 5), value=b"\xc3\x01 nothing")
    replace(stage, event(stage, 5), damaged)


def _not_folded(stage: Stage) -> None:
    last = max(seq for seq in range(1, 20) if _has(stage, seq))
    append(stage, last + 1, TimerFired(op=Op(99)), previous=hash_of(event(stage, last)))


def _wrong_header(stage: Stage) -> None:
    last = max(seq for seq in range(1, 20) if _has(stage, seq))
    append(
        stage,
        last + 1,
        SignalReceived(name="s"),
        previous=hash_of(event(stage, last)),
        header_seq=last + 7,
    )


def _has(stage: Stage, seq: int) -> bool:
    return any(
        key.kind is EntityKind.EVENT and key.workflow_id == W and key.number == seq
        for key, _ in stage.entries()
    )


@pytest.mark.parametrize(
    ("damage", "kind", "seq"),
    [
        (_missing, "missing", 5),
        (_deleted, "deleted", 5),
        (_forked, "forked", 5),
        (_misfit, "misfit", 9),
        (_unreadable, "unreadable", 5),
        (_not_folded, "unfit", 9),
        (_wrong_header, "unfit", 9),
    ],
)
def test_a_damaged_run_is_found_with_its_place(
    stage: Stage, damage: Callable[[Stage], None], kind: str, seq: int
) -> None:
    """And nothing else is."""
    assert max(n for n in range(1, 20) if _has(stage, n)) == 8
    damage(stage)

    found = verified(stage)

    [run] = found.broken
    assert (run.workflow_id, run.broken.kind, run.broken.seq) == (W, kind, seq)
    assert found.problems == []
    assert found.open_runs == 0


def test_the_way_to_go_on_is_from_the_last_sound_step(stage: Stage) -> None:
    """Or, where there is none, to take the run away."""
    _missing(stage)
    [run] = verified(stage).broken

    reset, delete = repair("shop", "q", run)

    assert (run.sound, run.last_step) == (4, 4)
    assert reset == (
        f"streamflow workflow reset w --run-id {run.run_id} --queue q --namespace shop --event 4"
    )
    assert delete == (
        f"streamflow workflow delete w --run-id {run.run_id} --queue q --namespace shop"
    )
    nowhere: BrokenRun = msgspec.structs.replace(run, last_step=0)
    assert repair("default", "q", nowhere) == (
        f"streamflow workflow delete w --run-id {run.run_id} --queue q",
    )


def test_a_second_open_run_of_a_workflow_is_found(stage: Stage) -> None:
    """As a processor would leave it that did not know of the first."""
    first = event(stage, 1)
    value = first.value or b""
    run_id = keys.parse_key(first.key or b"").run_id
    header = msgspec.structs.replace(unpack(dict(first.headers)[SF]), run_id=RUN)
    stage.broker.append(
        OutRecord(
            HISTORY.topic,
            0,
            keys.event_key(W, RUN, 1),
            value.replace(run_id.encode(), RUN.encode()),
            ((SF, pack(header)),),
        )
    )

    [problem] = verified(stage).problems

    assert "Expected one open run of workflow 'w'" in problem


@pytest.mark.parametrize(
    ("ordinal", "offset", "said"),
    [(1, 10, "two owners"), (1_000, 0, "to be read on from"), (1_000, 5_000, "not the inbox")],
    ids=["an earlier ordinal", "an earlier offset", "beyond the inbox"],
)
def test_positions_that_go_back_or_too_far_are_found(
    stage: Stage, ordinal: int, offset: int, said: str
) -> None:
    position = PositionRecord(inbox_offset=offset, ordinal=ordinal, owner="zombie")
    header = EntryHeader(EntityKind.POSITION, 0, "", 0, 0, 1_000)
    stage.broker.append(
        OutRecord(HISTORY.topic, 0, keys.position_key(0), encode(position), ((SF, pack(header)),))
    )

    problems = verified(stage).problems

    assert any(said in problem for problem in problems), problems


def test_a_torn_transaction_is_found(stage: Stage) -> None:
    """The group's offset has it, the history has not."""
    stage.processor.close()
    positions = [r for key, r in stage.entries() if key.kind is EntityKind.POSITION]
    for record in positions[-2:]:
        replace(stage, record, None)

    [problem] = verified(stage).problems

    assert "torn transaction" in problem


def test_records_that_are_not_ours_are_counted_and_damaged_ones_told(stage: Stage) -> None:
    stage.broker.append(OutRecord(HISTORY.topic, 0, b"whoever", b"whatever"))
    stage.broker.append(OutRecord(HISTORY.topic, 0, b"whoever", b"v", ((SF, b"short"),)))

    found = verified(stage)

    assert found.foreign == 1
    [problem] = found.problems
    assert "Expected" in problem


def test_some_partitions_may_be_read_alone() -> None:
    stage = Stage([Counter], partitions=4)
    for number in range(8):
        stage.begin("Counter", f"w{number}")
    entry = read_queues(stage.log, NS)[QUEUE]

    parts = [verify(stage.log, NS, entry, partitions=[number]) for number in range(4)]
    whole = verify(stage.log, NS, entry)

    assert sum(part.runs for part in parts) == whole.runs == 8
    assert all(part.sound for part in parts)


def test_of_a_forked_run_only_what_lies_before_the_fork_is_sound(stage: Stage) -> None:
    """Though what followed the first of the two was read before the second came."""
    _forked(stage)

    [run] = verified(stage).broken

    assert (run.sound, run.last_step) == (4, 4)


def test_an_event_after_a_runs_end_is_found(stage: Stage) -> None:
    """There is no state that could take it."""
    stage.ask(END)
    last = max(seq for seq in range(1, 20) if _has(stage, seq))
    append(stage, last + 1, SignalReceived(name="zombie"), previous=hash_of(event(stage, last)))

    [run] = verified(stage).broken

    assert (run.broken.kind, run.broken.seq) == ("unfit", last + 1)
    assert run.broken.message == (
        f"Expected nothing after the run's end, found SignalReceived as {last + 1}"
    )
    assert run.sound == last

"""Transactions: what readers see, who is fenced, and what an unknown outcome may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.memory.broker import MemoryBroker
from streamflow.memory.clock import VirtualClock
from streamflow.memory.faults import Faults, Rates
from streamflow.memory.log import MemoryLog
from streamflow.memory.processes import ProcessCrashed
from streamflow.ports import (
    Aborted,
    Committed,
    Fenced,
    OutcomeUnknown,
    RecordRefused,
    Source,
    Transactor,
    Unavailable,
)
from tests.unit.memory.stage import OUT, P0, join, new_broker, record, values


def processor(broker: MemoryBroker, name: str = "a") -> tuple[MemoryLog, Source, Transactor]:
    log = MemoryLog(broker, name)
    source, _ = join(log, name)
    source.poll(1, 0)
    transactor = log.transactor(name)
    transactor.open()
    return log, source, transactor


def position(broker: MemoryBroker) -> Committed | None:
    return broker.group("g").positions.decided([P0])[P0]


def crash_with_open_transaction(broker: MemoryBroker, name: str = "dead") -> None:
    """The process dies between staging the records and offsets, and ending the transaction."""
    log, source, transactor = processor(broker, name)
    broker.faults.crash_at(name, log.process.calls + 3)
    with pytest.raises(ProcessCrashed):
        transactor.commit([record("torn", "out")], {P0: Committed(7)}, source)


def test_records_and_offsets_become_visible_together() -> None:
    """After a commit both are there."""
    broker = new_broker()
    _, source, transactor = processor(broker)

    transactor.commit([record("x", "out"), record("y", "out")], {P0: Committed(3, "m")}, source)

    assert values(broker.records("out")) == ["x", "y"]
    assert source.committed([P0]) == {P0: Committed(3, "m")}


def test_an_aborted_transaction_leaves_no_trace_but_offsets_in_use() -> None:
    """Readers pass over its records and its marker."""
    broker = new_broker(faults=Faults(rates=Rates(aborted=1)))
    _, source, transactor = processor(broker)

    with pytest.raises(Aborted):
        transactor.commit([record("x", "out")], {P0: Committed(3)}, source)
    broker.faults.calm()
    transactor.commit([record("y", "out")], {P0: Committed(4)}, source)

    assert [(r.offset, r.value) for r in broker.records("out")] == [(2, b"y")]
    assert broker.partition(OUT).end == 4
    assert position(broker) == Committed(4)


def test_a_refused_record_takes_its_whole_transaction_with_it() -> None:
    """Nothing happened, and the next commit works."""
    broker = new_broker()
    _, source, transactor = processor(broker)

    with pytest.raises(RecordRefused):
        transactor.commit([record("x", "out"), record("y", "typo")], {P0: Committed(1)}, source)
    transactor.commit([record("z", "out")], {P0: Committed(2)}, source)

    assert values(broker.records("out")) == ["z"]


def test_nothing_behind_a_pending_transaction_is_visible() -> None:
    """The last stable offset holds plain records back too, until the transaction is decided."""
    clock = VirtualClock()
    broker = new_broker(clock=clock)
    broker.append(record("before", "out"))
    crash_with_open_transaction(broker)
    broker.append(record("behind", "out"))

    assert values(broker.records("out")) == ["before"]
    assert broker.partition(OUT).end == 3
    clock.advance(10_000)
    assert values(broker.records("out")) == ["before", "behind"]


def test_committed_waits_for_the_undecided_and_can_be_read_without() -> None:
    """A takeover learns the dead owner's ids first, fences them, and then knows the position."""
    broker = new_broker()
    crash_with_open_transaction(broker, "dead")
    log = MemoryLog(broker, "heir")
    source, _ = join(log, "heir", group="g")

    with pytest.raises(Unavailable):
        source.committed([P0])
    assert source.committed([P0], stable=False) == {P0: None}
    log.transactor("heir").fence(["dead-0", "dead-1"])

    assert source.committed([P0]) == {P0: None}
    assert broker.partition(OUT).stable_end == broker.partition(OUT).end


def test_a_reader_does_not_end_before_what_was_undecided_when_it_asked() -> None:
    """Reading to the uncommitted end is refused while it is undecided, not cut short."""
    broker = new_broker()
    broker.append(record("before", "out"))
    crash_with_open_transaction(broker)
    reader = MemoryLog(broker, "r").reader()
    batches = reader.read(OUT, 0, reader.end_offset(OUT))

    assert values(next(batches)) == ["before"]
    with pytest.raises(Unavailable):
        next(batches)


def test_who_takes_an_id_fences_its_holder_and_aborts_its_transaction() -> None:
    """The older process cannot commit any more, though it still belongs to the group."""
    broker = new_broker()
    _, source, transactor = processor(broker)
    MemoryLog(broker, "twin").transactor("a").open()

    with pytest.raises(Fenced):
        transactor.commit([record("x", "out")], {P0: Committed(1)}, source)

    assert values(broker.records("out")) == []
    assert position(broker) is None


def test_who_lost_its_session_cannot_commit_though_it_holds_its_ids() -> None:
    """The group's generation fences the zombie, and readers see nothing of it."""
    clock = VirtualClock()
    broker = new_broker(clock=clock)
    log, source, transactor = processor(broker)
    log.pause()
    clock.advance(6_000)
    log.resume()

    with pytest.raises(Fenced):
        transactor.commit([record("x", "out")], {P0: Committed(1)}, source)

    assert values(broker.records("out")) == []
    assert position(broker) is None


@pytest.mark.parametrize(
    ("rates", "applied"),
    [(Rates(unknown_committed=1), True), (Rates(unknown_open=1), False)],
)
def test_an_unknown_outcome_is_either_and_known_after_reopening(
    rates: Rates, applied: bool
) -> None:
    """Reopening decides what was open, and the committed offset then tells which it was."""
    broker = new_broker(faults=Faults(rates=rates))
    _, source, transactor = processor(broker)

    with pytest.raises(OutcomeUnknown):
        transactor.commit([record("x", "out")], {P0: Committed(1)}, source)
    with pytest.raises(AssertionError, match="reopen"):
        transactor.commit([record("y", "out")], {P0: Committed(2)}, source)
    transactor.reopen()

    assert source.committed([P0]) == {P0: Committed(1) if applied else None}
    assert values(broker.records("out")) == (["x"] if applied else [])


@pytest.mark.parametrize("reopened", [True, False])
def test_a_late_commit_counts_unless_the_id_was_taken_before(reopened: bool) -> None:
    """A request still on its way cannot reach past a reopening."""
    clock = VirtualClock()
    broker = new_broker(clock=clock, faults=Faults(rates=Rates(unknown_late=1)))
    _, source, transactor = processor(broker)
    with pytest.raises(OutcomeUnknown):
        transactor.commit([record("x", "out")], {P0: Committed(1)}, source)

    if reopened:
        transactor.reopen()
    clock.advance(5_000)

    assert values(broker.records("out")) == ([] if reopened else ["x"])
    assert position(broker) == (None if reopened else Committed(1))


def test_markers_may_reach_the_offsets_and_the_records_apart() -> None:
    """A committed transaction can be seen by its offsets before its records, or the other way round."""
    seen: set[tuple[bool, bool]] = set()
    for seed in range(20):
        clock = VirtualClock()
        broker = new_broker(clock=clock, faults=Faults(seed, Rates(marker_late=0.7)))
        _, source, transactor = processor(broker)
        transactor.commit([record("x", "out")], {P0: Committed(1)}, source)
        seen.add((bool(broker.records("out")), position(broker) is not None))
        clock.advance(200)
        assert broker.records("out")
        assert position(broker) == Committed(1)

    assert seen == {(False, False), (False, True), (True, False), (True, True)}


def test_a_position_committed_later_is_not_overwritten_by_a_late_marker() -> None:
    """The order of the offsets decides, not that of the markers."""
    clock = VirtualClock()
    faults = Faults(rates=Rates(marker_late=1))
    broker = new_broker(clock=clock, faults=faults)
    _, source, transactor = processor(broker)
    transactor.commit([], {P0: Committed(1)}, source)
    faults.calm()
    transactor.commit([], {P0: Committed(2)}, source)

    clock.advance(1_000)

    assert position(broker) == Committed(2)


def test_an_empty_set_of_offsets_is_our_own_fault() -> None:
    """It would be fenced by nobody."""
    _, source, transactor = processor(new_broker())

    with pytest.raises(AssertionError, match="fenced by nobody"):
        transactor.commit([record("x", "out")], {}, source)


@given(seed=st.integers(0, 10_000), commits=st.integers(1, 12))
def test_records_and_position_never_disagree(seed: int, commits: int) -> None:
    """Whatever becomes of each commit: once all is decided, the position is the number of records visible."""
    clock = VirtualClock()
    rates = Rates(
        aborted=0.2, unknown_committed=0.1, unknown_open=0.1, unknown_late=0.1, marker_late=0.3
    )
    broker = new_broker(clock=clock, faults=Faults(seed, rates))
    _, source, transactor = processor(broker)
    done = 0
    for _ in range(commits):
        try:
            transactor.commit([record(str(done), "out")], {P0: Committed(done + 1)}, source)
        except Aborted:
            pass
        except OutcomeUnknown:
            clock.advance(1_000)
            transactor.reopen()
        found = source.committed([P0])[P0]
        done = found.offset if found else 0

    clock.advance(20_000)

    assert values(broker.records("out")) == [str(n) for n in range(done)]

"""The out-of-order window of one partition."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.worker.taking import begun
from streamflow.worker.taking.window import (
    METADATA_BYTES_MAX,
    TEXT_BYTES_MAX,
    Window,
    decode,
    encode,
)


@dataclass
class History:
    """What happened to a partition: its records' offsets, in order, and which of them were finished."""

    start: int
    offsets: list[int]
    finished: set[int] = field(default_factory=set)

    @property
    def unfinished(self) -> set[int]:
        return set(self.offsets) - self.finished


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Partitions with gaps (transaction markers), some of whose records were finished in any order."""
    start = draw(st.integers(0, 10**12))
    gaps = draw(st.lists(st.integers(1, 4) | st.integers(1, 100_000), max_size=60))
    offsets: list[int] = []
    at = start
    for gap in gaps:
        offsets.append(at)
        at += gap
    finished = draw(st.sets(st.sampled_from(offsets))) if offsets else set[int]()
    return History(start, offsets, finished)


def _worked(history: History) -> Window:
    window = Window(history.start)
    for offset in history.offsets:
        assert window.deliver(offset)
    for offset in history.finished:
        window.finish(offset)
    return window


@given(histories(), st.data())
def test_what_is_opened_again_was_never_finished(history: History, data: st.DataObject) -> None:
    """The window is as it was, with how often the record was begun."""
    window = _worked(history)
    if not history.unfinished:
        return
    offset = data.draw(st.sampled_from(sorted(history.unfinished)))
    window.begin(offset, 2)
    before = window.commit()

    window.finish(offset)
    window.reopen(offset, 2)

    assert window.commit() == before
    assert window.times_begun(offset) == 2


@given(histories(), st.integers(0, 200))
def test_nothing_unfinished_is_ever_committed(history: History, budget: int) -> None:
    """Whatever the budget, a successor is given every record that was not finished."""
    mark, text = _worked(history).commit(budget)

    successor = Window(mark, text)
    given_again = {
        offset for offset in history.offsets if offset >= mark and successor.deliver(offset)
    }

    assert history.unfinished <= given_again
    assert all(offset >= mark for offset in history.unfinished)


@given(histories())
def test_nothing_finished_is_delivered_again_within_the_budget(history: History) -> None:
    """A successor is given exactly the records that were not finished."""
    mark, text = _worked(history).commit()

    successor = Window(mark, text)
    given_again = {
        offset for offset in history.offsets if offset >= mark and successor.deliver(offset)
    }

    assert given_again == history.unfinished


@given(histories(), st.integers(0, 200))
def test_the_text_never_exceeds_its_budget(history: History, budget: int) -> None:
    """The broker never refuses a commit for its metadata."""
    _, text = _worked(history).commit(budget)

    assert len(text.encode()) <= budget


@given(histories(), st.data())
def test_a_chain_of_owners_loses_nothing(history: History, data: st.DataObject) -> None:
    """Owners may follow each other before reading all that their predecessors had finished."""
    mark, text = _worked(history).commit()
    seen: set[int] = set()
    for _ in range(3):
        window = Window(mark, text)
        ahead = [offset for offset in history.offsets if offset >= mark]
        read = data.draw(st.integers(0, len(ahead)))
        taken = [offset for offset in ahead[:read] if window.deliver(offset)]
        done = data.draw(st.sets(st.sampled_from(taken))) if taken else set[int]()
        for offset in done:
            window.finish(offset)
        assert not done & (seen | history.finished)
        seen |= done
        mark, text = window.commit()

    last = Window(mark, text)
    rest = {offset for offset in history.offsets if offset >= mark and last.deliver(offset)}
    assert rest == history.unfinished - seen


@given(histories())
def test_a_window_with_everything_finished_has_nothing_to_add(history: History) -> None:
    """The commit is then the position alone, as any consumer's."""
    history.finished = set(history.offsets)
    window = _worked(history)

    assert window.commit() == (window.position, "")


@given(
    st.text(max_size=50) | st.from_regex(r"1(\.[0-9a-z]{1,3}){1,6}", fullmatch=True),
    st.integers(0, 10**9),
)
def test_any_text_beside_an_offset_is_harmless(text: str, mark: int) -> None:
    """Foreign or damaged metadata never raises and never hides the record at the mark."""
    assert Window(mark, text).deliver(mark)


def test_the_written_form_is_stable() -> None:
    """Workers of different versions read each other's windows, so this text never changes its meaning."""
    window = Window(10)
    for offset in range(10, 50):
        window.deliver(offset)
    for offset in {*range(10, 50)} - {11, 14, 15}:
        window.finish(offset)

    assert window.commit() == (11, "1.1.2.2.y")
    assert decode(11, "1.1.2.2.y") == [(12, 14), (16, 50)]
    assert encode(11, [(12, 14), (16, 50)]) == "1.1.2.2.y"


def test_a_record_is_worked_on_once() -> None:
    """A second delivery of the same record is refused."""
    window = Window(0)

    assert window.deliver(5)
    assert not window.deliver(5)
    window.finish(5)
    assert not window.deliver(5)


def test_a_crowded_window_says_so_before_the_budget_is_spent() -> None:
    """Delivery can be stopped while everything still fits."""
    window = Window(0)
    crowded_at = None
    for offset in range(0, 10_000, 2):
        window.deliver(offset)
        window.deliver(offset + 1)
        window.finish(offset + 1)
        if window.is_crowded():
            crowded_at = offset
            break

    assert crowded_at is not None
    mark, text = window.commit()
    assert len(text) <= TEXT_BYTES_MAX < METADATA_BYTES_MAX
    assert decode(mark, text)[-1][1] == window.position


@pytest.mark.parametrize("slow", [1, 50])
def test_few_slow_records_cost_few_characters(slow: int) -> None:
    """The text grows with what is unfinished, not with what is finished."""
    window = Window(0)
    for offset in range(100_000):
        window.deliver(offset)
        if offset >= slow:
            window.finish(offset)

    assert len(window.commit()[1]) < 12


@given(histories(), st.data())
def test_a_successor_knows_how_often_unfinished_records_were_begun(
    history: History, data: st.DataObject
) -> None:
    """Exactly, while there is room for it; and so does a successor's successor that was delivered less."""
    window = _worked(history)
    times = {offset: data.draw(st.integers(0, 3)) for offset in sorted(history.unfinished)}
    for offset, count in times.items():
        if count:
            window.begin(offset, count)

    successor = Window(*window.commit())
    reached = data.draw(st.integers(0, len(history.offsets)))
    for offset in history.offsets[:reached]:
        successor.deliver(offset)
    last = Window(*successor.commit())
    for offset in history.offsets:
        last.deliver(offset)

    assert {offset: last.times_begun(offset) for offset in times} == times


@given(histories(), st.integers(0, 60))
def test_nothing_is_counted_that_did_not_begin(history: History, budget: int) -> None:
    """What does not fit is counted less, never more."""
    runs = begun.runs_of((offset, 1) for offset in sorted(history.unfinished))

    told = begun.decode(history.start, begun.encode(history.start, runs, budget))

    assert told == runs[: len(told)]


def test_the_text_for_begun_records_stays_within_the_brokers_bound() -> None:
    """However many are begun, and however differently often."""
    window = Window(0)
    for offset in range(0, 4_000, 2):
        window.deliver(offset)
        window.begin(offset, 1 + offset % 7)

    assert len(window.commit()[1]) <= METADATA_BYTES_MAX

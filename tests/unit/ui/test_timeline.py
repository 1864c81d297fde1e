"""The drawing of a run is to scale, whatever happened and when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.ui.steps import Step
from streamflow.ui.timeline import BAR_MIN, LABELS, RIGHT, ROWS_MAX, WIDTH, draw

END = WIDTH - RIGHT


def activity(begun_ms: int, ended_ms: int) -> Step:
    return Step("activity", "pack", "completed", begun_ms, [1], ended_ms)


def test_bars_are_as_long_as_steps_took() -> None:
    """Half of the time is half of the width, and what follows begins where the first ends."""
    first, second = draw([activity(1_000, 2_000), activity(2_000, 3_000)], until_ms=3_000).bars

    half = (END - LABELS) / 2
    assert (first.x, first.width) == (LABELS, half)
    assert (second.x, second.width) == (LABELS + half, half)


def test_what_is_pending_goes_on_to_now() -> None:
    """A timer's bar ends now; beyond that it is dotted."""
    timer = Step("timer", "nap", "pending", 1_000, [1], due_ms=9_000_000)

    [bar] = draw([timer], until_ms=2_000).bars

    assert bar.x + bar.width == END
    assert bar.due_width > 0
    assert "due at 1970-01-01 02:30:00 UTC" in bar.told


def test_only_the_latest_of_very_many_steps_are_drawn() -> None:
    """And the drawing says how many were left out."""
    steps = [activity(number, number + 1) for number in range(ROWS_MAX + 7)]

    drawing = draw(steps, until_ms=2_000)

    assert len(drawing.bars) == ROWS_MAX
    assert drawing.left_out == 7
    assert drawing.bars[-1].step is steps[-1]


@given(
    st.lists(st.tuples(st.integers(1, 10**15), st.integers(1, 10**15)), max_size=20),
    st.integers(1, 10**15),
)
def test_no_bar_leaves_the_drawing(times: list[tuple[int, int]], until_ms: int) -> None:
    """Whatever clocks said: ends before beginnings, and ends after now."""
    drawing = draw([activity(*pair) for pair in times], until_ms=until_ms)

    for bar in drawing.bars:
        assert bar.x >= LABELS - 1
        assert bar.width >= BAR_MIN
        assert bar.x + bar.width <= END + BAR_MIN + 1
        assert bar.y < drawing.height


@pytest.mark.parametrize("steps", [[], [activity(5, 5)]])
def test_a_drawing_of_nothing_is_a_drawing(steps: list[Step]) -> None:
    """No length is no division by zero."""
    assert draw(steps, until_ms=5).height > 0

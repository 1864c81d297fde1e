"""A run's steps as lines of text."""

from __future__ import annotations

from streamflow.cli.workflows.timeline import draw, facts_of
from streamflow.model.failure import Failure, FailureKind
from streamflow.ui.steps import Step

STEPS = [
    Step("start", "Order", "started", 1_000, [1], 1_000),
    Step("activity", "charge", "completed", 1_000, [3, 4], 3_000, attempts=3),
    Step("signal", "picked_up", "received", 6_000, [7], 6_000),
    Step("timer", "rating", "pending", 6_000, [10], due_ms=90_000),
]


def test_bars_are_to_scale() -> None:
    """What took a fifth of the time has a fifth of the width, at its place; what goes on reaches to now."""
    lines = draw(STEPS, until_ms=11_000, width=100)
    start, charge, signal, timer, due = lines

    whole = 100 - len(charge[: charge.index("━")])
    assert start.endswith("┃")
    assert charge.count("━") == (whole - 1) // 5 + 1
    assert charge.index("━") == start.index("┃")
    assert signal.index("┃") == timer.index("┅")
    assert charge.index("━") < signal.index("┃") < charge.index("━") + whole * 3 // 5
    assert len(timer) == 100
    assert "completed, 3x" in charge
    assert "2.0 s" in charge
    assert "due 1970-01-01T00:01:30" in due


def test_a_failure_is_told_below_its_step() -> None:
    """Its first line; no line is wider than what was asked for."""
    failure = Failure(
        kind=FailureKind.APPLICATION, message="no card\nsecond line", type="CardError"
    )
    step = Step("activity", "a" * 80, "failed", 0, [3, 4], 2_000, failure=failure)

    for width in (30, 60, 120):
        lines = draw([step], until_ms=2_000, width=max(width, 70))
        assert [line for line in lines if "no card" in line]
        assert not [line for line in lines if "second line" in line]
        assert max(map(len, lines)) <= max(width, 70)
    assert facts_of(step)["failure"] == "no card\nsecond line"


def test_nothing_happened_is_drawn_as_nothing() -> None:
    """No steps, no lines; all in one millisecond is no division by zero."""
    assert draw([], until_ms=5, width=80) == []
    [line] = draw([Step("timer", "t", "fired", 5, [1], 5)], until_ms=5, width=80)
    assert line.count("━") == 1

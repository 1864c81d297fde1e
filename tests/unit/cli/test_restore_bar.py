"""The bar at the foot of a terminal while workers restore, and what is printed above it meanwhile."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass

import pytest

from streamflow.cli.shared.footer import Footer
from streamflow.cli.shared.restoring import SHOWN_AFTER_S, RestoreBar
from streamflow.model.processes import RestoreProgress


class Terminal(io.StringIO):
    """Remembers what it was sent; `shown` is what is to be seen of it."""

    def isatty(self) -> bool:
        return True

    @property
    def shown(self) -> list[str]:
        """Its lines, those that were erased gone, and no empty last one."""
        lines = [line.rpartition("\r\x1b[2K")[2] for line in self.getvalue().split("\n")]
        return lines if lines[-1] else lines[:-1]


@dataclass
class Watched:
    """A worker that is so far."""

    task_queue: str
    progress: RestoreProgress | None = None

    def restore_progress(self) -> RestoreProgress | None:
        return self.progress


def so_far(read: int, offsets: int = 4_000) -> RestoreProgress:
    return RestoreProgress(partitions=12, restored=0, offsets=offsets, offsets_read=read)


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


class Stage:
    """A bar whose clock is moved by hand, and the workers that it looks at."""

    def __init__(self, terminal: Terminal, *workers: Watched) -> None:
        self.now_s = 100.0
        self.bar = RestoreBar(to=terminal, clock=lambda: self.now_s)
        self._workers = workers

    def look(self, after_s: float = 0.0) -> None:
        self.now_s += after_s
        self.bar.look(self._workers)


def test_a_long_restore_has_a_bar_with_the_time_that_is_left(terminal: Terminal) -> None:
    """Gone with its end."""
    worker = Watched("orders", so_far(0))
    stage = Stage(terminal, worker)
    stage.look()
    worker.progress = so_far(1_000)
    stage.look(after_s=10)

    [line] = terminal.shown
    assert line.startswith("███")
    assert line.endswith("░  restoring orders: 1,000 of 4,000, 30 s left")

    worker.progress = None
    stage.look(after_s=30)
    assert terminal.shown == []


def test_a_short_restore_shows_nothing(terminal: Terminal) -> None:
    """Each is timed from its own beginning."""
    worker = Watched("orders", so_far(10))
    stage = Stage(terminal, worker)
    for _ in range(3):
        worker.progress = so_far(10)
        stage.look(after_s=60)
        stage.look(after_s=SHOWN_AFTER_S - 0.1)
        worker.progress = None
        stage.look()

    assert terminal.getvalue() == ""


def test_several_queues_are_told_in_sum(terminal: Terminal) -> None:
    stage = Stage(
        terminal,
        Watched("orders", so_far(1_000)),
        Watched("mail", so_far(500, offsets=1_000)),
        Watched("idle"),
    )
    stage.look()
    stage.look(after_s=3)

    [line] = terminal.shown
    assert line.endswith("restoring 2 queues: 1,500 of 5,000, 7 s left")


def test_a_restore_that_waits_shows_no_numbers(terminal: Terminal) -> None:
    """For a snapshot, say, where the history has nothing to read."""
    stage = Stage(terminal, Watched("orders", so_far(0, offsets=0)))
    stage.look()
    stage.look(after_s=3)

    assert terminal.shown == ["restoring orders"]


def test_what_is_printed_meanwhile_stands_above_the_line(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logs, and what user code prints, whole lines or not."""
    monkeypatch.setattr(sys, "stdout", terminal)
    footer = Footer(terminal)
    logs = footer.above(terminal)
    footer.show("half done")

    print("event", file=logs)
    sys.stdout.write("by an activity\n")
    assert terminal.shown == ["event", "by an activity", "half done"]

    sys.stdout.write("unfinished ")
    footer.show("nearly done")
    assert terminal.shown == ["event", "by an activity", "unfinished "]
    sys.stdout.write("line\n")
    assert terminal.shown == ["event", "by an activity", "unfinished line", "nearly done"]

    footer.hide()
    assert sys.stdout is terminal
    print("after", file=logs)
    assert terminal.shown == ["event", "by an activity", "unfinished line", "after"]


def test_a_line_that_is_too_long_is_cut(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that wraps could not be erased."""
    monkeypatch.setenv("COLUMNS", "20")
    footer = Footer(terminal)

    footer.show("x" * 30)

    assert terminal.shown == ["x" * 19]
    footer.hide()

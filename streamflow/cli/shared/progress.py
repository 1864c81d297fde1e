"""How far long work has come, on stderr: a bar with the time that is left on a terminal, else a line now and then."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

REDRAW_S = 0.1
HEARTBEAT_S = 10.0
"""Where there is no terminal: work that takes less says nothing."""
_BAR_MAX = 30


class Progress:
    """Counts what is done; used as a context, so that its line is ended whatever happens.

    ``total`` of ``None`` is not known, so there is no bar and no time that is left.
    """

    def __init__(
        self,
        what: str,
        total: int | None = None,
        *,
        to: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.what = what
        self.total = total
        self.done = 0
        self._to = sys.stderr if to is None else to
        self._clock = clock
        self._begun_s = clock()
        self._terminal = self._to.isatty()
        self._said_s = self._begun_s

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._terminal and self.done:
            self._draw()
            print(file=self._to)

    def add(self, count: int = 1) -> None:
        """So many more are done."""
        self.reach(self.done + count)

    def reach(self, done: int, total: int | None = None) -> None:
        """So many are done now, of so many, if that is news."""
        self.done = done
        self.total = self.total if total is None else total
        now_s = self._clock()
        if now_s - self._said_s < (REDRAW_S if self._terminal else HEARTBEAT_S):
            return
        self._said_s = now_s
        if self._terminal:
            self._draw()
        else:
            print(self._told(), file=self._to, flush=True)

    def _draw(self) -> None:
        # Back to the line's start, and away with what was longer before.
        line = with_bar(self._told(), self.done, self.total)
        print(f"\r\x1b[2K{line}", end="", file=self._to, flush=True)

    def _told(self) -> str:
        return told(self.what, self.done, self.total, self._clock() - self._begun_s)


def told(what: str, done: int, total: int | None, elapsed_s: float) -> str:
    """How far it is, and how long it still takes at this pace."""
    if not total:
        return f"{what}: {done:,} in {_time(elapsed_s)}"
    text = f"{what}: {done:,} of {total:,}"
    if done >= total:
        return f"{text} in {_time(elapsed_s)}"
    if not done:
        return text
    return f"{text}, {_time(elapsed_s / done * (total - done))} left"


def with_bar(text: str, done: int, total: int | None) -> str:
    """The text behind a bar, where a terminal's line has room for one."""
    room = shutil.get_terminal_size().columns - len(text) - 4
    if not total or room < 10:
        return text
    width = min(room, _BAR_MAX)
    full = width * min(done, total) // total
    return f"{'█' * full}{'░' * (width - full)}  {text}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

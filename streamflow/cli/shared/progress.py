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
        told = self._told()
        room = shutil.get_terminal_size().columns - len(told) - 4
        if self.total and room >= 10:
            width = min(room, _BAR_MAX)
            full = width * min(self.done, self.total) // self.total
            told = f"{'█' * full}{'░' * (width - full)}  {told}"
        # Back to the line's start, and away with what was longer before.
        print(f"\r\x1b[2K{told}", end="", file=self._to, flush=True)

    def _told(self) -> str:
        elapsed_s = self._clock() - self._begun_s
        if not self.total:
            return f"{self.what}: {self.done:,} in {_time(elapsed_s)}"
        told = f"{self.what}: {self.done:,} of {self.total:,}"
        if self.done >= self.total:
            return f"{told} in {_time(elapsed_s)}"
        if not self.done:
            return told
        return f"{told}, {_time(elapsed_s / self.done * (self.total - self.done))} left"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

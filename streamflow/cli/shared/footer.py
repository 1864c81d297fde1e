"""One line at the foot of a terminal that stays there while other lines go by above it, until it is taken away."""

from __future__ import annotations

import shutil
import sys
import threading
from typing import Any, TextIO, cast

_ERASE = "\r\x1b[2K"


class Footer:
    """Of one terminal. From any thread. What is printed meanwhile goes through `above`, or it would end up in the line;
    `sys.stdout` and `sys.stderr` do so by themselves while there is a line."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._lock = threading.RLock()
        self._line = ""
        self._drawn = False
        self._at_start = True
        """Whether whoever printed last has ended the line."""
        self._replaced: list[tuple[str, TextIO, TextIO]] = []
        """Streams of `sys` by their names, with what was there before and what is there now."""

    def above(self, stream: TextIO) -> TextIO:
        """The stream for those who print to the same terminal."""
        return cast("TextIO", _Above(stream, self))

    def show(self, line: str) -> None:
        """In place of the line before. As much of it as there is room for."""
        with self._lock:
            self._replace_streams()
            self._line = line[: shutil.get_terminal_size().columns - 1]
            self._draw()

    def hide(self) -> None:
        with self._lock:
            self._erase()
            self._line = ""
            for name, before, now in self._replaced:
                if getattr(sys, name) is now:  # who has put something else there since keeps it
                    setattr(sys, name, before)
            self._replaced.clear()

    def write(self, stream: TextIO, text: str) -> int:
        """Prints text above the line."""
        with self._lock:
            self._erase()
            written = stream.write(text)
            if text:
                self._at_start = text.endswith("\n")
            if self._line and self._at_start:
                stream.flush()
                self._draw()
            return written

    def _replace_streams(self) -> None:
        for name in ("stdout", "stderr"):
            before: TextIO = getattr(sys, name)
            if not self._line and before.isatty():
                now = self.above(before)
                setattr(sys, name, now)
                self._replaced.append((name, before, now))

    def _draw(self) -> None:
        if self._line and self._at_start:
            self._terminal.write(_ERASE + self._line)
            self._terminal.flush()
            self._drawn = True

    def _erase(self) -> None:
        if self._drawn:
            self._terminal.write(_ERASE)
            self._terminal.flush()
            self._drawn = False


class _Above:
    """A stream whose text appears above the footer; in all else the stream itself."""

    def __init__(self, stream: TextIO, footer: Footer) -> None:
        self._stream = stream
        self._footer = footer

    def write(self, text: str) -> int:
        return self._footer.write(self._stream, text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

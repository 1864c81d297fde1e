"""One process per folder: a locked file that says who holds it. What a folder is for is its owner's business.

The lock is POSIX's, which a forked child does not inherit: a pool of processes that outlives its killed parent must
not keep the folder. Such locks belong to the process, so a second taker *within* it is noticed by a set of paths, and
the file is never opened twice (closing any handle of it would drop the lock).
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

OWNER_FILE = "owner.json"

_mine: set[Path] = set()
_mine_lock = threading.Lock()


class FolderTaken(Exception):
    """The folder is held; ``holder`` is what its holder wrote about itself (at least ``pid``, if it got that far)."""

    def __init__(self, folder: Path, holder: dict[str, object]) -> None:
        super().__init__(f"Expected {folder} to be free, found it held by {holder}")
        self.folder = folder
        self.holder = holder


class FolderLock:
    """Holds a folder until `release` or the end of the process, however that comes."""

    def __init__(self, folder: Path, **about: object) -> None:
        """Takes the folder, creating it if need be.

        Raises:
            FolderTaken: someone else has it.
            OSError: the disk does not take who holds it, as when it is full. The folder is free then.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder.resolve() / OWNER_FILE
        self._about: dict[str, object] = {"pid": os.getpid(), **about}
        with _mine_lock:
            if self.path in _mine:
                raise FolderTaken(folder, {**self._about, "pid": os.getpid()})
            self._file = _locked(folder, self.path)
            _mine.add(self.path)
        try:
            self.describe()
        except BaseException:
            # What the disk has not taken it does not take at the end either.
            with suppress(OSError):
                self.release()
            raise

    def describe(self, **about: object) -> None:
        """Adds to what others are told about the holder."""
        self._about.update(about)
        self._file.seek(0)
        self._file.truncate()
        json.dump(self._about, self._file)
        self._file.flush()

    def release(self) -> None:
        with _mine_lock:
            if self.path in _mine:
                _mine.remove(self.path)
                self._file.close()


def _locked(folder: Path, path: Path) -> IO[str]:
    file = path.open("a+", encoding="utf-8")
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = _parsed(file.read())
        file.close()
        raise FolderTaken(folder, holder) from None
    return file


def _parsed(text: str) -> dict[str, object]:
    """Empty when the holder was seen between taking the lock and saying who it is."""
    try:
        holder: object = json.loads(text)
    except ValueError:
        return {}
    return {str(k): v for k, v in holder.items()} if isinstance(holder, dict) else {}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]

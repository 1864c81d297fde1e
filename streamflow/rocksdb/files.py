"""A store's files outside of it: linked by a checkpoint on their way out, or staged on their way in.

Both lie beside the store's folder, on its file system, so that linking and renaming are enough. What a dead process left of
them goes when the folder is taken.
"""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path

_MARK = ".passing-"
"""In names of folders that are no stores. A store's own name is quoted, and has none."""
_numbers = itertools.count()


def beside(folder: Path, what: str) -> Path:
    """A name next to the store's folder that no other checkpoint or staging of this process has."""
    return folder.with_name(f"{folder.name}{_MARK}{what}-{next(_numbers)}")


def passing(folder: Path) -> bool:
    return _MARK in folder.name


class FilesOfStore:
    """A `Checkpoint`."""

    def __init__(self, folder: Path, format: str) -> None:
        self._folder = folder
        self.format = format

    def names(self) -> list[str]:
        return sorted(path.name for path in self._folder.iterdir())

    def read(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


class StagedFiles:
    """A `Staged`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, data: bytes) -> None:
        plain = "/" not in name and name.strip(".")
        assert plain, f"Expected a file's name, found {name!r}"
        self._folder.mkdir(parents=True, exist_ok=True)
        # Not synced: a store that was cut short is rebuilt, as any other.
        (self._folder / name).write_bytes(data)

    def discard(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def become(self, folder: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        os.replace(self._folder, folder)

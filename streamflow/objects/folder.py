"""Objects as files of a folder: one machine's disk, or one that several share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from streamflow.ports import ObjectsUnavailable
from streamflow.whole_file import DRAFT_PREFIX, write_whole


class FolderObjects:
    """An `Objects`. The folder is made with the first object."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)

    def __repr__(self) -> str:
        return f"FolderObjects({str(self._folder)!r})"

    def put(self, name: str, data: bytes) -> None:
        try:
            write_whole(self._path(name), data)
        except OSError as error:
            raise ObjectsUnavailable(
                f"Expected to write {name} in {self._folder}: {error}"
            ) from error

    def get(self, name: str) -> bytes | None:
        try:
            return self._path(name).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise ObjectsUnavailable(
                f"Expected to read {name} in {self._folder}: {error}"
            ) from error

    def names(self, prefix: str) -> list[str]:
        # Only the folder that the prefix names is walked: a bucket of many queues is large.
        top = self._path(prefix.rpartition("/")[0]) if "/" in prefix else self._folder
        found: list[str] = []
        try:
            for folder, _, files in os.walk(top, onerror=_raise_unless_missing):
                inside = Path(folder).relative_to(self._folder).as_posix()
                before = "" if inside == "." else inside + "/"
                found += [before + file for file in files if not file.startswith(DRAFT_PREFIX)]
        except OSError as error:
            raise ObjectsUnavailable(f"Expected to list {self._folder}: {error}") from error
        return sorted(name for name in found if name.startswith(prefix))

    def delete(self, names: Sequence[str]) -> None:
        for name in names:
            try:
                self._path(name).unlink(missing_ok=True)
            except OSError as error:
                raise ObjectsUnavailable(
                    f"Expected to remove {name} from {self._folder}: {error}"
                ) from error

    def _path(self, name: str) -> Path:
        parts = name.split("/")
        assert all(part.strip(".") for part in parts), f"Expected an object's name, found {name!r}"
        return self._folder.joinpath(*parts)


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error

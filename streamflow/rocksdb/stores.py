"""All stores of one processor: one locked folder, one memory budget. What a store is for is its opener's business."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from urllib.parse import quote

from streamflow.folder_lock import FolderLock, FolderTaken
from streamflow.observability import get_logger
from streamflow.ports import Staged, Store, StoreTaken
from streamflow.rocksdb.files import StagedFiles, beside, passing
from streamflow.rocksdb.options import StoreBudget, StoreOptions
from streamflow.rocksdb.store import FORMAT, RocksStore

_log = get_logger("rocksdb")

LOG_ID_FILE = "log-id"
OPENING = ".opening"
"""Beside a store's folder while it is being opened."""


class RocksStores:
    """A `Stores`. The folder is taken at the first `open` or `drop` and held until `close`."""

    def __init__(
        self,
        folder: Path | str,
        *,
        name: str = "",
        log_id: str = "",
        budget: StoreBudget | None = None,
    ) -> None:
        """``name`` is what another process is told about who has the folder.

        ``log_id`` is which log the stores are a cache of. Stores of another log are dropped when the folder is taken:
        positions in a cluster that was made anew look just like those in the old one.
        """
        self._folder = Path(folder)
        self._log_id = log_id
        self._name = name
        self._options = StoreOptions(budget or StoreBudget())
        self._open: dict[str, RocksStore] = {}
        self._lock: FolderLock | None = None
        self._taking = threading.Lock()
        """A processor and its standby open stores on threads of their own."""

    def open(self, name: str) -> Store:
        self._take()
        assert name not in self._open, f"Store {name!r} is open"
        # RocksDB can loop for ever over a damaged file, holding the GIL, so that only whoever watches this process can end it. A
        # mark tells the next process, which would do the same.
        folder = self._path(name)
        mark = folder.with_name(folder.name + OPENING)
        if mark.exists():
            _log.warning("store_never_opened", folder=str(folder))
            shutil.rmtree(folder, ignore_errors=True)
        mark.touch()
        try:
            store = _Owned(folder, self._options, self._open, name)
        finally:
            mark.unlink(missing_ok=True)
        self._open[name] = store
        return store

    def drop(self, name: str) -> None:
        """Removes the store's files, closing it first if it is open."""
        self._take()
        if (store := self._open.get(name)) is not None:
            store.close()
        shutil.rmtree(self._path(name), ignore_errors=True)

    def format(self) -> str:
        return FORMAT.decode()

    def stage(self, name: str) -> Staged:
        self._take()
        return StagedFiles(beside(self._path(name), "staged"))

    def adopt(self, name: str, staged: Staged) -> None:
        assert isinstance(staged, StagedFiles), staged
        assert name not in self._open, f"Store {name!r} is open"
        shutil.rmtree(self._path(name), ignore_errors=True)
        staged.become(self._path(name))

    def close(self) -> None:
        for store in list(self._open.values()):
            store.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _take(self) -> None:
        with self._taking:
            if self._lock is None:
                self._take_folder()

    def _take_folder(self) -> None:
        try:
            lock = FolderLock(self._folder, name=self._name)
        except FolderTaken as taken:
            raise StoreTaken(_message(self._folder, taken.holder)) from None
        try:
            self._clear()
        except BaseException:
            lock.release()  # who tries again clears again: another log's stores must not be taken for ours
            raise
        self._lock = lock

    def _clear(self) -> None:
        for left in self._folder.iterdir():
            if passing(left):
                shutil.rmtree(left, ignore_errors=True)
        if self._log_id:
            self._keep_only_ours()

    def _keep_only_ours(self) -> None:
        """The id is written after the others' stores are gone: an interruption begins anew."""
        file = self._folder / LOG_ID_FILE
        found = file.read_text(encoding="utf-8") if file.exists() else ""
        if found == self._log_id:
            return
        for store in self._folder.iterdir():
            if store.is_dir():
                shutil.rmtree(store)
        draft = file.with_suffix(".draft")
        draft.write_text(self._log_id, encoding="utf-8")
        draft.replace(file)

    def _path(self, name: str) -> Path:
        return self._folder / quote(name, safe="")


class _Owned(RocksStore):
    """A store that strikes itself off its owner's list when it is closed."""

    def __init__(
        self, folder: Path, options: StoreOptions, opened: dict[str, RocksStore], name: str
    ) -> None:
        super().__init__(folder, options)
        self._opened = opened
        self._name = name

    def close(self) -> None:
        if self._opened.pop(self._name, None) is not None:
            super().close()


def _message(folder: Path, holder: dict[str, object]) -> str:
    name = f" ({holder['name']})" if holder.get("name") else ""
    return (
        f"Expected the state folder {folder} to be free, found it held by process "
        f"{holder.get('pid', 'unknown')}{name}. End that process, or give this one another name or state folder."
    )

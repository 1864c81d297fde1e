"""An open log folder: what all connections of this process to one DIR share.

DIR/owner.json    who has the folder: pid, and the HTTP address once announced
DIR/log/          the database
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from streamflow.embedded.database import PositionKey, open_database, position_key, rows
from streamflow.embedded.flusher import Flusher
from streamflow.embedded.journal import Journal
from streamflow.embedded.reading import Shelf
from streamflow.embedded.topics import Topics
from streamflow.embedded.upkeep import Upkeep
from streamflow.embedded.writing import Epochs
from streamflow.folder_lock import FolderLock, FolderTaken
from streamflow.memory.groups import Cancellable, Group
from streamflow.ports import Committed, StoreTaken, TopicPartition
from streamflow.threads import Delays, SystemClock


class OpenFolder:
    """Opened by the first `enter`, closed by the last `leave`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.uses = 0
        try:
            self._lock = FolderLock(path)
        except FolderTaken as taken:
            raise StoreTaken(_message(path, taken.holder)) from None
        try:
            self._open()
        except BaseException:
            self._lock.release()
            raise

    def _open(self) -> None:
        self.clock = SystemClock()
        self.db = open_database(self.path / "log")
        self.journal = Journal(self.db)
        self.topics = Topics(self.db, self.journal)
        self.groups: dict[str, Group] = {}
        self.epochs: Epochs = {}
        self._read_positions()
        self.shelf = Shelf(self.db, self.journal)
        self.flusher = Flusher(self.journal)
        self.delays = Delays()
        self.upkeep = Upkeep(self.db, self.journal, self.topics, self.groups)

    def announce(self, address: str) -> None:
        self._lock.describe(address=address)

    def group(self, name: str) -> Group:
        """With the journal's lock held."""
        found = self.groups.get(name)
        if found is None:
            # Sessions cannot run out: a member ends with its machine, and that is known at once.
            found = Group(name, timers=_NoSessions(), partitions_of=self.topics.partitions_of)
            self.groups[name] = found
        return found

    def delete_topics(self, names: Sequence[str]) -> None:
        """With their records and the groups' positions in them; durable when it returns."""
        self.journal.settle()
        with self.journal.lock:
            gone = self.topics.delete(names)
            for group in self.groups.values():
                for partition in group.forget_topics(gone):
                    self.journal.delete(position_key(group.name, *partition))
        self.journal.settle()

    def close(self) -> None:
        self.delays.close()
        self.upkeep.close()
        self.flusher.close()
        self.journal.close()
        self.db.close()
        self._lock.release()

    def _read_positions(self) -> None:
        for key, value in rows(self.db, b"g", b"h"):
            at = msgspec.msgpack.decode(key[1:], type=PositionKey)
            offset, metadata = msgspec.msgpack.decode(value, type=tuple[int, str])
            position = {TopicPartition(at.topic, at.partition): Committed(offset, metadata)}
            self.group(at.group).positions.commit(position)


_open: dict[Path, OpenFolder] = {}
_open_lock = threading.Lock()


def enter(path: Path) -> OpenFolder:
    """The folder, opened if this process has not done so. Raises `StoreTaken` if another process has it."""
    path = path.expanduser().resolve()
    with _open_lock:
        folder = _open.get(path)
        if folder is None:
            folder = _open[path] = OpenFolder(path)
        folder.uses += 1
        return folder


def leave(folder: OpenFolder) -> None:
    with _open_lock:
        folder.uses -= 1
        if folder.uses == 0:
            del _open[folder.path]
            folder.close()


class _NoSessions:
    """The `Timers` of a group whose members are never silent."""

    def now_ms(self) -> int:
        raise AssertionError("no session runs here")

    def call_at(self, due_ms: int, call: Callable[[], None], /) -> Cancellable:
        raise AssertionError("no session runs here")


def _message(path: Path, holder: dict[str, object]) -> str:
    address = holder.get("address")
    advice = (
        f"Connect to it at {address}, or end it"
        if address
        else "End that process, or give this one another folder"
    )
    return (
        f"Expected the embedded log {path} to be free, found it open in process {holder.get('pid', 'unknown')}"
        f"{f' at {address}' if address else ''}. {advice}: an embedded log serves one process."
    )

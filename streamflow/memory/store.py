"""Local state in memory, ordered by key. `MemoryStores` stands for the disk: keep it, and it outlives a crash."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from typing import Final

import msgspec

from streamflow.ports import (
    Checkpoint,
    Staged,
    Store,
    StoreCorrupted,
    StoreTaken,
    StoreUnwritable,
    WriteBatch,
)

FORMAT: Final = "memory-1"
ROWS: Final = "rows"
"""The one file of a checkpoint."""

# How many of the last batches can be lost in a crash; older ones count as synced.
_UNSYNCED_MAX: Final = 1_000

_Change = tuple[bytes, bytes | None]


class _Rows:
    """The rows of one store as the disk has them, with how to undo the last batches."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.keys: list[bytes] = []
        self.damage: bytes | None = None
        """Rows whose keys begin with it cannot be read."""
        self.open_by: MemoryStore | None = None
        self._undo: deque[list[_Change]] = deque(maxlen=_UNSYNCED_MAX)

    def change(self, changes: list[_Change]) -> None:
        self._undo.append([(key, self._set(key, value)) for key, value in changes])

    def undo(self) -> None:
        """Loses the last batch."""
        if self._undo:
            for key, value in reversed(self._undo.pop()):
                self._set(key, value)

    def between(self, start: bytes, end: bytes) -> list[bytes]:
        return self.keys[bisect_left(self.keys, start) : bisect_left(self.keys, end)]

    def clear(self) -> None:
        self.values.clear()
        self.keys.clear()
        self._undo.clear()
        self.damage = None

    def _set(self, key: bytes, value: bytes | None) -> bytes | None:
        """Returns the value before."""
        before = self.values.get(key)
        if value is not None:
            if before is None:
                insort(self.keys, key)
            self.values[key] = value
        elif before is not None:
            del self.values[key]
            del self.keys[bisect_left(self.keys, key)]
        return before


class MemoryBatch:
    """Changes in the order given; a range is resolved when the batch is written."""

    def __init__(self) -> None:
        self.steps: list[_Change | tuple[bytes, bytes, None]] = []

    def put(self, key: bytes, value: bytes) -> None:
        self.steps.append((key, value))

    def delete(self, key: bytes) -> None:
        self.steps.append((key, None))

    def delete_range(self, start: bytes, end: bytes) -> None:
        self.steps.append((start, end, None))


class MemoryStore:
    """An open store."""

    def __init__(self, name: str, rows: _Rows, disk: MemoryStores) -> None:
        self._name = name
        self._rows = rows
        self._on = disk

    def get(self, key: bytes) -> bytes | None:
        return self._checked(key).values.get(key)

    def scan(
        self, start: bytes, end: bytes, *, limit: int | None = None
    ) -> list[tuple[bytes, bytes]]:
        rows = self._checked(start, end)
        return [(key, rows.values[key]) for key in rows.between(start, end)[:limit]]

    def scan_back(
        self, start: bytes, end: bytes, *, limit: int | None = None
    ) -> list[tuple[bytes, bytes]]:
        rows = self._checked(start, end)
        return [(key, rows.values[key]) for key in rows.between(start, end)[::-1][:limit]]

    def batch(self) -> MemoryBatch:
        return MemoryBatch()

    def write(self, batch: WriteBatch) -> None:
        assert isinstance(batch, MemoryBatch), "Expected a batch of this store"
        rows = self._checked()
        self._on.check_room(self._name)
        changes: dict[bytes, bytes | None] = {}
        for step in batch.steps:
            if len(step) == 2:
                changes[step[0]] = step[1]
                continue
            start, end, _ = step
            changes.update(dict.fromkeys(rows.between(start, end)))
            changes.update({key: None for key in changes if start <= key < end})
        rows.change(list(changes.items()))

    def checkpoint(self) -> Checkpoint:
        rows = self._checked()
        pairs = [(key, rows.values[key]) for key in rows.keys]
        return MemoryCheckpoint(msgspec.msgpack.encode(pairs))

    def clear(self) -> None:
        self._held().clear()

    def close(self) -> None:
        if self._rows.open_by is self:
            self._rows.open_by = None

    def _held(self) -> _Rows:
        assert self._rows.open_by is self, (
            f"Expected store {self._name!r} to be open, found it closed"
        )
        return self._rows

    def _checked(self, start: bytes = b"", end: bytes = b"") -> _Rows:
        """The rows, if those from ``start`` on can be read. Without an ``end`` it is about one row, or none."""
        rows = self._held()
        if rows.damage is not None and (start.startswith(rows.damage) or start < rows.damage < end):
            raise StoreCorrupted(
                f"Expected store {self._name!r} to be whole, found damage; drop it and restore from the log"
            )
        return rows


class MemoryCheckpoint:
    """All rows as one file."""

    format = FORMAT

    def __init__(self, rows: bytes) -> None:
        self._rows = rows

    def names(self) -> list[str]:
        return [ROWS]

    def read(self, name: str) -> bytes:
        if name != ROWS:
            raise FileNotFoundError(name)
        return self._rows

    def close(self) -> None: ...


class MemoryStaged:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def put(self, name: str, data: bytes) -> None:
        self.files[name] = data

    def discard(self) -> None:
        self.files.clear()


class MemoryStores:
    """The stores of one process."""

    def __init__(self) -> None:
        self._disk: dict[str, _Rows] = {}
        self.full = False
        """Whether the disk takes nothing more. Changed by tests."""

    def open(self, name: str) -> Store:
        rows = self._disk.setdefault(name, _Rows())
        if rows.open_by is not None:
            raise StoreTaken(f"Expected store {name!r} to be free, found it open; close it first")
        self.check_room(name)
        rows.open_by = store = MemoryStore(name, rows, self)
        return store

    def drop(self, name: str) -> None:
        self._disk.pop(name, None)

    def format(self) -> str:
        return FORMAT

    def stage(self, name: str) -> Staged:
        return MemoryStaged()

    def adopt(self, name: str, staged: Staged) -> None:
        assert isinstance(staged, MemoryStaged), "Expected what `stage` gave"
        assert self._disk.setdefault(name, _Rows()).open_by is None, f"Store {name!r} is open"
        rows = self._disk[name] = _Rows()
        try:
            pairs = msgspec.msgpack.decode(staged.files[ROWS], type=list[tuple[bytes, bytes]])
        except (KeyError, msgspec.DecodeError):
            rows.damage = b""
        else:
            rows.change(list(pairs))

    def close(self) -> None:
        for rows in self._disk.values():
            rows.open_by = None

    def check_room(self, name: str) -> None:
        if self.full:
            raise StoreUnwritable(f"Expected room for store {name!r}, found the disk full")

    # What a test does to the disk:

    def crash(self, *, batches_lost: int = 0) -> None:
        """The process is gone: its stores are free to open, without the last ``batches_lost`` batches of each."""
        self.close()
        for rows in self._disk.values():
            for _ in range(batches_lost):
                rows.undo()

    def corrupt(self, name: str, prefix: bytes = b"") -> None:
        """Every use of this store's rows that begin so raises `StoreCorrupted` until it is cleared or dropped. Default: every
        use of the store."""
        self._disk[name].damage = prefix

    def names(self) -> list[str]:
        return sorted(self._disk)

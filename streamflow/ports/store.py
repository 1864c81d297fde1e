"""Local state: a disposable cache of the log."""

from __future__ import annotations

from typing import Protocol


class WriteBatch(Protocol):
    """Changes that become visible together."""

    def put(self, key: bytes, value: bytes) -> None: ...

    def delete(self, key: bytes) -> None: ...

    def delete_range(self, start: bytes, end: bytes) -> None:
        """Every key from ``start`` (inclusive) to ``end`` (exclusive)."""
        ...


class Checkpoint(Protocol):
    """A store's rows at one moment, as files: they stay as they are while the store goes on. Usable on another thread."""

    @property
    def format(self) -> str:
        """What must be able to read the files; another one is never adopted."""
        ...

    def names(self) -> list[str]: ...

    def read(self, name: str) -> bytes:
        """One whole file; a store keeps each within some 64 MiB. Raises OSError."""
        ...

    def close(self) -> None:
        """Removes the files. May be called again."""
        ...


class Staged(Protocol):
    """Files on their way into a store. Usable on another thread; `Stores.adopt` ends it, or `discard`."""

    def put(self, name: str, data: bytes) -> None:
        """Raises OSError."""
        ...

    def discard(self) -> None: ...


class Store(Protocol):
    """Ordered key-value state of one partition: a disposable cache of its log. Owned by one thread.

    Raises `StoreCorrupted` from any method that meets damage, iteration included, and `StoreUnwritable` where the disk takes
    nothing more.
    """

    def get(self, key: bytes) -> bytes | None: ...

    def scan(
        self, start: bytes, end: bytes, *, limit: int | None = None
    ) -> list[tuple[bytes, bytes]]:
        """Rows from ``start`` (inclusive) to ``end`` (exclusive), in key order."""
        ...

    def scan_back(
        self, start: bytes, end: bytes, *, limit: int | None = None
    ) -> list[tuple[bytes, bytes]]:
        """The same rows in reverse key order."""
        ...

    def batch(self) -> WriteBatch: ...

    def write(self, batch: WriteBatch) -> None: ...

    def clear(self) -> None:
        """Drops every row; the store is then as new."""
        ...

    def checkpoint(self) -> Checkpoint:
        """What is in it now. Close it: until then its files take room on the disk."""
        ...

    def close(self) -> None: ...


class Stores(Protocol):
    """Opens the store of each partition, in one folder and with one memory budget."""

    def open(self, name: str) -> Store:
        """Raises `StoreTaken` if another process has the folder."""
        ...

    def drop(self, name: str) -> None: ...

    def format(self) -> str:
        """As `Checkpoint.format`: of the files that `adopt` takes."""
        ...

    def stage(self, name: str) -> Staged:
        """Begins to take in the files of a checkpoint, beside the store, which may be open."""
        ...

    def adopt(self, name: str, staged: Staged) -> None:
        """The staged files take the place of the store, which must be closed. `open` then says if they are damaged."""
        ...

    def close(self) -> None: ...

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


class Store(Protocol):
    """Ordered key-value state of one partition: a disposable cache of its log. Owned by one thread.

    Raises `StoreCorrupted` from any method that meets damage, iteration included.
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

    def close(self) -> None: ...


class Stores(Protocol):
    """Opens the store of each partition, in one folder and with one memory budget."""

    def open(self, name: str) -> Store:
        """Raises `StoreTaken` if another process has the folder."""
        ...

    def drop(self, name: str) -> None: ...

    def close(self) -> None: ...

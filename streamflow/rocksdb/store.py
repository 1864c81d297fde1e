"""One partition's rows in one RocksDB: the `Store` port.

Writes are never synced. A store is rebuilt from its log after a lost tail, and a synced write would hold the GIL through
the fsync. This class owns every handle of its database; an iterator that outlives `close` would keep RocksDB's lock.

The empty key is ours: it holds the format version. Users' keys and ranges are never empty.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import cast

from rocksdict import Checkpoint as RocksCheckpoint
from rocksdict import Rdict, RdictIter, ReadOptions
from rocksdict import WriteBatch as RocksBatch

from streamflow.observability import get_logger
from streamflow.ports import Checkpoint, StoreCorrupted, StoreUnwritable, WriteBatch
from streamflow.rocksdb.files import FilesOfStore, beside
from streamflow.rocksdb.options import StoreOptions

_log = get_logger("rocksdb")

FORMAT_KEY = b""
FORMAT = b"streamflow-store-1"
FIRST_KEY = b"\x00"
"""The lowest key there can be after the empty one."""

_DAMAGE = ("Corruption", "No such file", "Invalid argument", "does not exist")


class RocksStore:
    """A `Store`. Opened by `RocksStores`."""

    def __init__(self, folder: Path, options: StoreOptions) -> None:
        self._folder = folder
        self._options = options
        self._db = _opened(folder, options)

    def get(self, key: bytes) -> bytes | None:
        try:
            value: bytes | None = self._db.get(key)
        except Exception as error:
            raise translated(error, self._folder) from error
        return value

    def scan(
        self, start: bytes, end: bytes, *, limit: int | None = None
    ) -> list[tuple[bytes, bytes]]:
        rows: list[tuple[bytes, bytes]] = []
        left = -1 if limit is None else limit
        iterator = self._iterator_below(end)
        try:
            iterator.seek(start or FIRST_KEY)
            while left and iterator.valid():
                rows.append((iterator.key(), iterator.value()))
                iterator.next()
                left -= 1
            # A damaged file ends the iteration like the end of the rows does; only the status tells.
            iterator.status()
        except Exception as error:
            raise translated(error, self._folder) from error
        finally:
            del iterator  # else the traceback of an error would keep it, and with it the lock
        return rows

    def scan_back(
        self, start: bytes, end: bytes, *, limit: int | None = None
    ) -> list[tuple[bytes, bytes]]:
        rows: list[tuple[bytes, bytes]] = []
        left = -1 if limit is None else limit
        first = start or FIRST_KEY
        iterator = self._iterator_below(end)
        try:
            iterator.seek_to_last()
            while left and iterator.valid() and (key := iterator.key()) >= first:
                rows.append((key, iterator.value()))
                iterator.prev()
                left -= 1
            iterator.status()
        except Exception as error:
            raise translated(error, self._folder) from error
        finally:
            del iterator
        return rows

    def batch(self) -> WriteBatch:
        # The same calls under the same names; only a parameter's name differs.
        return cast(WriteBatch, RocksBatch(raw_mode=True))

    def write(self, batch: WriteBatch) -> None:
        assert isinstance(batch, RocksBatch), batch
        try:
            self._db.write(batch)
        except Exception as error:
            raise translated(error, self._folder) from error

    def checkpoint(self) -> Checkpoint:
        """Links to its files, after what is in memory was written: at most a memtable, so some milliseconds."""
        copy = beside(self._folder, "checkpoint")
        taking = RocksCheckpoint(self._db)
        try:
            taking.create_checkpoint(str(copy))
        except Exception as error:
            raise translated(error, self._folder) from error
        finally:
            del taking  # else the traceback of an error would keep it, and with it the lock
        return FilesOfStore(copy, FORMAT.decode())

    def clear(self) -> None:
        _let_go(self._db, self._folder)
        shutil.rmtree(self._folder)
        self._db = _opened(self._folder, self._options)

    def close(self) -> None:
        _let_go(self._db, self._folder)

    def _iterator_below(self, end: bytes) -> RdictIter:
        """Bounded above only: rocksdict's lower bound sets the upper one (0.3.29)."""
        bounds = ReadOptions()
        bounds.set_iterate_upper_bound(end)
        try:
            return self._db.iter(bounds)
        except Exception as error:
            raise translated(error, self._folder) from error


def translated(error: Exception, folder: Path) -> Exception:
    """What RocksDB said, as `StoreCorrupted` if the rows cannot be trusted, else `StoreUnwritable` (a full disk, say)."""
    message = f"{folder}: {error}"
    if any(sign in str(error) for sign in _DAMAGE):
        return StoreCorrupted(message)
    return StoreUnwritable(message)


def _let_go(db: Rdict, folder: Path) -> None:
    """RocksDB writes its last rows as it closes, and a damaged file or a full disk keeps it from that. It is closed all the
    same, and the rows are in the log: who opens the store again reads on from an earlier state, or is told of the damage."""
    try:
        db.close()
    except Exception as error:
        _log.warning("store_closed_badly", folder=str(folder), reason=str(error))


def _opened(folder: Path, options: StoreOptions) -> Rdict:
    try:
        db = Rdict(str(folder), options.fresh())
    except Exception as error:
        raise translated(error, folder) from error
    try:
        _check_format(db, folder)
    except BaseException:
        _let_go(db, folder)
        raise
    return db


def _check_format(db: Rdict, folder: Path) -> None:
    try:
        found: bytes | None = db.get(FORMAT_KEY)
        fresh = found is None and db.latest_sequence_number() == 0
        if fresh:
            db.put(FORMAT_KEY, FORMAT)
    except Exception as error:
        raise translated(error, folder) from error
    if not fresh and found != FORMAT:
        raise StoreCorrupted(
            f"Expected a store of format {FORMAT!r} in {folder}, found {found!r}. It is rebuilt from the log."
        )

"""Compares a processor's local rows with those that the raw history alone gives."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from streamflow.memory.store import MemoryStores
from streamflow.ports import Store
from streamflow.processor.state.layout import META, Meta
from streamflow.processor.state.layout import Entry as RowEntry
from streamflow.processor.state.rows import Ingest, Rows
from streamflow.rocksdb import RocksStores
from tests.faults.raw import Entry

Contents = dict[bytes, bytes]


def rebuilt(entries: Iterable[Entry], partition: int) -> Contents:
    """Every row of a store that has followed the partition's history from its beginning."""
    store = MemoryStores().open("rebuilt")
    ingest = Ingest(Rows(store))
    for entry in entries:
        if entry.partition == partition:
            key, header = entry.key, entry.header
            ingest.add(
                RowEntry(
                    key.kind,
                    key.workflow_id,
                    header,
                    entry.packed,
                    entry.value,
                    key.number,
                    key.text,
                )
            )
    ingest.finish(Meta())
    return _contents(store)


def live(folder: Path, partition: int, scratch: Path) -> Contents:
    """The rows in the folder of a processor that has ended; read from a copy, which leaves it as it was."""
    copy = scratch / "copied-store"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    stores = RocksStores(copy)
    try:
        return _contents(stores.open(str(partition)))
    finally:
        stores.close()


def differences(left: Contents, right: Contents) -> list[str]:
    """What is in one and not, or otherwise, in the other; at most a few."""
    keys = sorted(left.keys() | right.keys())
    return [
        f"{key!r}: {left.get(key)!r} and {right.get(key)!r}"
        for key in keys
        if left.get(key) != right.get(key)
    ][:10]


def _contents(store: Store) -> Contents:
    """Without the note of how far the log was followed, which is not about runs."""
    rows: Sequence[tuple[bytes, bytes]] = store.scan(b"\0", b"\xff" * 16)
    return {key: value for key, value in rows if key != META}

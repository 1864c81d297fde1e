"""What a store on disk promises to its one owner."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamflow.ports import Store, StoreCorrupted
from streamflow.rocksdb import RocksStores, StoreBudget
from streamflow.rocksdb.store import FORMAT_KEY

SMALL = StoreBudget(cache_bytes=1 << 20, memtables_bytes=1 << 20, memtable_bytes=64 << 10)
KEYS = st.binary(min_size=1, max_size=3)


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[RocksStores]:
    opened = RocksStores(tmp_path / "stores", name="test", budget=SMALL)
    yield opened
    opened.close()


def fill(store: Store, rows: dict[bytes, bytes]) -> None:
    batch = store.batch()
    for key, value in rows.items():
        batch.put(key, value)
    store.write(batch)


@settings(deadline=None, max_examples=50)  # each example opens a database
@given(rows=st.dictionaries(KEYS, st.binary(max_size=4)), start=KEYS, end=KEYS)
def test_a_store_reads_like_a_sorted_dictionary(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[bytes, bytes], start: bytes, end: bytes
) -> None:
    """Gets and scans, both ways, limited or not, are those of the rows sorted by key."""
    stores = RocksStores(tmp_path_factory.mktemp("stores"), budget=SMALL)
    store = stores.open("p")
    fill(store, rows)

    within = sorted((k, v) for k, v in rows.items() if start <= k < end)
    assert store.scan(start, end) == within
    assert store.scan(start, end, limit=2) == within[:2]
    assert store.scan_back(start, end) == within[::-1]
    assert store.scan_back(start, end, limit=2) == within[::-1][:2]
    assert {key: store.get(key) for key in rows} == rows
    stores.close()


def test_the_rows_are_there_after_a_restart(tmp_path: Path) -> None:
    """Closing and opening again changes nothing, and no handle is left that would hold the lock."""
    for turn in range(3):
        stores = RocksStores(tmp_path, budget=SMALL)
        store = stores.open("p")
        fill(store, {b"turn-%d" % turn: b"x"})
        assert len(store.scan(b"turn", b"turo")) == turn + 1
        stores.close()


def test_a_batch_may_delete_what_it_put_and_ranges(stores: RocksStores) -> None:
    """Changes of a batch apply in order; a range ends before its end."""
    store = stores.open("p")
    fill(store, {b"a": b"1", b"b": b"2", b"c": b"3", b"d": b"4"})

    batch = store.batch()
    batch.delete_range(b"a", b"c")
    batch.put(b"b", b"again")
    batch.delete(b"d")
    store.write(batch)

    assert store.scan(b"", b"z") == [(b"b", b"again"), (b"c", b"3")]


def test_nothing_of_a_batch_is_there_before_it_is_written(stores: RocksStores) -> None:
    """A batch that was dropped never happened."""
    store = stores.open("p")
    store.batch().put(b"k", b"v")

    assert store.get(b"k") is None


def test_the_format_row_is_never_among_the_rows(stores: RocksStores) -> None:
    """A scan from the very beginning gives the user's rows only."""
    store = stores.open("p")
    fill(store, {b"\x00": b"first"})

    assert store.scan(b"", b"\xff") == [(b"\x00", b"first")]
    assert store.scan_back(b"", b"\xff") == [(b"\x00", b"first")]


def test_a_cleared_store_is_as_new(stores: RocksStores) -> None:
    """Clearing drops every row, and the store goes on working."""
    store = stores.open("p")
    fill(store, {b"old": b"1"})

    store.clear()
    fill(store, {b"new": b"1"})

    assert store.scan(b"", b"\xff") == [(b"new", b"1")]


def test_a_store_of_another_format_is_not_trusted(tmp_path: Path) -> None:
    """An older or newer layout is rebuilt from the log instead of being misread."""
    stores = RocksStores(tmp_path, budget=SMALL)
    fill(stores.open("p"), {FORMAT_KEY: b"streamflow-store-0"})
    stores.close()

    stores = RocksStores(tmp_path, budget=SMALL)
    with pytest.raises(StoreCorrupted, match="streamflow-store-0"):
        stores.open("p")
    stores.drop("p")
    assert stores.open("p").scan(b"", b"\xff") == []
    stores.close()


def _many(store: Store) -> None:
    for part in range(20):
        fill(store, {b"%02d-%04d" % (part, n): bytes([n % 251]) * 200 for n in range(500)})


def _damage(folder: Path, *, at: float) -> None:
    for table in folder.rglob("*.sst"):
        content = bytearray(table.read_bytes())
        where = int(len(content) * at)
        content[where : where + 64] = b"\xff" * 64
        table.write_bytes(content)


def _read_all(store: Store, how: str) -> None:
    match how:
        case "get":
            for part in range(20):
                for n in range(500):
                    store.get(b"%02d-%04d" % (part, n))
        case "scan":
            store.scan(b"", b"\xff")
        case _:
            store.scan_back(b"", b"\xff")


@pytest.mark.parametrize("how", ["get", "scan", "scan_back"])
def test_damage_within_a_file_is_told_by_reads(tmp_path: Path, how: str) -> None:
    """A damaged block is `StoreCorrupted` from a read, iteration included, never a shorter answer."""
    stores = RocksStores(tmp_path, budget=SMALL)
    _many(stores.open("p"))
    stores.close()
    _damage(tmp_path / "p", at=0.3)

    stores = RocksStores(tmp_path, budget=SMALL)
    with pytest.raises(StoreCorrupted) as damage:
        _read_all(stores.open("p"), how)

    assert str(tmp_path / "p") in str(damage.value)
    stores.drop("p")  # while the error, and its traceback, still live
    assert stores.open("p").scan(b"", b"\xff") == []
    stores.close()


def test_a_lost_file_is_damage(tmp_path: Path) -> None:
    """A table that is gone is `StoreCorrupted` at the latest when it is read."""
    stores = RocksStores(tmp_path, budget=SMALL)
    _many(stores.open("p"))
    stores.close()
    next((tmp_path / "p").glob("*.sst")).unlink()

    stores = RocksStores(tmp_path, budget=SMALL)
    with pytest.raises(StoreCorrupted):
        stores.open("p").scan(b"", b"\xff")
    stores.close()

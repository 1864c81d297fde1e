"""Copies of a store: as it was at one moment, whatever it does afterwards, and good for another store."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamflow.ports import Checkpoint, Store, StoreCorrupted
from streamflow.rocksdb import RocksStores

EVERYTHING = (b"\x00", b"\xff")


def write(store: Store, **rows: str) -> None:
    batch = store.batch()
    for key, value in rows.items():
        batch.put(key.encode(), value.encode())
    store.write(batch)


def adopt(stores: RocksStores, name: str, copy: Checkpoint, *, without: str = "") -> None:
    staged = stores.stage(name)
    for file in copy.names():
        if not without or without not in file:
            staged.put(file, copy.read(file))
    stores.adopt(name, staged)


def test_a_checkpoint_becomes_a_store_as_it_was(tmp_path: Path) -> None:
    """What was written after it is not in it, and what the store had before is gone."""
    stores = RocksStores(tmp_path / "one")
    store = stores.open("3")
    write(store, a="1", b="2")
    copy = store.checkpoint()
    write(store, a="changed", c="3")
    others = RocksStores(tmp_path / "other")
    write(others.open("3"), z="old")
    others.close()

    adopt(others, "3", copy)

    assert others.open("3").scan(*EVERYTHING) == [(b"a", b"1"), (b"b", b"2")]
    assert store.get(b"a") == b"changed"
    copy.close()
    copy.close()
    stores.close()
    others.close()


def test_a_store_that_is_closed_after_a_checkpoint_opens_again(tmp_path: Path) -> None:
    """No handle is left that keeps its lock."""
    stores = RocksStores(tmp_path)
    store = stores.open("3")
    write(store, a="1")
    copy = store.checkpoint()
    store.close()

    assert stores.open("3").get(b"a") == b"1"
    copy.close()
    stores.close()


def test_files_of_a_checkpoint_that_lack_one_are_damage(tmp_path: Path) -> None:
    stores = RocksStores(tmp_path)
    store = stores.open("3")
    write(store, a="1")
    copy = store.checkpoint()
    store.close()

    adopt(stores, "3", copy, without=".sst")

    with pytest.raises(StoreCorrupted):
        stores.open("3")
    stores.close()


def test_what_a_dead_process_left_between_stores_is_removed(tmp_path: Path) -> None:
    """Checkpoints that it was putting away, files that it was taking in."""
    stores = RocksStores(tmp_path)
    store = stores.open("3")
    write(store, a="1")
    store.checkpoint()
    stores.stage("4").put("CURRENT", b"x")
    stores.close()
    assert len(list(tmp_path.glob("*passing*"))) == 2

    again = RocksStores(tmp_path)

    assert again.open("3").get(b"a") == b"1"
    assert list(tmp_path.glob("*passing*")) == []
    again.close()

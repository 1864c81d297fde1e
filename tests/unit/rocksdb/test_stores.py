"""What a folder of stores promises: one process, one memory budget, nothing left behind."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streamflow.ports import StoreTaken
from streamflow.rocksdb import RocksStores
from streamflow.rocksdb.stores import OPENING
from tests.unit.rocksdb.test_store import fill

HOLD = """
import sys
from streamflow.rocksdb import RocksStores
stores = RocksStores(sys.argv[1], name="pod-7")
stores.open("p")
print("held", flush=True)
sys.stdin.read()
"""


def test_another_process_is_told_who_has_the_folder(tmp_path: Path) -> None:
    """The second process gets `StoreTaken` with the holder's pid and name; when the holder dies, the folder is free."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"

        stores = RocksStores(tmp_path, name="pod-8")
        with pytest.raises(StoreTaken, match=rf"{holder.pid}.*pod-7"):
            stores.open("p")
        holder.kill()

    stores.open("p")
    stores.close()


def test_a_second_taker_in_the_same_process_is_refused(tmp_path: Path) -> None:
    """Two processors of one process cannot share a state folder by mistake."""
    first, second = RocksStores(tmp_path), RocksStores(tmp_path)
    first.open("p")

    with pytest.raises(StoreTaken, match=str(os.getpid())):
        second.open("p")

    first.close()
    second.open("p")
    second.close()


@contextmanager
def full_beyond(size: int) -> Generator[None]:
    """The disk takes no more than so many bytes of each file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_folder_that_could_not_be_taken_on_a_full_disk_is_free(tmp_path: Path) -> None:
    """The same process takes it when there is room again."""
    stores = RocksStores(tmp_path)
    with full_beyond(0), pytest.raises(OSError, match="large"):
        stores.open("p")

    stores.open("p")

    with pytest.raises(StoreTaken):
        RocksStores(tmp_path).open("p")
    stores.close()


def test_a_full_disk_does_not_leave_stores_without_their_log(tmp_path: Path) -> None:
    """Else the next start would take them for another log's."""
    log_id = "log" * 100
    stores = RocksStores(tmp_path, log_id=log_id)
    with full_beyond(200), pytest.raises(OSError, match="large"):
        stores.open("p")
    fill(stores.open("p"), {b"k": b"1"})
    stores.close()

    stores = RocksStores(tmp_path, log_id=log_id)

    assert stores.open("p").get(b"k") == b"1"
    stores.close()


def test_dropping_an_open_store_removes_it(tmp_path: Path) -> None:
    """A dropped store is closed first, and opens as new."""
    stores = RocksStores(tmp_path)
    store = stores.open("odd/name")
    batch = store.batch()
    batch.put(b"k", b"v")
    store.write(batch)

    stores.drop("odd/name")

    assert stores.open("odd/name").get(b"k") is None
    stores.close()


def test_a_closed_store_may_be_opened_again(tmp_path: Path) -> None:
    """Giving a partition up and taking it back within one process works at once."""
    stores = RocksStores(tmp_path)
    for _ in range(3):
        store = stores.open("p")
        store.close()
        store.close()
    stores.close()


def test_stores_of_another_log_are_dropped(tmp_path: Path) -> None:
    """A cluster made anew, or a second one, must not meet positions that look like its own; the same one keeps them."""

    def rows(log_id: str) -> bytes | None:
        stores = RocksStores(tmp_path, log_id=log_id)
        store = stores.open("0")
        found = store.get(b"k")
        batch = store.batch()
        batch.put(b"k", log_id.encode())
        store.write(batch)
        stores.close()
        return found

    assert rows("first") is None
    assert rows("first") == b"first"
    assert rows("second") is None
    assert rows("first") is None


def test_a_store_whose_opening_never_ended_is_made_anew(tmp_path: Path) -> None:
    """RocksDB can loop for ever over a damaged file: who was killed then leaves a mark, and the next does not try again."""
    stores = RocksStores(tmp_path)
    fill(stores.open("p"), {b"k": b"1"})
    stores.close()
    (tmp_path / f"p{OPENING}").touch()

    stores = RocksStores(tmp_path)

    assert stores.open("p").scan(b"", b"\xff") == []
    stores.close()
    assert not (tmp_path / f"p{OPENING}").exists()

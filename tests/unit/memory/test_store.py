"""The store in memory against a plain dictionary, and what a crash leaves of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.memory.store import MemoryStores
from streamflow.ports import StoreCorrupted, StoreTaken

keys = st.binary(min_size=1, max_size=2)
steps = st.one_of(
    st.tuples(st.just("put"), keys, keys),
    st.tuples(st.just("delete"), keys, keys),
    st.tuples(st.just("range"), keys, keys),
)


@given(st.lists(st.lists(steps, max_size=5), max_size=10), keys, keys, st.integers(0, 5))
def test_a_store_is_an_ordered_dictionary(
    batches: list[list[tuple[str, bytes, bytes]]], start: bytes, end: bytes, limit: int
) -> None:
    """Batches apply in order; scans give the rows of a range, either way, up to a limit."""
    store = MemoryStores().open("p")
    model: dict[bytes, bytes] = {}
    for asked in batches:
        batch = store.batch()
        for kind, key, other in asked:
            if kind == "put":
                batch.put(key, other)
                model[key] = other
            elif kind == "delete":
                batch.delete(key)
                model.pop(key, None)
            else:
                batch.delete_range(key, other)
                model = {k: v for k, v in model.items() if not key <= k < other}
        store.write(batch)

    rows = sorted((k, v) for k, v in model.items() if start <= k < end)
    assert store.scan(start, end) == rows
    assert store.scan(start, end, limit=limit) == rows[:limit]
    assert store.scan_back(start, end, limit=limit) == rows[::-1][:limit]
    assert all(store.get(k) == v for k, v in model.items())


def test_rows_outlive_a_crash_but_for_the_last_batches_lost() -> None:
    """What is lost is the end of the write-ahead log, batch by batch."""
    stores = MemoryStores()
    store = stores.open("p")
    for number in range(3):
        batch = store.batch()
        batch.put(b"a", b"%d" % number)
        batch.put(b"k%d" % number, b"")
        store.write(batch)

    stores.crash(batches_lost=1)

    with pytest.raises(AssertionError, match="found it closed"):
        store.get(b"a")
    assert stores.open("p").scan(b"", b"z") == [(b"a", b"1"), (b"k0", b""), (b"k1", b"")]


def test_an_open_store_is_taken() -> None:
    """Two owners of one store would be a bug of ours or of the deployment."""
    stores = MemoryStores()
    store = stores.open("p")
    with pytest.raises(StoreTaken):
        stores.open("p")

    store.close()
    stores.open("p")


def test_damage_shows_itself_until_the_store_is_dropped() -> None:
    """Reading, scanning and writing all say so."""
    stores = MemoryStores()
    store = stores.open("p")
    stores.corrupt("p")
    with pytest.raises(StoreCorrupted):
        store.scan(b"", b"z")
    store.close()

    stores.drop("p")

    assert stores.open("p").get(b"a") is None

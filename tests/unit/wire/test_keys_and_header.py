"""Keys name one entity each, and the header says what restore needs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.wire import keys
from streamflow.wire.errors import Undecodable
from streamflow.wire.header import SIZE, EntryHeader, entry_hash, pack, unpack
from streamflow.wire.keys import EntityKind, HistoryKey, parse_key
from tests import strategies

numbers = st.integers(0, 1 << 31)
Named = tuple[bytes, HistoryKey]


def _numbered(make: Callable[[str, str, int], bytes], kind: EntityKind) -> st.SearchStrategy[Named]:
    return st.builds(
        lambda w, r, n: (make(w, r, n), HistoryKey(kind, w, r, n)),
        strategies.texts,
        strategies.run_ids,
        numbers,
    )


def _named(make: Callable[[str, str], bytes], kind: EntityKind) -> st.SearchStrategy[Named]:
    return st.builds(
        lambda w, r: (make(w, r), HistoryKey(kind, w, r)), strategies.texts, strategies.run_ids
    )


named = st.one_of(
    _numbered(keys.event_key, EntityKind.EVENT),
    _numbered(keys.attempt_key, EntityKind.ATTEMPT),
    _named(keys.trouble_key, EntityKind.TROUBLE),
    _named(keys.deleting_key, EntityKind.DELETING),
    st.builds(
        lambda w, m: (keys.dedup_key(w, m), HistoryKey(EntityKind.DEDUP, w, "", 0, m)),
        strategies.texts,
        strategies.texts,
    ),
    st.builds(lambda n: (keys.position_key(n), HistoryKey(EntityKind.POSITION, number=n)), numbers),
)


@given(named)
def test_a_key_names_what_it_was_made_for(made: Named) -> None:
    """Parsing gives back every part, whatever characters the names have."""
    key, name = made

    assert parse_key(key) == name


@given(named, named)
def test_different_entities_have_different_keys(one: Named, other: Named) -> None:
    """Compaction never takes one entity for another."""
    assert (one[0] == other[0]) == (one[1] == other[1])


def test_keys_are_as_documented() -> None:
    """Outsiders rely on the exact form (docs/topics.md)."""
    assert keys.event_key("order-17", "r1", 12) == b'["order-17","r1","e",12]'
    assert keys.attempt_key('a"b', "r1", 3) == b'["a\\"b","r1","a",3]'
    assert keys.dedup_key("order-17", "m") == b'["order-17","","d","m"]'
    assert keys.trouble_key("w", "r") == b'["w","r","t"]'
    assert keys.deleting_key("w", "r") == b'["w","r","x"]'
    assert keys.position_key(7) == b'["","","p",7]'


@pytest.mark.parametrize(
    "key", [b"", b"{}", b'["w","r","z",1]', b'["w","r","e"]', b'["w","r","e","1"]', b"order-1"]
)
def test_other_keys_are_refused(key: bytes) -> None:
    """What is no key of ours says so."""
    with pytest.raises(Undecodable, match="Expected a history key"):
        parse_key(key)


@given(strategies.texts, strategies.workflow_ids, strategies.run_ids)
def test_a_summary_key_comes_back(queue: str, workflow_id: str, run_id: str) -> None:
    """Even a tombstone tells which run it is about."""
    key = keys.summary_key(queue, workflow_id, run_id)

    assert keys.parse_summary_key(key) == (queue, workflow_id, run_id)
    with pytest.raises(Undecodable):
        keys.parse_summary_key(key[:-1])


headers = st.builds(
    EntryHeader,
    kind=st.integers(1, 6),
    code=st.integers(0, 255),
    run_id=strategies.run_ids | st.just(""),
    seq=numbers,
    step=numbers,
    time_ms=strategies.times_ms,
    due_ms=strategies.times_ms,
    flags=st.integers(0, 65_535),
    previous_hash=st.binary(min_size=8, max_size=8),
)


@given(headers)
def test_a_header_comes_back(header: EntryHeader) -> None:
    """Packing has a fixed size and loses nothing."""
    packed = pack(header)

    assert len(packed) == SIZE == 73
    assert unpack(packed) == header


def test_the_header_is_as_documented() -> None:
    """Its layout is public."""
    packed = pack(EntryHeader(1, 9, "r", 2, 3, 4, 5, 6, b"12345678"))

    assert packed.hex() == (
        "01"
        "01"
        "09"
        "0006" + "72" + "00" * 35 + "00000002"
        "00000003"
        "0000000000000004"
        "0000000000000005"
        "3132333435363738"
    )


def test_the_hash_covers_header_and_value() -> None:
    """Changing either changes it."""
    assert len(entry_hash(b"a", b"b")) == 8
    assert len({entry_hash(b"a", b"b"), entry_hash(b"a", b"c"), entry_hash(b"b", b"b")}) == 3


def test_another_version_of_the_header_is_refused() -> None:
    """A newer writer's header is not guessed at."""
    packed = pack(EntryHeader(1, 9, "r", 2, 3, 4))

    with pytest.raises(Undecodable, match="version 1"):
        unpack(b"\x02" + packed[1:])

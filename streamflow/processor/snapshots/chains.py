"""Whether each run in a store is one chain of events that ends where its row says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from streamflow.ports import StoreCorrupted
from streamflow.processor.state.rows import Rows
from streamflow.wire.errors import Undecodable
from streamflow.wire.header import NO_HASH, entry_hash, unpack

RUNS_AT_ONCE: Final = 100
EVENTS_AT_ONCE: Final = 1_000


def check_chains(rows: Rows) -> Iterator[bool]:
    """In slices. Runs that were broken before the store was copied are passed over: their quarantine is copied as well.

    Raises `StoreCorrupted` at the first run that is not as its row says.
    """
    after = ""
    while runs := rows.runs(after=after, limit=RUNS_AT_ONCE):
        for run_id, row in runs:
            if not row.deleting and not row.gap:
                _check(rows, run_id, row.last_seq, row.last_hash)
        after = runs[-1][0]
        yield True


def _check(rows: Rows, run_id: str, last_seq: int, last_hash: bytes) -> None:
    seq, before = 0, NO_HASH
    while events := rows.events(run_id, after_seq=seq, limit=EVENTS_AT_ONCE):
        for packed, value in events:
            try:
                header = unpack(packed)
            except Undecodable as error:
                raise _broken(run_id, seq + 1, str(error)) from error
            if header.seq != seq + 1 or header.previous_hash != before:
                raise _broken(run_id, seq + 1, f"event {header.seq}, which does not follow it")
            seq, before = header.seq, entry_hash(packed, value)
    if (seq, before) != (last_seq, last_hash):
        raise _broken(run_id, last_seq, f"the last event to be {seq}, or another one")


def _broken(run_id: str, seq: int, found: str) -> StoreCorrupted:
    return StoreCorrupted(f"Expected event {seq} of run {run_id} in its chain, found {found}")

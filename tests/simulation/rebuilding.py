"""The state that the log alone gives, compared with what the live owner of each partition has: on its disk and in memory."""

from __future__ import annotations

import dataclasses

from streamflow.engine import deadlines, invariants
from streamflow.engine.context import DEFAULT_LIMITS
from streamflow.engine.state import Run
from streamflow.memory.store import MemoryStores
from streamflow.ports import Store
from streamflow.processor.state.draft import load
from streamflow.processor.state.layout import Entry, Meta, RunRow
from streamflow.processor.state.partition import Partition
from streamflow.processor.state.rows import Ingest, Rows
from tests.simulation.histories import Histories, Line
from tests.simulation.scene import World


def faults(world: World, histories: Histories) -> list[str]:
    """Every partition has one live owner, whose rows and runs are those of its log."""
    found: list[str] = []
    owned: dict[int, Partition] = {}
    for log in world.logs:
        if log.process.dead:
            continue
        for processor in log.processors:
            for number, partition in processor.partitions.items():
                if number in owned:
                    found.append(f"partition {number} has two owners in calm")
                owned[number] = partition
    for number, lines in enumerate(histories.partitions):
        if number not in owned:
            found.append(f"partition {number} has no owner in calm")
            continue
        rebuilt = _rebuild(lines)
        what = f"partition {number}"
        found += [f"{what}: {fault}" for fault in _row_faults(owned[number].rows, rebuilt)]
        found += [f"{what}: {fault}" for fault in _run_faults(owned[number], rebuilt)]
        counted, open_runs = owned[number].meta.open_runs, rebuilt.count_open()
        if counted != open_runs or rebuilt.meta().open_runs != open_runs:
            found.append(
                f"{what}: {counted} open runs by its count, {rebuilt.meta().open_runs} rebuilt, {open_runs} found"
            )
    return found


def _rebuild(lines: list[Line]) -> Rows:
    """A store restored from nothing."""
    store = MemoryStores().open("rebuilt")
    rows = Rows(store)
    ingest = Ingest(rows)
    for line in lines:
        key = line.key
        ingest.add(
            Entry(
                key.kind,
                key.workflow_id,
                line.header,
                line.packed,
                line.record.value,
                key.number,
                key.text,
            )
        )
    ingest.finish(Meta(open_runs=0))
    return rows


def _row_faults(live: Rows, rebuilt: Rows) -> list[str]:
    """Rows are equal, but for due times: a live owner may know that nothing is due any more."""
    ours, theirs = _contents(live.store), _contents(rebuilt.store)
    found: list[str] = []
    for key in sorted(ours.keys() | theirs.keys()):
        if key[:1] in b"tm":
            continue
        mine, other = ours.get(key), theirs.get(key)
        if key[:1] == b"r" and mine is not None and other is not None:
            mine_row, other_row = live.run(key[1:].decode()), rebuilt.run(key[1:].decode())
            if _without_due(mine_row) != _without_due(other_row):
                found.append(f"row of run {key[1:].decode()}: {mine_row}, rebuilt {other_row}")
        elif mine != other:
            found.append(f"row {key[:60]!r}: {mine!r:.80}, rebuilt {other!r:.80}")
    return found


def _contents(store: Store) -> dict[bytes, bytes]:
    return dict(store.scan(b"", b"\xff" * 40))


def _without_due(row: RunRow | None) -> list[object]:
    assert row is not None
    return [
        row.workflow_id,
        row.last_seq,
        row.last_hash,
        row.closed_code,
        row.history_bytes,
        row.gap,
    ]


def _run_faults(partition: Partition, rebuilt: Rows) -> list[str]:
    """Each run in memory is the fold of its events."""
    found: list[str] = []
    for key, _ in rebuilt.store.scan(b"r", b"s"):
        run_id = key[1:].decode()
        draft = partition.drafts.get(run_id)
        row = rebuilt.run(run_id)
        if draft is None or row is None:
            continue
        invariants.check(draft.run, DEFAULT_LIMITS)
        folded = load(rebuilt, run_id, row, DEFAULT_LIMITS)
        if _facts(draft.run) != _facts(folded.run):
            found.append(f"run {run_id}: live {draft.run}\n  rebuilt {folded.run}")
        if draft.last_hash != folded.last_hash:
            found.append(f"run {run_id}: the live chain ends elsewhere")
    return found


def _facts(run: Run) -> list[object]:
    """Everything but the heap, of which only the top counts."""
    facts = [getattr(run, f.name) for f in dataclasses.fields(run) if f.name != "deadlines"]
    return [*facts, deadlines.next_due_ms(run, DEFAULT_LIMITS)]

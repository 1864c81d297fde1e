"""Whether the records of one history partition are what a processor writes.

Of each run: events 1, 2, 3, ... without a gap, each with the hash of the one before, each readable, and each one that the
fold takes. Of the partition: position records whose ordinals only grow. It reads what a restore reads, but judges by itself.
"""

from __future__ import annotations

from array import array
from typing import Final, Literal

import msgspec

from streamflow.engine.apply import apply
from streamflow.engine.context import DEFAULT_LIMITS
from streamflow.engine.state import Run
from streamflow.model.events import Activated, Recorded, WorkflowStarted
from streamflow.model.ids import RunId, WorkflowId
from streamflow.model.tasks import PositionRecord
from streamflow.ports import Record
from streamflow.topology import partition_for
from streamflow.wire.entities import (
    decode_attempt,
    decode_dedup,
    decode_deleting,
    decode_position,
    decode_trouble,
)
from streamflow.wire.errors import Undecodable
from streamflow.wire.events import decode_event
from streamflow.wire.header import HASH_BYTES, NO_HASH, SF, EntryHeader, entry_hash, unpack
from streamflow.wire.keys import EntityKind, HistoryKey, parse_key

Kind = Literal["missing", "forked", "misfit", "unreadable", "unfit", "deleted"]

PROBLEMS_MAX: Final = 1_000
"""Of a partition's other records; further ones are only counted."""


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run's history is broken first."""

    kind: Kind
    seq: int
    offset: int
    message: str


class BrokenRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that a processor leaves alone, or cannot go on with."""

    workflow_id: str
    run_id: str
    broken: Break
    sound: int
    """So many events from the first are as they were written."""
    last_step: int
    """The last of these that began a step; 0 is none: where the run can go on from."""


class _Run:
    """A run as far as it was read. Its fold ends at its close, or where it breaks."""

    __slots__ = (
        "broken",
        "closed",
        "deleting",
        "fold",
        "hashes",
        "last_hash",
        "last_seq",
        "run_id",
        "sound",
        "steps",
        "workflow_id",
    )

    def __init__(self, workflow_id: str, run_id: str) -> None:
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.fold: Run | None = Run(WorkflowId(workflow_id), RunId(run_id))
        self.last_seq = 0
        self.last_hash = NO_HASH
        self.hashes = bytearray()
        """Of its events so far, while it is open."""
        self.steps = array("I")
        """Its events that began steps, while it is open."""
        self.sound = 0
        self.broken: Break | None = None
        self.closed = False
        self.deleting = False

    def hash_of(self, seq: int) -> bytes:
        return bytes(self.hashes[(seq - 1) * HASH_BYTES : seq * HASH_BYTES])

    def breaks(self, kind: Kind, seq: int, offset: int, message: str) -> None:
        if self.broken is None:
            self.broken = Break(kind=kind, seq=seq, offset=offset, message=message)
            self.fold = None
            # What stands at the break may have been read, and followed, before it was found to be one.
            self.sound = min(self.sound, seq - 1)


class Chains:
    """Takes the records of one partition in their order."""

    def __init__(self, partition: int, partitions: int) -> None:
        self._partition = partition
        self._partitions = partitions
        self._runs: dict[str, _Run] = {}
        self.position: PositionRecord | None = None
        self.events = 0
        self.runs_seen = 0
        self.foreign = 0
        """Records that are not ours."""
        self.problems: list[str] = []
        """What is wrong with other records than events."""
        self.problems_count = 0

    def add(self, record: Record) -> None:
        packed = next((value for name, value in record.headers if name == SF), None)
        if packed is None or record.key is None:
            self.foreign += 1
            return
        try:
            key, header = parse_key(record.key), unpack(packed)
        except Undecodable as error:
            self._problem(record, error.message)
            return
        if key.kind is EntityKind.POSITION:
            self._position(record)
            return
        self._placed(record, key)
        if key.kind is EntityKind.EVENT:
            self._event(record, key, header, packed)
        elif key.kind is EntityKind.DELETING:
            self._deleting(record, header.run_id)
        elif record.value is not None:
            self._entity(record, key.kind, record.value)

    def open_runs(self) -> dict[str, list[str]]:
        """Sound runs that have no end, by workflow; a workflow has one at most."""
        found: dict[str, list[str]] = {}
        for run in self._runs.values():
            if not (run.closed or run.broken or run.deleting):
                found.setdefault(run.workflow_id, []).append(run.run_id)
        return found

    def broken_runs(self) -> list[BrokenRun]:
        """Those that are not being deleted, in the order of their first events."""
        return [
            BrokenRun(
                workflow_id=run.workflow_id,
                run_id=run.run_id,
                broken=run.broken,
                sound=run.sound,
                last_step=max((seq for seq in run.steps if seq <= run.sound), default=0),
            )
            for run in self._runs.values()
            if run.broken is not None and not run.deleting
        ]

    # -- events ---------------------------------------------------------------------------------------------------

    def _event(self, record: Record, key: HistoryKey, header: EntryHeader, packed: bytes) -> None:
        run = self._runs.get(key.run_id)
        if record.value is None:
            if run is not None:
                run.breaks(
                    "deleted", key.number, record.offset, "Expected an event, found it deleted"
                )
            return
        self.events += 1
        if run is None:
            run = self._begin(key)
        self._link(run, record, key, header, entry_hash(packed, record.value))
        if run.broken is None:
            self._fold(run, record.value, key, header, record.offset)

    def _begin(self, key: HistoryKey) -> _Run:
        run = self._runs[key.run_id] = _Run(key.workflow_id, key.run_id)
        self.runs_seen += 1
        return run

    def _link(
        self, run: _Run, record: Record, key: HistoryKey, header: EntryHeader, hashed: bytes
    ) -> None:
        """Whether the event is the one that follows."""
        seq = key.number
        if seq <= run.last_seq:
            if run.closed or run.hash_of(seq) != hashed:
                run.breaks(
                    "forked", seq, record.offset, f"Expected one event {seq}, found two that differ"
                )
            return
        if seq != run.last_seq + 1:
            run.breaks(
                "missing",
                run.last_seq + 1,
                record.offset,
                f"Expected event {run.last_seq + 1}, found {seq} to be the next",
            )
        elif header.previous_hash != run.last_hash:
            run.breaks(
                "misfit",
                seq,
                record.offset,
                f"Expected event {seq} to follow the event {seq - 1} that is here, found that it follows another one",
            )
        elif (header.run_id, header.seq) != (key.run_id, seq):
            run.breaks(
                "unfit",
                seq,
                record.offset,
                f"Expected the header of event {seq} of run {key.run_id}, found that of {header.seq} of {header.run_id}",
            )
        run.hashes += bytes(HASH_BYTES * (seq - run.last_seq - 1)) + hashed
        run.last_seq, run.last_hash = seq, hashed

    def _fold(
        self, run: _Run, value: bytes, key: HistoryKey, header: EntryHeader, offset: int
    ) -> None:
        seq = key.number
        if seq <= run.sound:
            return  # a copy of what was followed before
        try:
            recorded = decode_event(value)
        except Undecodable as error:
            run.breaks("unreadable", seq, offset, error.message)
            return
        wrong = _unfit(run, recorded, header)
        if wrong:
            run.breaks("unfit", seq, offset, wrong)
            return
        run.sound = seq
        if isinstance(recorded.event, Activated):
            run.steps.append(seq)
        if run.fold is not None and not run.fold.open:
            run.closed, run.fold = True, None
            run.hashes.clear()
            del run.steps[:]

    # -- what stands beside them ----------------------------------------------------------------------------------

    def _deleting(self, record: Record, run_id: str) -> None:
        if record.value is None:
            self._runs.pop(run_id, None)
            return
        try:
            decode_deleting(record.value)
        except Undecodable as error:
            self._problem(record, error.message)
        run = self._runs.get(run_id)
        if run is not None:
            run.deleting = True

    def _entity(self, record: Record, kind: EntityKind, value: bytes) -> None:
        try:
            match kind:
                case EntityKind.ATTEMPT:
                    decode_attempt(value)
                case EntityKind.DEDUP:
                    decode_dedup(value)
                case EntityKind.TROUBLE:
                    decode_trouble(value)
                case _:
                    pass  # a later release's
        except Undecodable as error:
            self._problem(record, error.message)

    def _position(self, record: Record) -> None:
        if record.value is None:
            self._problem(record, "Expected a position, found it deleted")
            return
        try:
            position = decode_position(record.value)
        except Undecodable as error:
            self._problem(record, error.message)
            return
        before = self.position
        if before is not None and position.ordinal <= before.ordinal:
            self._problem(
                record,
                f"Expected a transaction after {before.ordinal} (by {before.owner or 'nobody'}), found "
                f"{position.ordinal} (by {position.owner or 'nobody'}): two owners, or a log that was put back",
            )
        elif before is not None and position.inbox_offset < before.inbox_offset:
            self._problem(
                record,
                f"Expected the inbox to be read on from {before.inbox_offset}, found {position.inbox_offset}",
            )
        self.position = position

    def _placed(self, record: Record, key: HistoryKey) -> None:
        home = partition_for(key.workflow_id, self._partitions)
        if home != self._partition:
            self._problem(
                record,
                f"Expected records of workflow {key.workflow_id!r} on partition {home}, found one here",
            )

    def _problem(self, record: Record, message: str) -> None:
        self.problems_count += 1
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(f"offset {record.offset}: {message}")


def _unfit(run: _Run, recorded: Recorded, header: EntryHeader) -> str:
    """Why the run cannot go on with this event; empty if it does, and then its fold has."""
    if (recorded.seq, recorded.step) != (header.seq, header.step):
        return (
            f"Expected event {header.seq} of step {header.step} as its header says, found {recorded.seq} of step "
            f"{recorded.step}"
        )
    if (recorded.seq == 1) is not isinstance(recorded.event, WorkflowStarted):
        return f"Expected a run's first event to be its start, found {type(recorded.event).__name__} as {recorded.seq}"
    if run.closed:
        return f"Expected nothing after the run's end, found {type(recorded.event).__name__} as {recorded.seq}"
    assert run.fold is not None, "it ends at the break"
    try:
        apply(run.fold, recorded, DEFAULT_LIMITS)
    except (
        Exception
    ) as error:  # whatever it is, it would be a processor's too: it becomes a finding
        said = f"{type(error).__name__}: {error}"
        return f"Expected an event that the run's state takes, found {type(recorded.event).__name__} ({said[:300]})"
    return ""

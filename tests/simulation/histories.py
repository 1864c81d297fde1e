"""The raw log as the checker reads it: what is committed in the history topic, and when readers could know it."""

from __future__ import annotations

from dataclasses import dataclass, field

from streamflow.config import DEFAULT_NAMESPACE
from streamflow.memory.broker import MemoryBroker
from streamflow.memory.topics import Decision, Transaction
from streamflow.model.events import Recorded, SignalReceived
from streamflow.model.tasks import PositionRecord
from streamflow.ports import Record
from streamflow.topology import history_topic
from streamflow.wire.entities import decode_position
from streamflow.wire.events import decode_event
from streamflow.wire.header import SF, EntryHeader, unpack
from streamflow.wire.keys import EntityKind, HistoryKey, parse_key
from tests.simulation.processes import QUEUE
from tests.simulation.values import json_of

HISTORY = history_topic(DEFAULT_NAMESPACE, QUEUE)


@dataclass(frozen=True, slots=True)
class Line:
    """One committed record of the history topic."""

    record: Record
    key: HistoryKey
    header: EntryHeader
    packed: bytes
    decided_ms: int
    """When its transaction's marker was written: from then on readers see it."""


@dataclass(slots=True)
class RunHistory:
    """The events of one run in the order of the log."""

    workflow_id: str
    run_id: str
    lines: list[Line] = field(default_factory=list[Line])
    events: list[Recorded] = field(default_factory=list[Recorded])


@dataclass(slots=True)
class Histories:
    partitions: list[list[Line]]
    runs: dict[str, RunHistory] = field(default_factory=dict[str, RunHistory])

    def of(self, workflow_id: str) -> list[RunHistory]:
        """The workflow's runs in the order in which they began."""
        return [run for run in self.runs.values() if run.workflow_id == workflow_id]

    def positions(self, partition: int) -> list[PositionRecord]:
        return [
            decode_position(line.record.value or b"")
            for line in self.partitions[partition]
            if line.key.kind is EntityKind.POSITION
        ]


def read(broker: MemoryBroker) -> Histories:
    """Every committed line, by partition and offset."""
    found = Histories([])
    for partition in broker.topic(HISTORY).partitions:
        lines: list[Line] = []
        decided: dict[Transaction, int] = {
            entry.transaction: entry.timestamp_ms
            for entry in partition.entries
            if entry.record is None and entry.transaction is not None
        }
        for entry in partition.entries:
            record, transaction = entry.record, entry.transaction
            if record is None or transaction is None:
                continue
            if transaction.decision is Decision.COMMITTED:
                lines.append(_line(record, decided.get(transaction, entry.timestamp_ms)))
        found.partitions.append(lines)
        for line in lines:
            if line.key.kind is EntityKind.EVENT:
                _add(found, line)
    return found


def _line(record: Record, decided_ms: int) -> Line:
    packed = dict(record.headers)[SF]
    return Line(record, parse_key(record.key or b""), unpack(packed), packed, decided_ms)


def _add(found: Histories, line: Line) -> None:
    run_id = line.key.run_id
    run = found.runs.get(run_id)
    if run is None:
        run = found.runs[run_id] = RunHistory(line.key.workflow_id, run_id)
    run.lines.append(line)
    run.events.append(decode_event(line.record.value or b""))


def signals_of(runs: list[RunHistory]) -> list[str]:
    """The signals of these runs, in the order of the log."""
    return [
        json_of(recorded.event.args[0])
        for run in runs
        for recorded in run.events
        if isinstance(recorded.event, SignalReceived)
    ]

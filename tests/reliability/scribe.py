"""Writes histories by hand, as a processor would: for tests of what judges them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from streamflow.model.events import (
    Activated,
    Event,
    Input,
    SignalReceived,
    WorkflowStarted,
)
from streamflow.model.ids import RunId, Seq
from streamflow.model.payload import Payload
from streamflow.model.tasks import PositionRecord
from streamflow.wire import entities
from streamflow.wire.events import encode_event, event_code
from streamflow.wire.header import NO_HASH, EntryHeader, entry_hash, pack, unpack
from streamflow.wire.keys import EntityKind, HistoryKey
from tests.faults.raw import Entry

HOUR_MS = 3_600_000


def payload(value: object) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())


def started(workflow_type: str, *args: object, continued_from: str = "") -> WorkflowStarted:
    return WorkflowStarted(
        workflow_type=workflow_type,
        queue="orders",
        args=tuple(map(payload, args)),
        first_run_id=RunId("first"),
        continued_from=RunId(continued_from) if continued_from else None,
    )


def signal(name: str, *args: object) -> SignalReceived:
    return SignalReceived(name=name, args=tuple(map(payload, args)))


class Scribe:
    """One partition's history, transaction by transaction."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._ordinal = 0
        self._seqs: dict[str, int] = {}
        self._steps: dict[str, int] = {}
        self._hashes: dict[str, bytes] = {}

    def write(self, workflow_id: str, *events: Event, run_id: str = "") -> list[int]:
        """Appends events of one run; their numbers."""
        return [self._event(workflow_id, run_id or f"{workflow_id}-run", event) for event in events]

    def step(
        self, workflow_id: str, *inputs: Input, did: Sequence[Event] = (), run_id: str = ""
    ) -> None:
        """Inputs, the step that consumes them, and what it did: one transaction."""
        seqs = self.write(workflow_id, *inputs, run_id=run_id)
        consumed = tuple(Seq(seq) for seq in seqs)
        self.write(workflow_id, Activated(inputs=consumed, now_ms=1, seed=1), *did, run_id=run_id)
        self.commit()

    def commit(self) -> None:
        """The position record that ends a transaction."""
        self._ordinal += 1
        value = entities.encode(
            PositionRecord(inbox_offset=self._ordinal, ordinal=self._ordinal, owner="p")
        )
        header = EntryHeader(EntityKind.POSITION, 0, "", 0, 0, HOUR_MS)
        self._append(HistoryKey(EntityKind.POSITION), header, value)

    def _event(self, workflow_id: str, run_id: str, event: Event) -> int:
        seq = self._seqs[run_id] = self._seqs.get(run_id, 0) + 1
        step = self._steps.get(run_id, 0) + isinstance(event, Activated)
        self._steps[run_id] = step
        value = encode_event(workflow_id, run_id, seq, step, HOUR_MS, event)
        previous = self._hashes.get(run_id, NO_HASH)
        header = EntryHeader(
            EntityKind.EVENT, event_code(event), run_id, seq, step, HOUR_MS, previous_hash=previous
        )
        self._append(HistoryKey(EntityKind.EVENT, workflow_id, run_id, seq), header, value)
        self._hashes[run_id] = entry_hash(pack(header), value)
        return seq

    def _append(self, key: HistoryKey, header: EntryHeader, value: bytes) -> None:
        packed = pack(header)
        offset = len(self.entries)
        self.entries.append(Entry(0, offset, HOUR_MS + offset, key, unpack(packed), packed, value))


def renumbered(entries: Sequence[Entry]) -> list[Entry]:
    """The same records at the offsets that this order gives them."""
    return [entry._replace(offset=offset) for offset, entry in enumerate(entries)]

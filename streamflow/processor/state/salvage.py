"""What is left of a run whose history cannot be gone on with: its first events, as far as they are a history."""

from __future__ import annotations

from dataclasses import dataclass

from streamflow.engine.apply import apply
from streamflow.engine.context import Limits
from streamflow.engine.state import Run
from streamflow.model.events import Recorded, SignalReceived
from streamflow.model.ids import RunId, WorkflowId
from streamflow.processor.state.rows import Rows
from streamflow.wire.errors import Undecodable
from streamflow.wire.events import decode_event
from streamflow.wire.header import NO_HASH, entry_hash, unpack


@dataclass(slots=True)
class Salvage:
    """A run as far as its history is sound."""

    run: Run
    events: list[Recorded]
    signals: list[SignalReceived]
    """Those behind the break that can still be read, each by itself."""


def salvage(rows: Rows, workflow_id: str, run_id: str, limits: Limits) -> Salvage:
    """Events 1, 2, 3, ... each of which follows the one before, can be read, and is taken by the fold; and later signals."""
    read = [(unpack(packed).seq, _read(value)) for packed, value in rows.events(run_id)]
    run, count = _fold(workflow_id, run_id, read[: _linked(rows, run_id)], limits)
    sound = [recorded for _, recorded in read[:count] if recorded is not None]
    later = [recorded.event for _, recorded in read[count:] if recorded is not None]
    return Salvage(run, sound, [event for event in later if isinstance(event, SignalReceived)])


def _read(value: bytes) -> Recorded | None:
    try:
        return decode_event(value)
    except Undecodable:
        return None


def _linked(rows: Rows, run_id: str) -> int:
    """How many events from the first form a chain."""
    previous, count = NO_HASH, 0
    for packed, value in rows.events(run_id):
        header = unpack(packed)
        if header.seq != count + 1 or header.previous_hash != previous:
            break
        previous, count = entry_hash(packed, value), count + 1
    return count


def _fold(
    workflow_id: str, run_id: str, read: list[tuple[int, Recorded | None]], limits: Limits
) -> tuple[Run, int]:
    """The state after the events that it takes, and how many they are."""
    run = Run(WorkflowId(workflow_id), RunId(run_id))
    for count, (seq, recorded) in enumerate(read):
        if recorded is None or recorded.seq != seq:
            return run, count
        try:
            apply(run, recorded, limits)
        except Exception:  # just this event does not fit; one half applied is no state, so all is folded again without it
            return _fold(workflow_id, run_id, read[:count], limits)
    return run, len(read)

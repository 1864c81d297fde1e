"""Events of a run as values of the history topic."""

from __future__ import annotations

from streamflow.model.events import Event, Recorded
from streamflow.wire import catalog, codec
from streamflow.wire.errors import VALUE, Undecodable


def event_code(event: Event) -> int:
    """The number of the event's type in the header ``sf``. Released codes never change."""
    return catalog.EVENT_CODES[event.__class__]


def encode_event(
    workflow_id: str, run_id: str, seq: int, step: int, time_ms: int, event: Event
) -> bytes:
    return codec.encode(event, workflow_id, run_id, seq, step, time_ms)


def decode_event(value: bytes) -> Recorded:
    """The event at its place.

    Raises:
        Undecodable: not an event that this version knows.
    """
    recorded = codec.decode(value)
    if not isinstance(recorded, Recorded):
        raise Undecodable(VALUE, f"Expected an event, found {type(recorded).__name__}")
    return recorded

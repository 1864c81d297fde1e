"""What goes between a stream and its clients, as JSON; an item's value goes as its payload's bytes in base64.

Values are made payloads one by one, by the payload converter alone. A codec sees the signal or the answer that holds
them, once, as it sees any other.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from streamflow.api.common.v1 import Payload

T = TypeVar("T")

# The names are those that clients of Temporal's workflow streams use.
PUBLISH = "__temporal_workflow_stream_publish"
POLL = "__temporal_workflow_stream_poll"
OFFSET = "__temporal_workflow_stream_offset"

DRAINING = "StreamDraining"
"""The type of the error that refuses a poll while a run hands its stream on."""
TRUNCATED = "TruncatedOffset"
"""The type of the error of a poll for what is no longer there."""
OUT_OF_RANGE = "TruncateOutOfRange"


@dataclass
class WorkflowStreamItem(Generic[T]):
    """One item as a subscriber gets it."""

    topic: str
    data: T
    """Decoded by the subscriber's payload converter."""
    offset: int = 0
    """Its place in the log, counted over all topics and runs."""


@dataclass
class PublishEntry:
    """One item on its way to the stream."""

    topic: str
    data: str


@dataclass
class PublishInput:
    """The signal of one batch. A batch of a publisher whose sequence number is not a new one is dropped as a whole."""

    items: list[PublishEntry] = field(default_factory=list[PublishEntry])
    publisher_id: str = ""
    """Empty: the batch is taken whatever its number."""
    sequence: int = 0


@dataclass
class PollInput:
    """The update that waits for items from an offset on."""

    topics: list[str] = field(default_factory=list[str])
    """None: all."""
    from_offset: int = 0


@dataclass
class WireItem:
    """One item in the log of a state or in an answer."""

    topic: str
    data: str
    offset: int = 0


@dataclass
class PollResult:
    """The answer to a poll."""

    items: list[WireItem] = field(default_factory=list[WireItem])
    next_offset: int = 0
    """Where the next poll goes on."""
    more_ready: bool = False
    """Whether items were left out because the answer was full."""


@dataclass
class PublisherState:
    """The last batch that was taken of a publisher."""

    sequence: int
    last_seen: datetime


@dataclass
class WorkflowStreamState:
    """A stream as one run hands it to the next. Let the field that carries it say `WorkflowStreamState | None`."""

    log: list[WireItem] = field(default_factory=list[WireItem])
    base_offset: int = 0
    publishers: dict[str, PublisherState] = field(default_factory=dict[str, PublisherState])


def pack(payload: Payload) -> str:
    """The payload as text."""
    return base64.b64encode(payload.SerializeToString()).decode("ascii")


def unpack(text: str) -> Payload:
    """The payload that `pack` made this of.

    Raises:
        ValueError: it is no such text.
    """
    return Payload.FromString(base64.b64decode(text))

"""What stands under which key in a partition's store, and what is in it.

    e run seq          event: fixed header, then value
    r run              RunRow: where the run stands
    w workflow         its latest run, of those that are not being deleted
    a run op           latest attempt state of a pending activity (header, value)
    x run              trouble (header, value)
    t due run          due-time index: one row per run, at its next due time
    g run              its chain of events is broken
    d workflow message deduplication entry (header, value)
    D due key          expiry of deduplication entries
    o run n            the n-th message remembered of a run: its deduplication entry
    m                  Meta: how far the store has followed the log

Nothing is decoded here but headers and deduplication entries' expiry: values stay bytes until a run is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from streamflow.engine.state import STATUS_OF
from streamflow.model.options import Status
from streamflow.model.tasks import PositionRecord
from streamflow.wire import catalog
from streamflow.wire.header import NO_HASH, EntryHeader

FORMAT: Final = 1
META: Final = b"m"

CLOSING_STATUS: Final[dict[int, Status]] = {
    catalog.EVENT_CODES[event]: status for event, status in STATUS_OF.items()
}
"""The status that a closing event's code leaves a run in."""


class RunRow(msgspec.Struct, array_like=True, gc=False):
    """Where a run stands, without its events being read."""

    workflow_id: str
    last_seq: int = 0
    last_hash: bytes = NO_HASH
    closed_code: int = 0
    """Event code of its closing event; 0 while open."""
    due_ms: int = 0
    history_bytes: int = 0
    deleting: bool = False
    gap: bool = False
    """An event was missing, forked or misfitting when it came: quarantined unless the run is being deleted."""
    before: str = ""
    """The run of the same workflow begun last before this one, of those that are kept."""
    after: str = ""
    """The one begun next. Both are empty for runs that an older release made rows of."""


class Meta(msgspec.Struct, array_like=True):
    """How far the store has followed its log; written with the rows that it speaks of."""

    format: int = FORMAT
    history_offset: int = 0
    """Everything below is in the store; more may be."""
    inbox_offset: int = -1
    """The position record's; -1 before the first. All input below was taken."""
    ordinal: int = 0
    owner: str = ""
    transactional_ids: tuple[str, ...] = ()
    followed_ms: int = 0
    """When the store was last known to have followed its log to the end; 0 is never."""
    takeovers: int = 0
    stepping: str = ""
    suspects: Mapping[str, int] = {}
    code: str = ""
    seen_ordinal: int = 0
    """The latest transaction known to be in the log below ``history_offset``; the store may have later ones."""
    read_to: int = 0
    held: frozenset[int] = frozenset()
    """Offsets below ``read_to`` that were overtaken and wait: the only ones from ``inbox_offset`` to there that were not
    taken."""
    open_runs: int = -1
    """Runs that have no end and are not being deleted; -1 where an older release made the store and nobody has counted."""
    stepping_too: tuple[str, ...] = ()

    def has_taken(self, offset: int) -> bool:
        """Whether this record of the inbox is folded already."""
        if offset < self.inbox_offset:
            return True
        return offset < self.read_to and offset not in self.held

    def untaken_below(self, offset: int) -> int:
        """How many records before this one were not taken."""
        overtaken = sum(held < offset for held in self.held)
        return overtaken + max(0, offset - max(self.inbox_offset, self.read_to))

    def begin_at(self, offset: int) -> None:
        """The input is read from here on, at or behind ``inbox_offset``: what lies before is taken, or gone."""
        self.inbox_offset = offset
        self.held = frozenset(held for held in self.held if held >= offset)

    def come_to(self, position: PositionRecord) -> None:
        """The input is used up as far as the record says."""
        self.inbox_offset = position.inbox_offset
        self.read_to = position.read_to
        self.held = frozenset(position.inbox_offset + ahead for ahead in position.held)

    def take(self, position: PositionRecord) -> None:
        """What the record says, but for how far the partition has come."""
        self.owner, self.transactional_ids = position.owner, position.transactional_ids
        self.takeovers = position.takeovers
        self.stepping, self.stepping_too = position.stepping, position.stepping_too
        self.suspects, self.code = position.suspects, position.code


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One history record on its way into the store. ``value`` is ``None`` for a tombstone."""

    kind: int
    workflow_id: str
    header: EntryHeader
    packed: bytes
    value: bytes | None
    number: int = 0
    text: str = ""


class Expired(NamedTuple):
    """A deduplication entry whose time is over."""

    workflow_id: str
    message_id: str
    expires_ms: int
    run_id: str
    """The run that the message was for; empty where there was none."""
    ordinal: int


def status_of(row: RunRow) -> Status:
    return CLOSING_STATUS[row.closed_code] if row.closed_code else Status.RUNNING


def is_open(row: RunRow | None) -> bool:
    return row is not None and not row.closed_code and not row.deleting


def event_row(run_id: str, seq: int) -> bytes:
    return b"e" + run_id.encode() + seq.to_bytes(8, "big")


def attempt_row(run_id: str, op: int) -> bytes:
    return b"a" + run_id.encode() + op.to_bytes(8, "big")


def due_row(due_ms: int, run_id: str) -> bytes:
    return b"t" + due_ms.to_bytes(8, "big") + run_id.encode()


def dedup_row(workflow_id: str, message_id: str) -> bytes:
    name = workflow_id.encode()
    return b"d" + len(name).to_bytes(4, "big") + name + message_id.encode()


def message_row(run_id: str, ordinal: int) -> bytes:
    return b"o" + run_id.encode() + ordinal.to_bytes(8, "big")

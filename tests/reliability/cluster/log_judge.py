"""Judges a history topic record by record, as any outsider reads it: chains, steps, transactions. Pure, in bounded memory.

What the workflows themselves promised is for a `Ward`, which is told what each run was given and what it did.

    transaction   everything of a partition up to and with a position record: records lie in the order of commits
    step          an `Activated` with the outcomes that follow it; it must lie within one transaction
"""

from __future__ import annotations

import typing
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, Protocol

from streamflow.model.events import (
    Activated,
    Closed,
    Event,
    Input,
    Outcome,
    WorkflowContinuedAsNew,
    WorkflowStarted,
)
from streamflow.wire.entities import decode_position
from streamflow.wire.events import decode_event
from streamflow.wire.header import NO_HASH, entry_hash
from streamflow.wire.keys import EntityKind
from tests.faults.raw import Entry

Kind = Literal["lost", "doubled", "torn", "uncommitted", "order"]
KINDS: Final[tuple[Kind, ...]] = typing.get_args(Kind)
_INPUTS: Final = typing.get_args(Input)
_OUTCOMES: Final = typing.get_args(Outcome)
_CLOSED: Final = typing.get_args(Closed)


class Wrong(NamedTuple):
    """One thing that must not be."""

    kind: Kind
    text: str


@dataclass(slots=True)
class Run:
    """What is known of one run so far."""

    workflow_id: str
    run_id: str
    workflow_type: str = ""
    continued_from: str = ""
    parent: str = ""
    """The workflow whose child it is."""
    seq: int = 0
    hash: bytes = NO_HASH
    time_ms: int = 0
    waiting: dict[int, Input] = field(default_factory=dict[int, Input])
    """Inputs that no step has consumed, by their number."""
    step: int = 0
    stepped_in: int = -1
    """Transaction of the partition in which the last step was made."""
    end: Event | None = None


class Ward(Protocol):
    """Who knows what one kind of workflow promises."""

    def started(self, run: Run, event: WorkflowStarted) -> None: ...
    def consumed(self, run: Run, event: Input) -> None:
        """The run's code was given this, in this order."""
        ...

    def did(self, run: Run, event: Event, appended_ms: int) -> None:
        """Everything else that was recorded, and inputs as they arrive."""
        ...


@dataclass(slots=True)
class _Part:
    """One partition."""

    transactions: int = 0
    ordinal: int = 0
    offset: int = -1
    inbox_offset: int = -1
    open: bool = False
    """Whether records came that no position has followed yet."""


class LogJudge:
    def __init__(self, wards: Sequence[Ward]) -> None:
        self.wrong: list[Wrong] = []
        self.runs: dict[tuple[str, str], Run] = {}
        self.events: Counter[str] = Counter()
        self._wards = wards
        self._parts: dict[int, _Part] = {}

    @property
    def transactions(self) -> int:
        return sum(part.transactions for part in self._parts.values())

    def take(self, entry: Entry) -> None:
        """The next record; those of one partition in their order."""
        part = self._parts.setdefault(entry.partition, _Part())
        if entry.offset <= part.offset:
            self._say("order", entry, f"offset {entry.offset} was read after {part.offset}")
        part.offset = entry.offset
        part.open = True
        if entry.key.kind is EntityKind.POSITION:
            self._position(entry, part)
        elif entry.key.kind is EntityKind.EVENT and entry.value is not None:
            self._event(entry, part)

    def finish(self) -> None:
        """Says what the whole lacks. Nothing is taken afterwards."""
        for number, part in self._parts.items():
            if part.open:
                self.wrong.append(
                    Wrong("torn", f"partition {number} ends with records without a position")
                )

    def _say(self, kind: Kind, entry: Entry, text: str) -> None:
        place = f"{entry.key.workflow_id} at {entry.partition}/{entry.offset}"
        self.wrong.append(Wrong(kind, f"{place}: {text}"))

    def _position(self, entry: Entry, part: _Part) -> None:
        assert entry.value is not None
        position = decode_position(entry.value)
        expected = part.ordinal + 1
        if position.ordinal != expected:
            kind: Kind = "doubled" if position.ordinal < expected else "lost"
            self._say(
                kind,
                entry,
                f"transaction {position.ordinal} follows {part.ordinal} of its partition",
            )
        if position.inbox_offset < part.inbox_offset:
            self._say(
                "order",
                entry,
                f"inbox position {position.inbox_offset} follows {part.inbox_offset}",
            )
        part.ordinal, part.inbox_offset = position.ordinal, position.inbox_offset
        part.transactions += 1
        part.open = False

    def _event(self, entry: Entry, part: _Part) -> None:
        assert entry.value is not None
        recorded = decode_event(entry.value)
        event = recorded.event
        name = entry.key.workflow_id, entry.key.run_id
        run = self.runs.get(name)
        if run is None:
            run = self.runs[name] = Run(*name)
        self.events[type(event).__name__] += 1
        self._chain(entry, run, recorded.seq)
        if recorded.time_ms < run.time_ms:
            self._say("order", entry, "the run's time goes back")
        run.time_ms = recorded.time_ms
        if run.end is not None:
            self._say("doubled", entry, f"{type(event).__name__} after {type(run.end).__name__}")
        if isinstance(event, WorkflowStarted):
            run.workflow_type = event.workflow_type
            run.continued_from = event.continued_from or ""
            run.parent = event.parent.workflow_id if event.parent else ""
            for ward in self._wards:
                ward.started(run, event)
        if isinstance(event, _INPUTS):
            run.waiting[recorded.seq] = event
        elif isinstance(event, Activated):
            self._activated(entry, run, part, event, recorded.step)
        elif isinstance(event, _OUTCOMES) and run.stepped_in != part.transactions:
            self._say(
                "torn",
                entry,
                f"{type(event).__name__} of step {recorded.step} is not in its step's transaction",
            )
        for ward in self._wards:
            ward.did(run, event, entry.appended_ms)
        if isinstance(event, _CLOSED):
            run.end = event

    def _chain(self, entry: Entry, run: Run, seq: int) -> None:
        assert entry.value is not None
        expected = run.seq + 1
        if (entry.key.number, entry.header.seq, seq) != (expected,) * 3:
            kind: Kind = "doubled" if seq < expected else "lost"
            found = f"{entry.key.number}/{entry.header.seq}/{seq}"
            self._say(kind, entry, f"expected event {expected}, found {found}")
        elif entry.header.previous_hash != run.hash:
            self._say("order", entry, f"event {seq} follows another one than stands before it")
        run.seq = seq
        run.hash = entry_hash(entry.packed, entry.value)

    def _activated(self, entry: Entry, run: Run, part: _Part, event: Activated, step: int) -> None:
        if step != run.step + 1:
            self._say("order", entry, f"step {step} follows {run.step}")
        run.step, run.stepped_in = step, part.transactions
        for seq in event.inputs:
            given = run.waiting.pop(seq, None)
            if given is None:
                self._say(
                    "doubled",
                    entry,
                    f"step {step} consumes event {seq}, which is not there any more",
                )
                continue
            for ward in self._wards:
                ward.consumed(run, given)


def is_followed(run: Run) -> bool:
    """Whether another run goes on where this one ended."""
    return isinstance(run.end, WorkflowContinuedAsNew)

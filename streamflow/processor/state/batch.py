"""Everything that one transaction will carry, gathered in memory before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from streamflow.model.commands import FireDue, LocalActivityEnded, ReplyTo
from streamflow.model.ids import Op, RunId
from streamflow.model.tasks import ActivityTask, PositionRecord
from streamflow.ports import OutRecord
from streamflow.processor.state.draft import Draft
from streamflow.processor.state.layout import Entry
from streamflow.processor.state.work import Work

BYTES_MAX = 1_000_000
"""A batch lets no further code run once its records are about so large."""

RECORD_OVERHEAD_BYTES = 150


class Owner(NamedTuple):
    """From here on, records and answers of a batch are about this workflow."""

    records_from: int
    answers_from: int
    partition: int
    workflow_id: str


class Stray(NamedTuple):
    """A record of the inbox by its place: nothing else is known of it, or kept."""

    partition: int
    offset: int


class Taken(NamedTuple):
    """All input below ``read_to`` but what is held."""

    read_to: int
    held: tuple[int, ...]
    """In order."""

    @property
    def inbox_offset(self) -> int:
        return self.held[0] if self.held else self.read_to


@dataclass(slots=True)
class PartitionBatch:
    """One partition's part: what its history gains, and how far its input is used up."""

    number: int
    entries: list[Entry] = field(default_factory=list[Entry])
    drafts: dict[str, Draft] = field(default_factory=dict[str, Draft])
    """Every draft touched, by run: dropped if the batch does not commit."""
    latest: dict[str, str] = field(default_factory=dict[str, str])
    """Workflow IDs whose latest run was begun in this batch."""
    begun: int = 0
    """Runs that were begun in this batch."""
    outcomes: dict[tuple[str, str], bytes] = field(default_factory=dict[tuple[str, str], bytes])
    """Deduplication entries written in this batch: a copy may come in the same one."""
    due_corrections: dict[str, int] = field(default_factory=dict[str, int])
    taken: Taken | None = None
    """How far the input is used up, if records were taken."""
    stepping: tuple[str, ...] = ()
    """Whose steps are about to be made; nothing else is in such a part."""
    position: PositionRecord | None = None
    """As it was staged."""
    hand_over: bool = False
    """An orderly farewell: the owner is written as empty, so nobody need fence us."""
    closed: list[str] = field(default_factory=list[str])
    """Runs that this batch ends: their waiters are answered, and they leave the memory once it is committed."""
    released: list[str] = field(default_factory=list[str])
    """Suspects of which nothing is held against them any more, once the batch is committed."""
    unfinished: list[str] = field(default_factory=list[str])
    """Runs whose code has still to run: its step was full, or the batch."""
    told: list[str] = field(default_factory=list[str])
    """Keys of updates whose waiters this batch answers."""


@dataclass(slots=True)
class Batch:
    parts: dict[int, PartitionBatch] = field(default_factory=dict[int, PartitionBatch])
    records: list[OutRecord] = field(default_factory=list[OutRecord])
    """Everything to append, history included, in order."""
    works: int = 0
    """How many commands it takes."""
    size_bytes: int = 0
    """What is gathered and what sealing will add, about."""
    began_ms: int | None = None
    """When its first run was stepped, on the monotonic clock."""
    answers: list[OutRecord] = field(default_factory=list[OutRecord])
    """Answers that recorded nothing: sent plainly once the commit that covers them is known."""
    locals_used: list[LocalActivityEnded] = field(default_factory=list[LocalActivityEnded])
    """Taken from the processor's own queue; given back if the batch does not commit."""
    retries: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """Runs that were to be tried at once (partition, run); again if the batch does not commit."""
    locals_begun: list[ActivityTask] = field(default_factory=list[ActivityTask])
    locals_canceled: list[tuple[RunId, Op]] = field(default_factory=list[tuple[RunId, Op]])
    histories: list[tuple[int, ReplyTo, str, int, int]] = field(
        default_factory=list[tuple[int, ReplyTo, str, int, int]]
    )
    """History pages asked for: read from the store after the commit (partition, to, run, after seq, bytes)."""

    owners: list[Owner] = field(default_factory=list[Owner])
    """Whose records and answers begin where, in order."""

    passed_over: list[Stray] = field(default_factory=list[Stray])
    """Input of which nothing is kept, for the log takes nothing of it."""

    tasks_sent: dict[str, int] = field(default_factory=dict[str, int])
    """How many tasks go to each queue."""

    def count_task(self, queue: str) -> int:
        """How many tasks of this batch go to the queue, before this one."""
        sent = self.tasks_sent.get(queue, 0)
        self.tasks_sent[queue] = sent + 1
        return sent

    def mark(self, partition: int, workflow_id: str) -> None:
        """What is appended from here on is about this workflow."""
        self.owners.append(Owner(len(self.records), len(self.answers), partition, workflow_id))

    def owner_of(self, record: OutRecord | None) -> tuple[int, str] | None:
        """Whose record this is; ``None`` if it is nobody's, or not of this batch."""
        index = next((i for i, mine in enumerate(self.records) if mine is record), -1)
        found: tuple[int, str] | None = None
        for owner in self.owners:
            if owner.records_from > index:
                break
            found = owner.partition, owner.workflow_id
        return found if index >= 0 else None

    def forget(self, number: int, workflow_id: str) -> None:
        """Nothing of what the batch has gathered about this workflow happened: not one record or answer leaves."""
        records, answers = self.records, self.answers
        begins = [Owner(0, 0, -1, ""), *self.owners]
        ends = [*self.owners, Owner(len(records), len(answers), -1, "")]
        self.owners, self.records, self.answers = [], [], []
        for owner, end in zip(begins, ends, strict=True):
            if (owner.partition, owner.workflow_id) == (number, workflow_id):
                continue
            if owner.partition >= 0:
                self.mark(owner.partition, owner.workflow_id)
            self.records += records[owner.records_from : end.records_from]
            self.answers += answers[owner.answers_from : end.answers_from]
        part = self.part(number)
        part.entries = [entry for entry in part.entries if entry.workflow_id != workflow_id]
        part.outcomes = {k: v for k, v in part.outcomes.items() if k[0] != workflow_id}
        part.latest.pop(workflow_id, None)
        self.locals_begun = [task for task in self.locals_begun if task.workflow_id != workflow_id]

    def take(self, number: int, works: Sequence[Work]) -> None:
        """These are to be stepped: from here on the batch answers for them and for what is due in their partition."""
        self.part(number)
        self.works += len(works)
        for work in works:
            match work.command:
                case LocalActivityEnded():
                    self.locals_used.append(work.command)
                case FireDue(retry=True):
                    self.retries.append((number, work.command.run_id))
                case _:
                    pass

    def part(self, number: int) -> PartitionBatch:
        part = self.parts.get(number)
        if part is None:
            part = self.parts[number] = PartitionBatch(number)
        return part

    def append(self, record: OutRecord) -> None:
        self.records.append(record)
        self.size_bytes += len(record.value or b"") + RECORD_OVERHEAD_BYTES

    def sealed_later(self, value_bytes: int) -> None:
        """An event was recorded, which becomes a record when its run is sealed."""
        self.size_bytes += value_bytes + RECORD_OVERHEAD_BYTES

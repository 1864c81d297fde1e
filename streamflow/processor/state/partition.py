"""One partition of the queue as this processor owns it: its store, its runs in memory, how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from streamflow.engine.context import Limits
from streamflow.engine.decide.start import LastRun
from streamflow.model.ids import RunId
from streamflow.ports import Record, Store, TopicPartition
from streamflow.processor.options import ProcessorOptions
from streamflow.processor.state.allowance import Allowance
from streamflow.processor.state.batch import PartitionBatch
from streamflow.processor.state.caution import Caution
from streamflow.processor.state.draft import Draft, Drafts, load
from streamflow.processor.state.layout import Meta, status_of
from streamflow.processor.state.rows import Rows
from streamflow.processor.state.waiters import Waiters


class State(Enum):
    """RESTORING -> ACTIVE -> CLOSED; any state -> CLOSED when the partition is taken away."""

    RESTORING = "restoring"
    ACTIVE = "active"
    CLOSED = "closed"


@dataclass(slots=True)
class Restoring:
    """How far a restore has come, in offsets of the history."""

    begin: int
    offset: int
    """The next to read."""
    end: int
    begun_ms: int
    """On the monotonic clock."""


class Partition:
    def __init__(
        self,
        number: int,
        inbox: TopicPartition,
        history: TopicPartition,
        store: Store,
        waiters: Waiters,
        options: ProcessorOptions,
    ) -> None:
        self.number = number
        self.inbox = inbox
        self.history = history
        self.state = State.RESTORING
        self.restoring: Restoring | None = None
        """While its history is read; for others to look at, from any thread."""
        self.rows = Rows(store)
        self.meta: Meta = Meta()
        self.caution = Caution()
        self.drafts = Drafts()
        self.waiters = waiters
        self.earliest_due_ms = 0
        """When the due index must be looked at next; 0 is never. May be too early, never too late."""
        self.held: list[Record] = []
        """Inbox records that were read, and had no room in the last batch."""
        self.next_offset = 0
        """Behind the inbox record that was read last: from here on, what `Meta.held` names is not in `held` (again) yet."""
        self.forget_at_ms = 0
        """When to look next for messages that need not be remembered any more."""
        self.allowance = Allowance()
        """Of runs that may begin, where the queue has a quota of them."""
        self._limits: Limits = options.limits

    @property
    def open_runs(self) -> int:
        """As of the last commit. Counted by looking at every run the first time, in a store of an older release."""
        if self.meta.open_runs < 0:
            self.meta.open_runs = self.rows.count_open()
        return self.meta.open_runs

    def latest_run(self, part: PartitionBatch, workflow_id: str) -> str | None:
        return part.latest.get(workflow_id) or self.rows.latest_run(workflow_id)

    def last_run(self, part: PartitionBatch, workflow_id: str) -> LastRun | None:
        """What a start must know of the workflow's latest run: cheap, without loading a closed one."""
        run_id = self.latest_run(part, workflow_id)
        if run_id is None:
            return None
        draft = part.drafts.get(run_id)
        if draft is not None:
            return LastRun(draft.run.run_id, draft.run.status)
        row = self.rows.run(run_id)
        return None if row is None or row.deleting else LastRun(RunId(run_id), status_of(row))

    def draft(self, part: PartitionBatch, run_id: str) -> Draft | None:
        """The run, from this batch, from memory, or loaded; ``None`` if it is not (or no longer) known."""
        draft = part.drafts.get(run_id) or self.drafts.get(run_id)
        if draft is None:
            row = self.rows.run(run_id)
            if row is None or row.deleting or row.gap:
                return None
            draft = load(self.rows, run_id, row, self._limits)
            self.drafts.put(draft)
        part.drafts[run_id] = draft
        return draft

    def note_due(self, due_ms: int) -> None:
        if due_ms and (not self.earliest_due_ms or due_ms < self.earliest_due_ms):
            self.earliest_due_ms = due_ms

    def replace_store(self, store: Store) -> None:
        """Another store of the same partition, before anything was loaded from the first, which is closed."""
        self.rows = Rows(store)

    def close(self) -> None:
        self.state = State.CLOSED
        self.drafts.clear()
        self.rows.store.close()

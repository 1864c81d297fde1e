"""A run in memory: its fold, its live coroutine, and what the current batch wants to record of it.

A draft becomes real only by a commit; an aborted batch drops every draft that it touched.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from streamflow.coroutine.instance import Instance
from streamflow.engine.apply import apply, apply_attempt, apply_trouble
from streamflow.engine.context import Limits
from streamflow.engine.describe import current_step
from streamflow.engine.state import Run
from streamflow.model.events import Recorded
from streamflow.model.ids import RunId, WorkflowId
from streamflow.observability import get_logger
from streamflow.processor.state.admitted import Admitted
from streamflow.processor.state.layout import RunRow
from streamflow.processor.state.rows import Rows
from streamflow.wire.entities import decode_attempt, decode_trouble
from streamflow.wire.events import decode_event
from streamflow.wire.header import NO_HASH

_log = get_logger("processor")


@dataclass(slots=True)
class Draft:
    run: Run
    last_hash: bytes = NO_HASH
    history_bytes: int = 0
    due_ms: int = 0
    """The due time that the store's index has, or will have once the batch is committed."""
    instance: Instance | None = None
    loaded: list[tuple[Recorded, int]] = field(default_factory=list[tuple[Recorded, int]])
    """What it was folded from, and the size of each event, until the end of the batch: replay takes the same."""
    summarized_ms: int = 0
    summarized_step: str = ""
    """What the run was doing by its last summary."""
    updates: list[Admitted] = field(default_factory=list[Admitted])
    """Updates that the code has still to judge."""
    judged: list[Admitted] = field(default_factory=list[Admitted])
    """Updates that it has judged, whose callers have still to be told."""
    messages: int = -1
    """How many messages to the run were ever remembered; -1 is not known yet."""


def load(rows: Rows, run_id: str, row: RunRow, limits: Limits) -> Draft:
    """The run as the store has it, folded from its events. Without its coroutine, which replay makes when needed."""
    run = Run(WorkflowId(row.workflow_id), RunId(run_id))
    loaded = list(history(rows, run_id))
    for recorded, _ in loaded:
        apply(run, recorded, limits)
    # Neither is looked for where it would not count: a look costs as much as decoding an event.
    for raw in rows.attempts(run_id) if run.activities else ():
        attempt = decode_attempt(raw)
        if attempt.op in run.activities:
            apply_attempt(run, attempt, limits)
    raw_trouble = rows.trouble(run_id) if run.open else None
    if raw_trouble is not None:
        apply_trouble(run, decode_trouble(raw_trouble))
    return Draft(
        run,
        row.last_hash,
        row.history_bytes,
        row.due_ms,
        loaded=loaded,
        summarized_ms=run.last_time_ms,
        summarized_step=current_step(run),
    )


def history(rows: Rows, run_id: str) -> Iterator[tuple[Recorded, int]]:
    """The run's events as the store has them, with the size of each in bytes."""
    for _, value in rows.events(run_id):
        yield decode_event(value), len(value)


class Drafts:
    """The runs of one partition that are in memory, least recently used first."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Draft] = OrderedDict()

    def get(self, run_id: str) -> Draft | None:
        draft = self._runs.get(run_id)
        if draft is not None:
            self._runs.move_to_end(run_id)
        return draft

    def put(self, draft: Draft) -> None:
        self._runs[draft.run.run_id] = draft
        self._runs.move_to_end(draft.run.run_id)

    def drop(self, run_id: str) -> None:
        draft = self._runs.pop(run_id, None)
        if draft is not None:
            evict(draft)

    def shrink(self, runs_max: int) -> None:
        """Evicts what is over the bound; called between batches, when no draft is being changed."""
        kept: list[Draft] = []
        while len(self._runs) > runs_max:
            _, draft = self._runs.popitem(last=False)
            evict(draft)
            if (
                draft.updates
            ):  # which nobody but their callers remembers, and these would have to send them again
                kept.append(draft)
        for draft in kept:
            self.put(draft)

    def clear(self) -> None:
        for draft in self._runs.values():
            evict(draft)
        self._runs.clear()

    def __len__(self) -> int:
        return len(self._runs)


def evict(draft: Draft) -> None:
    """Ends the coroutine on this thread; the draft is of no more use."""
    if draft.instance is not None:
        if not draft.instance.evict():
            _log.error(
                f"Timed out running eviction job for run ID {draft.run.run_id}: the code swallows what ends it, so it is "
                "kept for the life of the process. Let `except BaseException` raise again",
                workflow_id=draft.run.workflow_id,
            )
        draft.instance = None

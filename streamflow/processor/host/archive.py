"""Closed runs on their way into an archive, before anything of them is deleted.

    retention over -> waiting -> under way -> there: deleted | not there: waits, and is tried again

A few at a time, on threads of their own; the partition goes on meanwhile. Being archived twice does no harm: the same bytes
have the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

import msgspec

from streamflow.model.events import History
from streamflow.model.ids import RunId, WorkflowId
from streamflow.observability import get_logger
from streamflow.ports import Objects
from streamflow.processor.host.errands import Errand, Errands
from streamflow.wire.archive import archive_name
from streamflow.wire.events import decode_event
from streamflow.wire.history_file import to_json_dict

log = get_logger("processor")

RUNS_AT_ONCE: Final = 50
ERRANDS_MAX: Final = 4
WAITING_MAX: Final = 200
WAITING_BYTES_MAX: Final = 32 << 20
THERE_MAX: Final = 10_000
RETRY_MS: Final = 60_000
"""How soon a run is looked at again that did not get into the archive."""
ASK_AGAIN_MS: Final = 2_000
"""The same for one that had no room."""


class Job(NamedTuple):
    number: int
    workflow_id: str
    run_id: str
    closed_ms: int
    events: Sequence[bytes]


class Failed(NamedTuple):
    run_id: str
    reason: str


class Archive:
    """Belongs to one processor and its thread."""

    def __init__(self, objects: Objects, namespace: str, errands: Errands) -> None:
        self._objects = objects
        self._namespace = namespace
        self._errands = errands
        self.archived = 0
        self.failed = 0
        self._there: set[str] = set()
        self._waiting: list[Job] = []
        self._waiting_bytes = 0
        self._under_way: list[tuple[Errand[list[Failed]], list[Job]]] = []
        self._in_hand: set[str] = set()

    def has(self, run_id: str) -> bool:
        """Whether it was put there by us; known once, for what follows is its deletion."""
        if run_id in self._there:
            self._there.discard(run_id)
            return True
        return False

    def take(self, run_id: str, read: Callable[[], Job]) -> int:
        """Puts the run away soon; returns after how many ms it may be asked for again, if nothing was heard before."""
        if run_id in self._in_hand:
            return RETRY_MS
        if len(self._waiting) >= WAITING_MAX or self._waiting_bytes >= WAITING_BYTES_MAX:
            return ASK_AGAIN_MS
        job = read()
        self._waiting.append(job)
        self._waiting_bytes += sum(map(len, job.events))
        self._in_hand.add(run_id)
        return RETRY_MS

    def turn(self) -> list[tuple[int, str]]:
        """Begins what waits; the runs, by partition, that have got into the archive since the last turn."""
        while self._waiting and len(self._under_way) < ERRANDS_MAX:
            jobs, self._waiting = self._waiting[:RUNS_AT_ONCE], self._waiting[RUNS_AT_ONCE:]
            self._waiting_bytes -= sum(len(value) for job in jobs for value in job.events)
            errand = self._errands.begin("archive", partial(self._put, jobs))
            self._under_way.append((errand, jobs))
        there: list[tuple[int, str]] = []
        for entry in [entry for entry in self._under_way if entry[0].done]:
            self._under_way.remove(entry)
            there += self._ended(*entry)
        return there

    def _ended(self, errand: Errand[list[Failed]], jobs: list[Job]) -> list[tuple[int, str]]:
        failed = errand.result()
        left = {failure.run_id for failure in failed}
        there = [(job.number, job.run_id) for job in jobs if job.run_id not in left]
        self._in_hand.difference_update(job.run_id for job in jobs)
        if len(self._there) > THERE_MAX:
            self._there.clear()  # of partitions that went elsewhere; being archived twice does no harm
        self._there.update(run_id for _, run_id in there)
        self.archived += len(there)
        self.failed += len(failed)
        if failed:
            log.warning(
                "archive_failed",
                runs=len(failed),
                first=failed[0].run_id,
                reason=failed[0].reason,
                advice="What is not archived is not deleted: it is tried again every minute.",
            )
        return there

    # -- on the errand's thread -----------------------------------------------------------------------------------

    def _put(self, jobs: list[Job], errand: Errand[list[Failed]]) -> list[Failed]:
        failed: list[Failed] = []
        for job in jobs:
            if errand.cancelled:
                failed.append(Failed(job.run_id, "the processor is closing"))
                continue
            try:
                name = archive_name(self._namespace, job.workflow_id, job.closed_ms, job.run_id)
                self._objects.put(name, _history(job))
            except (
                Exception
            ) as error:  # of an object store, or a history that cannot be read: kept, and said
                failed.append(Failed(job.run_id, str(error) or repr(error)))
        return failed


def _history(job: Job) -> bytes:
    events = tuple(decode_event(value) for value in job.events)
    history = History(
        workflow_id=WorkflowId(job.workflow_id), run_id=RunId(job.run_id), events=events
    )
    return msgspec.json.encode(to_json_dict(history))

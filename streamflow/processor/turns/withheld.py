"""Workflows that have something to say to a queue which takes nothing of this processor: they wait, and nobody else does.

A grant that is missing shows in a transaction that fails. What a run's code asks for waits as trouble of that run
(`steps.addressing`). What is said beside it, to parents and to senders of messages, belongs to the command that is taken, so
the command waits: its workflow is held back for a while, as if everybody had overtaken it, and then tried again.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from streamflow.model.commands import LocalActivityEnded
from streamflow.observability import get_logger
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.state.batch import Batch
from streamflow.processor.turns.fairness import Name

log = get_logger("processor")

WAIT_MS: Final = 30_000
"""How long a workflow is held back: each try is a transaction that fails, for all that is in it."""


class Withheld:
    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._until_ms: dict[Name, int] = {}
        """When each is tried again, on the monotonic clock."""
        self._failed_ms: dict[str, int] = {}
        """When each inbox first took nothing, of late."""
        self._ended: list[LocalActivityEnded] = []

    def note(self, batch: Batch, topics: Collection[str]) -> None:
        """Learns from a batch that failed because these topics take nothing. The first time nobody waits: what code asks for
        becomes trouble of its run at the next try, now that it is known. What fails again is something else."""
        queues = self._around.destinations.workflow_queues
        now_ms = self._around.clock.monotonic_ms()
        inboxes = [topic for topic in topics if queues.has_topic(topic)]
        again = [t for t in inboxes if now_ms - self._failed_ms.get(t, -WAIT_MS) < WAIT_MS]
        self._failed_ms = {t: at for t, at in self._failed_ms.items() if now_ms - at < WAIT_MS}
        for topic in inboxes:
            self._failed_ms.setdefault(topic, now_ms)
        until_ms = now_ms + WAIT_MS
        for record in batch.records:
            if record.topic in again and (owner := batch.owner_of(record)) is not None:
                number, workflow_id = owner
                name = number, workflow_id.encode()
                if name not in self._until_ms:
                    log.warning("workflow_waits_for_grant", workflow_id=workflow_id, topics=again)
                self._until_ms[name] = until_ms

    def holds(self, name: Name) -> bool:
        """Whether this workflow of a partition has to wait."""
        if not self._until_ms:
            return False
        until_ms = self._until_ms.get(name)
        return until_ms is not None and self._around.clock.monotonic_ms() < until_ms

    @property
    def wait_ms(self) -> int | None:
        """How long until the next is tried again; ``None`` if nobody waits."""
        if not self._until_ms:
            return None
        return max(0, min(self._until_ms.values()) - self._around.clock.monotonic_ms())

    def keep(self, ended: LocalActivityEnded) -> None:
        """The end of a local activity of a workflow that waits."""
        self._ended.append(ended)

    def begin_turn(self) -> list[LocalActivityEnded]:
        """Lets go of those who have waited long enough; ends of local activities that may be taken now."""
        if self.wait_ms != 0:
            return []
        now_ms = self._around.clock.monotonic_ms()
        self._until_ms = {name: at for name, at in self._until_ms.items() if at > now_ms}
        ended, self._ended = self._ended, []
        return ended

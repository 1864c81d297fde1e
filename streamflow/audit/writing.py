"""Appends entries to one namespace's audit topic, from an event loop.

An attempt is recorded once its outcome is known. Its answer waits for the acknowledgement, so that what a caller was told is in
the topic; but not for long, and what cannot be written refuses nothing: the log that it goes to is the one that the command went to,
and an operator must be able to act while a grant for this one topic is missing. Then the process's log has the entry and the error.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from streamflow import topology
from streamflow.model.audit import AuditEntry
from streamflow.observability import get_logger
from streamflow.ports import Log, LogError, OutRecord, Producer, TopicMissing
from streamflow.threads import off_the_loop
from streamflow.topology.declarations import BROKER_DEFAULT
from streamflow.wire import entities

WAIT_S: Final = 5.0
"""How long an answer waits for its entry."""
UNWELL_S: Final = 60.0
"""After an entry that was not written, answers wait for none, and a missing topic is not looked for."""
UNACKNOWLEDGED_MAX: Final = 10_000
"""Entries under way; further ones are in the process's log alone."""

_say = get_logger("audit")


class AuditTopic:
    """Belongs to the event loop of its first entry."""

    def __init__(self, log: Log, namespace: str, *, creates: bool = False) -> None:
        """``creates`` makes the topic where it is missing."""
        self._log = log
        self._namespace = namespace
        self._creates = creates
        self._producer: Producer | None = None
        self._opening = asyncio.Lock()
        self._writing: set[asyncio.Task[None]] = set()
        self._unwell_until = 0.0

    async def write(self, entry: AuditEntry, *, wait: bool) -> None:
        """Writes it; with ``wait`` returns once it is durable or that takes too long. Raises nothing of the log's."""
        if len(self._writing) >= UNACKNOWLEDGED_MAX:
            self._failed("Expected the audit topic to keep up, found too many entries under way")
            return
        task = asyncio.get_running_loop().create_task(self._write(entry))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        if wait and not self._is_unwell():
            done, _ = await asyncio.wait([task], timeout=WAIT_S)
            if not done:
                self._failed(f"Expected an acknowledgement within {WAIT_S:.0f} s, found none yet")

    async def close(self) -> None:
        """Waits a little for what is under way."""
        if self._writing:
            await asyncio.wait(tuple(self._writing), timeout=WAIT_S)
        if self._producer is not None:
            await off_the_loop(self._log, self._producer.close)

    async def _write(self, entry: AuditEntry) -> None:
        error: Exception | None
        try:
            async with self._opening:
                producer = self._producer or await self._open()
            if producer is None:
                return  # said a moment ago
            error = await self._appended(producer, entry)
        except (LogError, topology.PlanRefused) as raised:
            error = raised
        if error is not None:
            self._failed(str(error))

    async def _open(self) -> Producer | None:
        if self._is_unwell():
            return None
        await off_the_loop(self._log, self._require_topic)
        self._producer = self._log.producer()
        return self._producer

    def _require_topic(self) -> None:
        topic = topology.audit_topic(self._namespace)
        if topology.is_there(self._log, topic):
            return
        if not self._creates:
            raise TopicMissing(
                f"Expected topic {topic}, found none, or no grant for it. Make it with: "
                f"{topology.apply_command(self._namespace)}; and give the gateway Read and Write: "
                "streamflow topology acls --role gateway",
                [topic],
            )
        declared = topology.declare(self._namespace, replication_factor=BROKER_DEFAULT, dev=True)
        topology.apply(self._log, topology.plan(self._log, declared))

    async def _appended(self, producer: Producer, entry: AuditEntry) -> LogError | None:
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[LogError | None] = loop.create_future()

        def told(error: LogError | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(outcome.set_result, error)

        record = OutRecord(
            topology.audit_topic(self._namespace),
            0,
            entry.workflow_id.encode() or None,
            entities.encode(entry),
        )
        producer.send(record, told)
        return await outcome

    def _failed(self, error: str) -> None:
        _say.error("audit_unwritten", namespace=self._namespace, error=error)
        self._unwell_until = asyncio.get_running_loop().time() + UNWELL_S

    def _is_unwell(self) -> bool:
        return asyncio.get_running_loop().time() < self._unwell_until

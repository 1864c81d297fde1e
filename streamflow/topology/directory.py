"""The directory of queues, ``{ns}.queues``: what each queue is, as the only truth about partition counts."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import msgspec

from streamflow.model.queues import QueueEntry, QueueKind
from streamflow.ports import Log, LogError, OutRecord, TopicPartition, Unavailable
from streamflow.topology.names import queues_topic
from streamflow.topology.presence import is_there
from streamflow.wire import entities

_WRITE_WAIT_MS = 30_000


class QueueMissing(Exception):
    """Nobody made this queue; the message says how to."""

    def __init__(self, namespace: str, queue: str, kind: QueueKind) -> None:
        self.namespace = namespace
        self.queue = queue
        self.command = apply_command(namespace, queue, kind=kind)
        super().__init__(
            f"Expected queue {queue!r} in namespace {namespace!r}, found no topics that streamflow made for it. "
            f"Make them with: {self.command}"
        )


class QueueMismatch(Exception):
    """The queue's topics are not what the directory says; nobody may work on it until they are."""


def apply_command(
    namespace: str, queue: str = "", *, kind: QueueKind = "workflow", partitions: int | None = None
) -> str:
    """What an operator types to make the queue; without one, what the namespace lacks."""
    words = ["streamflow", "topology", "apply", *(["--queue", queue] if queue else [])]
    if namespace != "default":
        words += ["--namespace", namespace]
    if kind == "activity":
        words += ["--kind", "activity"]
    if partitions is not None:
        words += ["--partitions", str(partitions)]
    return shlex.join(words)


def read_queues(log: Log, namespace: str) -> dict[str, QueueEntry]:
    """Every queue of the namespace by name; empty when it has none yet."""
    topic = queues_topic(namespace)
    if not is_there(log, topic):
        return {}
    reader = log.reader()
    try:
        entries: dict[str, QueueEntry] = {}
        partition = TopicPartition(topic, 0)
        start, end = reader.start_offset(partition), reader.end_offset(partition)
        for batch in reader.read(partition, start, end):
            for record in batch:
                name = (record.key or b"").decode()
                if record.value is None:
                    entries.pop(name, None)
                else:
                    entries[name] = entities.decode_queue(record.value)
        return entries
    finally:
        reader.close()


def write_queues(log: Log, namespace: str, entries: Sequence[QueueEntry]) -> None:
    """Records the entries, dated now, and returns once they are durable."""
    topic, now_ms = queues_topic(namespace), log.clock.now_ms()
    outcomes: list[LogError | None] = []
    producer = log.producer()
    try:
        for entry in entries:
            dated = msgspec.structs.replace(
                entry, applied_ms=now_ms, made_ms=entry.made_ms or now_ms
            )
            producer.send(
                OutRecord(topic, 0, entry.name.encode(), entities.encode(dated)), outcomes.append
            )
        producer.flush(_WRITE_WAIT_MS)
    finally:
        producer.close()
    for error in outcomes:
        if error is not None:
            raise error
    if len(outcomes) < len(entries):
        raise Unavailable(
            f"Expected {topic} to take {len(entries)} records within {_WRITE_WAIT_MS} ms"
        )

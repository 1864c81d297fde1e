"""Makes sure that a queue is there before somebody works on it."""

from __future__ import annotations

from collections.abc import Mapping

from streamflow.model.queues import QueueEntry, QueueKind
from streamflow.ports import Log, TopicState
from streamflow.topology.declarations import BROKER_DEFAULT, Queue, declare
from streamflow.topology.directory import QueueMismatch, QueueMissing, apply_command, read_queues
from streamflow.topology.planning import apply, plan
from streamflow.topology.safety import make_safe


def ensure_queue(
    log: Log, namespace: str, queue: str, *, kind: QueueKind, partitions: int = 12, create: bool
) -> QueueEntry:
    """The queue's directory entry, after comparing its topics with it. A workflow queue also serves activities.

    Raises:
        QueueMissing: it was never made, and ``create`` is off.
        QueueMismatch: its topics are gone or have another partition count.
        PlanRefused: it is to be made, but topics of its names exist that are not fit for it.
    """
    entry = read_queues(log, namespace).get(queue)
    if entry is None or (entry.kind, kind) == ("activity", "workflow"):
        if not create:
            raise QueueMissing(namespace, queue, kind)
        entry = _create(
            log,
            namespace,
            Queue(name=queue, kind=kind, partitions=entry.partitions if entry else partitions),
        )
    _compare(log, namespace, entry)
    return entry


def _create(log: Log, namespace: str, queue: Queue) -> QueueEntry:
    """Made on first use: with the broker's own replication, since nobody was asked."""
    declared = declare(namespace, [queue], replication_factor=BROKER_DEFAULT, dev=True)
    apply(log, plan(log, declared))
    made = read_queues(log, namespace)[queue.name]
    make_safe(log, namespace, made)
    return made


def _compare(log: Log, namespace: str, entry: QueueEntry) -> None:
    if _differences(entry, log.topics()):
        # What the client remembers of topics may be seconds old.
        for difference in _differences(entry, log.describe_topics(list(entry.topics))):
            command = apply_command(
                namespace, entry.name, kind=entry.kind, partitions=entry.partitions
            )
            raise QueueMismatch(
                f"{difference}. A missing topic comes back with: {command}. Where it is there, grant this client Describe on "
                f"topic {namespace}. as `streamflow topology acls` prints it: Kafka hides what one may not see. A changed count cannot be undone: "
                "move to a new queue (docs/topics.md, 'Changing the partition count')"
            )


def _differences(entry: QueueEntry, present: Mapping[str, TopicState]) -> list[str]:
    found = {
        topic: f"{present[topic].partitions} partitions" if topic in present else "no such topic"
        for topic in entry.topics
    }
    return [
        f"Expected topic {topic} with {partitions} partitions as the directory says, found {found[topic]}"
        for topic, partitions in entry.topics.items()
        if found[topic] != f"{partitions} partitions"
    ]

"""Who serves a queue now: which member has which partition, and how much of it is still to be read."""

from __future__ import annotations

from typing import Literal

import msgspec

from streamflow.model.queues import QueueEntry
from streamflow.ports import Log, TopicPartition
from streamflow.topology.names import activities_topic, activity_group, inbox_topic, processor_group

Role = Literal["processor", "activities"]
"""What a member does with its partitions: runs workflows, or runs activities."""


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One partition of a queue, as its group's coordinator sees it."""

    queue: str
    role: Role
    partition: int
    member: str | None
    """The instance name of who has it; ``None`` when nobody does."""
    position: int | None
    """The next offset to read; ``None`` when nobody has read yet."""
    end: int

    @property
    def lag(self) -> int:
        """Offsets that are still to be read: records, and the marks that transactions leave between them."""
        return self.end - (self.position or 0)


def shares(log: Log, namespace: str, entry: QueueEntry) -> list[Share]:
    """Every partition of the queue: those of its inbox, then those of its activities.

    Raises `Unavailable` when the log cannot be asked.
    """
    places: list[tuple[Role, str, str]] = [
        ("processor", inbox_topic(namespace, entry.name), processor_group(namespace, entry.name)),
        (
            "activities",
            activities_topic(namespace, entry.name),
            activity_group(namespace, entry.name),
        ),
    ]
    found: list[Share] = []
    reader = log.reader()
    try:
        for role, topic, group in places:
            wanted = [TopicPartition(topic, n) for n in range(entry.topics.get(topic, 0))]
            owners, positions = log.owners(group), log.positions(group, wanted)
            ends = reader.end_offsets(wanted)
            for one in wanted:
                position = positions.get(one)
                found.append(
                    Share(
                        queue=entry.name,
                        role=role,
                        partition=one.partition,
                        member=owners.get(one),
                        position=None if position is None else position.offset,
                        end=ends[one],
                    )
                )
    finally:
        reader.close()
    return found

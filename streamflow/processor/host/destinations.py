"""Which topics exist and how many partitions they have: a snapshot, so that nothing is ever sent to a topic that is not
there (a broker might create it). Refreshed when it is old, and sooner when something was missed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping

from streamflow.model.commands import ReplyTo
from streamflow.ports import Log, Unavailable
from streamflow.topology import activities_topic, inbox_topic, replies_topic

REFRESH_MS = 10_000
MISS_REFRESH_MS = 1_000
MISSED_MAX = 1_000
AWAITED_MAX = 10
"""Queues that are looked for at once: each costs a request."""


class Destinations:
    def __init__(self, log: Log, namespace: str) -> None:
        self._log = log
        self._replies = replies_topic(namespace)
        self._topics: dict[str, int] = {}
        self._read_ms = 0
        self._missing: set[str] = set()
        """Topics that the last snapshot did not have any more. Only the next one decides: a broker may be behind the others."""
        self._missed: dict[str, int] = {}
        """When each topic that is not there was last looked for."""
        self.activity_queues = QueueTopics(
            namespace, self._topics, activities_topic, log.withheld_topics
        )
        """Partition counts of the activities topics, by queue. Those that take nothing, as a grant is missing, count as
        missing too: the activity waits, with a hint."""
        self.workflow_queues = QueueTopics(namespace, self._topics, inbox_topic)
        """Partition counts of the inboxes, by queue."""

    def refresh(self) -> None:
        """Reads the topics again if the snapshot is old."""
        now_ms = self._log.clock.monotonic_ms()
        if self._topics and now_ms - self._read_ms < REFRESH_MS:
            return
        self._read_ms = now_ms
        found = {name: topic.partitions for name, topic in self._log.topics().items()}
        missing = self._topics.keys() - found.keys()
        for name in missing & self._missing:
            del self._topics[name]
        self._missing = missing
        self._topics.update(found)

    def look_for(self, topic: str) -> None:
        """Asks for one topic that the snapshot does not have: it may have been made a moment ago."""
        now_ms = self._log.clock.monotonic_ms()
        if (
            topic in self._topics
            or now_ms - self._missed.get(topic, -MISS_REFRESH_MS) < MISS_REFRESH_MS
        ):
            return
        if len(self._missed) >= MISSED_MAX:
            self._missed.clear()
        self._missed[topic] = now_ms
        found = self._log.describe_topics([topic])
        self._topics.update((name, state.partitions) for name, state in found.items())

    def look_for_awaited(self) -> None:
        """Looks again for the activity queues that were asked for in vain since the last time."""
        queues = self.activity_queues
        for queue in sorted(queues.take_missed()):
            with contextlib.suppress(Unavailable):
                self.look_for(queues.topic(queue))

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has; 0 if there is no such topic."""
        return self._topics.get(topic, 0)

    def withholds(self, topic: str) -> bool:
        """Whether the topic lately took nothing of this processor, as a grant is missing."""
        return topic in self._log.withheld_topics()

    def may_reply(self, to: ReplyTo) -> bool:
        """Answers go to this namespace's replies topic only, whatever a record's header says."""
        return to.topic == self._replies and 0 <= to.partition < self.partitions(to.topic)


class QueueTopics(Mapping[str, int]):
    """The queues that have a topic of one kind, found by its name."""

    def __init__(
        self,
        namespace: str,
        topics: Mapping[str, int],
        name_of: Callable[[str, str], str],
        withheld: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        """``withheld`` are topics that are not to be found although they are there."""
        self._withheld = withheld
        self._namespace = namespace
        self._topics = topics
        self._name_of = name_of
        self._names: dict[str, str] = {}
        self._missed: set[str] = set()

    def take_missed(self) -> set[str]:
        """The queues found missing since the last time; of many, some."""
        missed, self._missed = self._missed, set()
        return missed

    def __contains__(self, queue: object) -> bool:
        assert isinstance(queue, str)
        topic = self.topic(queue)
        there = topic in self._topics and topic not in self._withheld()
        if not there and len(self._missed) < AWAITED_MAX:
            self._missed.add(queue)
        return there

    def topic(self, queue: str) -> str:
        name = self._names.get(queue)
        if name is None:
            name = self._names[queue] = self._name_of(self._namespace, queue)
        return name

    def has_topic(self, topic: str) -> bool:
        """Whether this is the topic of a queue that was asked for."""
        return topic in self._names.values()

    def __getitem__(self, queue: str) -> int:
        return self._topics[self.topic(queue)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

"""Which topics exist and how many partitions they have: a snapshot, so that nothing is ever sent to a topic that is not
there (a broker might create it). Refreshed when it is old, and sooner when something was missed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from streamflow.model.commands import ReplyTo
from streamflow.ports import Log
from streamflow.topology import activities_topic, replies_topic

REFRESH_MS = 10_000
MISS_REFRESH_MS = 1_000


class Destinations:
    def __init__(self, log: Log, namespace: str) -> None:
        self._log = log
        self._replies = replies_topic(namespace)
        self._topics: dict[str, int] = {}
        self._read_ms = 0
        self.activity_queues = ActivityQueues(namespace, self._topics)
        """Partition counts of the activities topics, by queue."""

    def refresh(self, *, missed: bool = False) -> None:
        """Reads the topics again if the snapshot is old, or was found wanting and is not brand-new."""
        now_ms = self._log.clock.monotonic_ms()
        limit_ms = MISS_REFRESH_MS if missed else REFRESH_MS
        if self._topics and now_ms - self._read_ms < limit_ms:
            return
        self._read_ms = now_ms
        self._topics.update((name, topic.partitions) for name, topic in self._log.topics().items())

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has; 0 if there is no such topic."""
        return self._topics.get(topic, 0)

    def may_reply(self, to: ReplyTo) -> bool:
        """Answers go to this namespace's replies topic only, whatever a record's header says."""
        return to.topic == self._replies and 0 <= to.partition < self.partitions(to.topic)


class ActivityQueues(Mapping[str, int]):
    """The queues that can be sent tasks, found by their topics' names."""

    def __init__(self, namespace: str, topics: Mapping[str, int]) -> None:
        self._namespace = namespace
        self._topics = topics
        self._names: dict[str, str] = {}

    def topic(self, queue: str) -> str:
        name = self._names.get(queue)
        if name is None:
            name = self._names[queue] = activities_topic(self._namespace, queue)
        return name

    def __getitem__(self, queue: str) -> int:
        return self._topics[self.topic(queue)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

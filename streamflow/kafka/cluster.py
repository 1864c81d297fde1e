"""What the cluster has and knows: topics with their settings, ends of partitions, members and offsets of groups.

One admin client, used from any thread. Not here: records, and how members are asked for (`members`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from types import MappingProxyType
from typing import Any, Final

from confluent_kafka import (
    IsolationLevel,
    KafkaError,
    admin,
)

from streamflow.kafka.asking import Asking, ElectionMissed
from streamflow.kafka.errors import Needed
from streamflow.kafka.members import Members
from streamflow.kafka.options import KafkaOptions
from streamflow.kafka.records import from_client, to_client
from streamflow.observability import get_logger
from streamflow.ports import (
    LogError,
    TopicMissing,
    TopicPartition,
    TopicSpec,
    TopicState,
    Unavailable,
)

_log = get_logger("kafka")

# The library types its admin side only in part; what is `Any` here stays in this file.
_ADMIN: Final[Any] = admin

REQUEST_TIMEOUT_S: Final = 15.0
TOPIC_CREATION_TIMEOUT_S: Final = 30.0
_TOPIC_CREATION_POLL_S: Final = 0.02


class Cluster:
    """Asks and changes the cluster. Its picture of the topics is kept and taken again when it is old."""

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self.asking = Asking(options)
        self._members = Members(options)
        self._refreshing = threading.Lock()
        self._topics: Mapping[str, TopicState] = MappingProxyType({})
        self._partitions: dict[str, int] = {}
        self._taken_at: float | None = None
        self._missed: tuple[float, Unavailable] | None = None
        """When an answer was last given up, and why."""
        self._id = ""

    @property
    def _admin(self) -> Any:
        return self.asking.client

    def id(self) -> str:
        """The id that the cluster was formatted with; asked for once. Raises `Unavailable`."""
        if self._taken_at is None:
            self.refresh()
        return self._id

    def _settled(
        self, answer: Future[Any], what: str, needs: Needed, *, accept: Sequence[int] = ()
    ) -> Any:
        return self.asking.settled(
            answer, what, needs, timeout_s=REQUEST_TIMEOUT_S * 2, accept=accept
        )

    # -- topics ---------------------------------------------------------------------------------------------------

    def topics(self) -> Mapping[str, TopicState]:
        """The picture of the topics, at most ``topics_age_ms`` old unless the cluster cannot be reached."""
        taken_at = self._taken_at
        if taken_at is None:
            return self.refresh()
        if time.monotonic() - taken_at > self._options.topics_age_ms / 1000:
            try:
                return self.refresh()
            except Unavailable:
                _log.warning("topics_stale", age_s=round(time.monotonic() - taken_at, 1))
        return self._topics

    def refresh(self) -> Mapping[str, TopicState]:
        """The topics as of now."""
        asked_at = time.monotonic()
        with self._refreshing:
            if self._taken_at is not None and self._taken_at > asked_at:
                return self._topics
            if self._missed is not None and self._missed[0] > asked_at:
                # Whoever waited for an answer that did not come is not told so by asking again, one after the other.
                raise Unavailable(str(self._missed[1]))
            self._admin.poll(0)
            started_at = time.monotonic()
            try:
                found = self.asking.ask(
                    "the list of topics", self._admin.list_topics, timeout=REQUEST_TIMEOUT_S
                )
            except Unavailable as error:
                self._missed = (time.monotonic(), error)
                raise
            topics = {
                name: TopicState(
                    name=name,
                    partitions=len(topic.partitions),
                    replication_factor=max(
                        (len(p.replicas) for p in topic.partitions.values()), default=0
                    ),
                )
                for name, topic in found.topics.items()
                if topic.error is None
            }
            self._partitions = {name: topic.partitions for name, topic in topics.items()}
            self._topics = MappingProxyType(topics)
            self._id = found.cluster_id or ""
            self._taken_at = started_at
            return self._topics

    def has_partition(self, topic: str, partition: int) -> bool:
        """Whether the kept picture shows this partition; never asks the cluster."""
        return 0 <= partition < self._partitions.get(topic, 0)

    def describe(self, names: Sequence[str]) -> dict[str, TopicState]:
        known = self.refresh()
        wanted = [known[name] for name in dict.fromkeys(names) if name in known]
        if not wanted:
            return {}
        resources = [
            _ADMIN.ConfigResource(_ADMIN.ResourceType.TOPIC, topic.name) for topic in wanted
        ]
        answers = self.asking.ask(
            "topic settings",
            self._admin.describe_configs,
            resources,
            request_timeout=REQUEST_TIMEOUT_S,
        )
        described: dict[str, TopicState] = {}
        for topic, resource in zip(wanted, resources, strict=True):
            entries = self._settled(
                answers[resource],
                f"the settings of topic {topic.name}",
                Needed("DescribeConfigs", "topic", topic.name),
            )
            described[topic.name] = TopicState(
                name=topic.name,
                partitions=topic.partitions,
                replication_factor=topic.replication_factor,
                config={
                    name: entry.value for name, entry in entries.items() if entry.value is not None
                },
            )
        return described

    def create(self, specs: Sequence[TopicSpec]) -> None:
        missing = [spec for spec in specs if spec.name not in self.refresh()]
        if not missing:
            return
        new = [
            _ADMIN.NewTopic(
                spec.name,
                num_partitions=spec.partitions,
                replication_factor=spec.replication_factor,
                config=dict(spec.config),
            )
            for spec in missing
        ]
        answers = self.asking.ask(
            "new topics", self._admin.create_topics, new, request_timeout=REQUEST_TIMEOUT_S
        )
        for name, answer in answers.items():
            self._settled(
                answer,
                f"the new topic {name}",
                Needed("Create", "topic", name),
                accept=(KafkaError.TOPIC_ALREADY_EXISTS,),
            )
        self._wait_until_usable({spec.name: spec.partitions for spec in missing})

    def alter(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        resources = [
            _ADMIN.ConfigResource(
                _ADMIN.ResourceType.TOPIC,
                topic,
                incremental_configs=[
                    _ADMIN.ConfigEntry(
                        name, value, incremental_operation=_ADMIN.AlterConfigOpType.SET
                    )
                    for name, value in config.items()
                ],
            )
            for topic, config in changes.items()
            if config
        ]
        if not resources:
            return
        answers = self.asking.ask(
            "changed topic settings",
            self._admin.incremental_alter_configs,
            resources,
            request_timeout=REQUEST_TIMEOUT_S,
        )
        for resource, answer in answers.items():
            self._settled(
                answer,
                f"the changed settings of topic {resource.name}",
                Needed("AlterConfigs", "topic", resource.name),
            )

    def broker_addresses(self) -> dict[int, str]:
        found = self.asking.ask("the brokers", self._admin.list_topics, timeout=REQUEST_TIMEOUT_S)
        return {one.id: f"{one.host}:{one.port}" for one in found.brokers.values()}

    def ask_settings_of(self, broker: int, timeout_s: float) -> Future[Any]:
        """Its settings by name, once it has answered; a `KafkaException` where it does not."""
        resource = _ADMIN.ConfigResource(_ADMIN.ResourceType.BROKER, str(broker))
        answers: dict[Any, Future[Any]] = self.asking.ask(
            "a broker's settings",
            self._admin.describe_configs,
            [resource],
            request_timeout=timeout_s,
        )
        return answers[resource]

    def delete(self, names: Sequence[str]) -> None:
        """The coordinators of groups drop their positions in these topics by themselves."""
        known = self.refresh()
        present = [name for name in dict.fromkeys(names) if name in known]
        if not present:
            return
        answers = self.asking.ask(
            "deleted topics",
            self._admin.delete_topics,
            present,
            operation_timeout=REQUEST_TIMEOUT_S,
            request_timeout=REQUEST_TIMEOUT_S,
        )
        for name, answer in answers.items():
            self._settled(
                answer,
                f"topic {name} to be deleted",
                Needed("Delete", "topic", name),
                accept=(KafkaError.UNKNOWN_TOPIC_OR_PART,),
            )
        deadline = time.monotonic() + TOPIC_CREATION_TIMEOUT_S
        while left := [name for name in present if name in self.refresh()]:
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"Expected the topics {', '.join(left)} to be gone within {TOPIC_CREATION_TIMEOUT_S:.0f} s, found "
                    "them still. Look at the brokers' logs, and for who makes them again."
                )
            time.sleep(_TOPIC_CREATION_POLL_S)

    def require_topics(self, names: Iterable[str]) -> None:
        """Raises `TopicMissing` for topics that the cluster does not have now."""
        names = list(names)
        missing = [name for name in names if name not in self.topics()]
        if missing:
            missing = [name for name in missing if name not in self.refresh()]
        if missing:
            raise TopicMissing(
                f"Expected the topics {', '.join(missing)}, found none of that name. "
                "Create them with `streamflow topology apply`, or grant this client Describe on them: Kafka hides what one may not see.",
                missing,
            )

    def _wait_until_usable(self, partitions: Mapping[str, int]) -> None:
        """A new topic is known to one broker before the others, and its partitions have leaders later still."""
        deadline = time.monotonic() + TOPIC_CREATION_TIMEOUT_S
        while not all(self._usable(topic, count) for topic, count in partitions.items()):
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"Expected the new topics {', '.join(partitions)} within {TOPIC_CREATION_TIMEOUT_S:.0f} s, "
                    "found some without leaders. Look at the brokers' logs."
                )
            time.sleep(_TOPIC_CREATION_POLL_S)
        self.refresh()

    def _usable(self, topic: str, partitions: int) -> bool:
        found = self.asking.ask("new topics", self._admin.list_topics, timeout=REQUEST_TIMEOUT_S)
        state = found.topics.get(topic)
        if state is None or state.error is not None or len(state.partitions) < partitions:
            return False
        if not all(p.leader >= 0 and p.error is None for p in state.partitions.values()):
            return False
        try:
            # A leader that is named may not know it yet.
            self.end_offsets([TopicPartition(topic, number) for number in range(partitions)])
        except LogError:
            return False
        return True

    # -- ends -----------------------------------------------------------------------------------------------------

    def start_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """First offsets that retention has left."""
        return self._offsets(partitions, _ADMIN.OffsetSpec.earliest())

    def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """High watermarks: a consumer's own query would give the last stable offsets."""
        return self._offsets(partitions, _ADMIN.OffsetSpec.latest())

    def _offsets(
        self, partitions: Iterable[TopicPartition], spec: Any
    ) -> dict[TopicPartition, int]:
        asked = {to_client(partition): spec for partition in partitions}
        if not asked:
            return {}
        try:
            return self._offsets_of_known_leaders(asked)
        except ElectionMissed:
            # The library asks the leaders of the epochs that it knows, and does not look again by itself.
            self.refresh()
            return self._offsets_of_known_leaders(asked)

    def _offsets_of_known_leaders(self, asked: dict[Any, Any]) -> dict[TopicPartition, int]:
        answers = self.asking.ask(
            "offsets of partitions",
            self._admin.list_offsets,
            asked,
            isolation_level=IsolationLevel.READ_UNCOMMITTED,
            request_timeout=REQUEST_TIMEOUT_S,
        )
        found: dict[TopicPartition, int] = {}
        for partition, answer in answers.items():
            what = f"an offset of {partition.topic}/{partition.partition}"
            offset = self._settled(
                answer, what, Needed("Describe", "topic", partition.topic)
            ).offset
            if offset < 0:
                # A leader that has just been elected may answer with neither an offset nor an error.
                raise ElectionMissed(f"Expected {what}, found none yet. Try again.")
            found[from_client(partition)] = offset
        return found

    # -- groups ---------------------------------------------------------------------------------------------------

    def live_members(self, group: str) -> frozenset[str]:
        """Instance names of the group's members; a member without one is given by its member ID."""
        return frozenset(_name_of(member) for member in self._members.of(group))

    def owners(self, group: str) -> dict[TopicPartition, str]:
        """Which member has which partition."""
        return {
            from_client(partition): _name_of(member)
            for member in self._members.of(group)
            if member.assignment is not None
            for partition in member.assignment.topic_partitions
        }


def _name_of(member: Any) -> str:
    name: str = member.group_instance_id or member.member_id
    return name

"""What topics there should be: ``topology/topics.toml``, filled in for a namespace and its queues."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import blake2b
from typing import Final, Literal

import msgspec

from streamflow.model.queues import QueueEntry, QueueKind
from streamflow.ports import TopicSpec
from streamflow.topology.names import check_namespace, encode_queue
from streamflow.wire.files import read_data

BROKER_DEFAULT: Final = -1
"""As a replication factor: the broker's ``default.replication.factor``."""

_UNITS: Final = {"d": 86_400_000, "h": 3_600_000, "min": 60_000, "s": 1_000}
_DURATION: Final = re.compile(r"(\d+) (d|h|min|s)")


class TopicDeclaration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One topic of ``topics.toml``."""

    name: str
    per: Literal["workflow-queue", "queue", "namespace"]
    key: str
    holds: str
    schemas: tuple[str, ...]
    config: dict[str, str] = {}
    partitions: int | None = None


class Defaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for every topic that does not say otherwise."""

    partitions: int
    replication_factor: int
    min_insync_replicas: int
    config: dict[str, str]


class TopicsFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of ``topics.toml``."""

    defaults: Defaults
    topics: dict[str, TopicDeclaration]


class Role(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of streamflow in ``processor.toml``: what it reads and writes, by the names of ``topics.toml``."""

    what: str
    group: str = ""
    consumes: tuple[str, ...] = ()
    restores_from: tuple[str, ...] = ()
    tails: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    in_transaction: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    user_topics: dict[str, str] = {}


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """A queue to be made, or kept as it is."""

    name: str
    partitions: int | None = None
    """``None`` is the default of ``topics.toml``, or what an existing queue has."""
    kind: QueueKind = "workflow"


class Declarations(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that should be there for some queues of a namespace."""

    namespace: str
    topics: tuple[TopicSpec, ...]
    queues: tuple[QueueEntry, ...]
    dev: bool = False
    """Whether one broker is enough: unsafe replication is then no reason to refuse."""


@cache
def topics_file() -> TopicsFile:
    return msgspec.toml.decode(read_data("topology", "topics.toml"), type=TopicsFile)


@cache
def roles() -> Mapping[str, Role]:
    return msgspec.toml.decode(read_data("topology", "processor.toml"), type=dict[str, Role])


def declare(
    namespace: str,
    queues: Sequence[Queue] = (),
    *,
    replication_factor: int | None = None,
    dev: bool = False,
) -> Declarations:
    """The topics of a namespace and of these queues. With ``dev`` one replica is enough unless told otherwise."""
    file = topics_file()
    check_namespace(namespace)
    replicas = replication_factor or (1 if dev else file.defaults.replication_factor)
    specs = [
        _spec(
            topic,
            topic.name.format(ns=namespace),
            topic.partitions or file.defaults.partitions,
            replicas,
        )
        for topic in file.topics.values()
        if topic.per == "namespace"
    ]
    entries: list[QueueEntry] = []
    for queue in queues:
        made = _queue_topics(namespace, queue, replicas)
        specs += made
        entries.append(
            QueueEntry(
                name=queue.name,
                partitions=_partitions(queue),
                kind=queue.kind,
                topics={spec.name: spec.partitions for spec in made},
                declaration=_fingerprint(made),
            )
        )
    return Declarations(namespace=namespace, topics=tuple(specs), queues=tuple(entries), dev=dev)


def _queue_topics(namespace: str, queue: Queue, replicas: int) -> list[TopicSpec]:
    pers = ("queue", "workflow-queue") if queue.kind == "workflow" else ("queue",)
    return [
        _spec(
            topic,
            topic.name.format(ns=namespace, queue=encode_queue(queue.name)),
            _partitions(queue),
            replicas,
        )
        for topic in topics_file().topics.values()
        if topic.per in pers
    ]


def _partitions(queue: Queue) -> int:
    count = queue.partitions or topics_file().defaults.partitions
    if not 1 <= count <= 10_000:
        raise ValueError(f"Expected 1 to 10000 partitions for queue {queue.name!r}, found {count}")
    return count


def _spec(topic: TopicDeclaration, name: str, partitions: int, replicas: int) -> TopicSpec:
    defaults = topics_file().defaults
    config = {key: in_broker_words(text) for key, text in (defaults.config | topic.config).items()}
    if replicas > 0:
        # With fewer replicas than declared, as many as may be missing in the declared case.
        spare = defaults.replication_factor - defaults.min_insync_replicas
        config["min.insync.replicas"] = str(
            max(1, min(defaults.min_insync_replicas, replicas - spare))
        )
    return TopicSpec(name=name, partitions=partitions, replication_factor=replicas, config=config)


def in_broker_words(text: str) -> str:
    """``30 d`` as milliseconds; anything else as it is."""
    duration = _DURATION.fullmatch(text)
    return str(int(duration[1]) * _UNITS[duration[2]]) if duration else text


def _fingerprint(specs: Sequence[TopicSpec]) -> str:
    text = msgspec.json.encode(specs, order="deterministic")
    return blake2b(text, digest_size=8).hexdigest()

"""The grants that each kind of process needs of Kafka, and no more: what an administrator gives to its principal.

    processor   runs workflows of its queues, and their local activities
    worker      runs activities of its queues
    client      starts workflows of these queues and speaks to them
    gateway     a client that also reads the feed of executions, for lists, notes who changed what, and does what operators ask
    admin       `streamflow topology apply`, `doctor`, `dlq`, `namespace`: a person or a pipeline, never a service

A process with two roles has the grants of both. DESCRIBE is not named where READ or WRITE implies it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, assert_never, get_args

import msgspec

from streamflow.topology.names import (
    activities_topic,
    activity_group,
    audit_topic,
    check_namespace,
    dead_letters_topic,
    encode_queue,
    executions_topic,
    history_topic,
    inbox_topic,
    processes_topic,
    processor_group,
    queues_topic,
    replies_topic,
)
from streamflow.topology.settings import settings_topic

Role = Literal["processor", "worker", "client", "gateway", "admin"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
Resource = Literal["topic", "group", "transactional-id", "cluster"]
CLUSTER_NAME: Final = "kafka-cluster"
"""What Kafka calls the cluster as a resource."""


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """Operations on one resource, or with ``prefixed`` on all whose names begin so."""

    resource: Resource
    name: str
    operations: tuple[str, ...]
    """In Kafka's words, as `Read`."""
    why: str
    prefixed: bool = False
    optional: bool = False
    """Whether all of the role's work is done without it too; ``why`` says what is missed then."""


def grants(
    namespace: str, queues: Sequence[str], role: Role, *, reaches: Iterable[str] = ()
) -> tuple[Grant, ...]:
    """What this role needs for these queues. ``reaches`` are other queues that its workflows start children and activities
    in, or signal.

    Raises:
        ValueError: it is no namespace, or a role that needs queues was given none.
    """
    check_namespace(namespace)
    if not queues and role != "admin":
        raise ValueError(f"Expected the queues of the {role}, found none. Give --queue.")
    found: list[Grant]
    match role:
        case "processor":
            found = [*_processor(namespace, queues), *_reaching(namespace, reaches)]
        case "worker":
            found = [*_worker(namespace, queues)]
        case "client":
            found = [*_client(namespace, queues)]
        case "gateway":
            found = [*_client(namespace, queues), *_lists(namespace)]
            found += _operators(namespace, queues)
        case "admin":
            found = [*_admin(namespace)]
        case _:
            assert_never(role)
    return tuple(found)


def _processor(namespace: str, queues: Sequence[str]) -> Iterable[Grant]:
    for queue in queues:
        inbox, history = inbox_topic(namespace, queue), history_topic(namespace, queue)
        yield _topic(inbox, "Read", "Write", why="commands, also from run to run")
        yield _topic(history, "Read", "Write", why="events, read again after a crash")
        yield _topic(activities_topic(namespace, queue), "Write", why="tasks leave")
        group = processor_group(namespace, queue)
        yield _group(group, "Read", why="partitions are shared out, positions committed")
        yield Grant(
            resource="transactional-id",
            name=f"{namespace}.{encode_queue(queue)}.",
            prefixed=True,
            operations=("Write",),
            why="every step is a transaction; the next owner ends a dead one's",
        )
    yield _topic(replies_topic(namespace), "Read", "Write", why="answers, given and asked for")
    yield _topic(executions_topic(namespace), "Write", why="the public feed")
    yield _topic(dead_letters_topic(namespace), "Write", why="what cannot be taken")
    yield _topic(processes_topic(namespace), "Write", why="how far restores are", optional=True)
    yield _topic(queues_topic(namespace), "Read", why="which queues there are")
    yield _topic(
        settings_topic(namespace),
        "Read",
        why="quotas of the namespace; without it they are not enforced",
        optional=True,
    )
    yield _settings_of_topics(namespace)
    yield _sight(namespace)
    yield _BROKERS


def _reaching(namespace: str, reaches: Iterable[str]) -> Iterable[Grant]:
    for queue in reaches:
        yield _topic(inbox_topic(namespace, queue), "Write", why="children and signals elsewhere")
        yield _topic(activities_topic(namespace, queue), "Write", why="activities elsewhere")
        group = processor_group(namespace, queue)
        yield _group(group, "Describe", why="whether anybody is there")


def _worker(namespace: str, queues: Sequence[str]) -> Iterable[Grant]:
    for queue in queues:
        group = activity_group(namespace, queue)
        yield _topic(activities_topic(namespace, queue), "Read", why="tasks")
        yield _topic(inbox_topic(namespace, queue), "Write", why="reports")
        yield _group(group, "Read", why="partitions are shared out, positions committed")
    yield _topic(replies_topic(namespace), "Read", why="whether an attempt still counts")
    yield _topic(dead_letters_topic(namespace), "Write", why="tasks that cannot be read")
    yield _topic(queues_topic(namespace), "Read", why="which queues there are")
    yield _on_all(namespace, "Describe", why="queues are as they were made")
    yield _settings_of_topics(namespace)
    yield _BROKERS


def _client(namespace: str, queues: Sequence[str]) -> Iterable[Grant]:
    for queue in queues:
        yield _topic(inbox_topic(namespace, queue), "Write", why="commands")
        yield Grant(
            resource="group",
            name=processor_group(namespace, queue),
            operations=("Describe",),
            why="who gets no answer is told whether anybody is there to give one",
            optional=True,
        )
    yield _topic(replies_topic(namespace), "Read", why="answers")
    yield _topic(queues_topic(namespace), "Read", why="which queues there are")
    yield _sight(namespace)


def _lists(namespace: str) -> Iterable[Grant]:
    yield _topic(executions_topic(namespace), "Read", why="lists of executions")
    yield _topic(settings_topic(namespace), "Read", why="search attributes in lists")
    yield _topic(processes_topic(namespace), "Read", why="how far restores are", optional=True)
    yield _topic(
        audit_topic(namespace),
        *("Read", "Write"),
        why="who changed what, noted and shown",
        optional=True,
    )


def _operators(namespace: str, queues: Sequence[str]) -> Iterable[Grant]:
    yield _topic(
        dead_letters_topic(namespace),
        *("Read", "Write"),
        why="dead letters shown, sent once more and put away",
        optional=True,
    )
    for queue in queues:
        yield _topic(
            activities_topic(namespace, queue),
            "Write",
            why="tasks among the dead letters sent once more",
            optional=True,
        )
        yield Grant(
            resource="group",
            name=activity_group(namespace, queue),
            operations=("Describe",),
            why="who runs the queue's activities, and how far that is",
            optional=True,
        )


def _admin(namespace: str) -> Iterable[Grant]:
    yield _on_all(
        namespace,
        *("Create", "Delete", "AlterConfigs", "Read", "Write"),
        why="topics are made, mended and deleted, histories verified, letters sent once more",
    )
    yield Grant(
        resource="group",
        name=f"{namespace}.",
        prefixed=True,
        operations=("Describe",),
        why="who works, and how far it has come",
    )
    yield _BROKERS


def _settings_of_topics(namespace: str) -> Grant:
    return _on_all(namespace, "DescribeConfigs", why="topics with unsafe settings are refused")


def _sight(namespace: str) -> Grant:
    return _on_all(
        namespace,
        "Describe",
        why="a queue that is not granted is told from one that is not there",
        optional=True,
    )


def _on_all(namespace: str, *operations: str, why: str, optional: bool = False) -> Grant:
    return Grant(
        resource="topic",
        name=f"{namespace}.",
        prefixed=True,
        operations=operations,
        why=why,
        optional=optional,
    )


def _topic(name: str, *operations: str, why: str, optional: bool = False) -> Grant:
    return Grant(resource="topic", name=name, operations=operations, why=why, optional=optional)


def _group(name: str, *operations: str, why: str) -> Grant:
    return Grant(resource="group", name=name, operations=operations, why=why)


_BROKERS: Final = Grant(
    resource="cluster",
    name=CLUSTER_NAME,
    operations=("DescribeConfigs",),
    why="unsafe brokers are refused; without it they are not noticed",
    optional=True,
)

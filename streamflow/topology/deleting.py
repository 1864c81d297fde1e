"""Deletes a namespace: the topics that were stamped for its queues, then its own, the stamp itself last.

Nothing is deleted that was not stamped, whatever it is called: not a topic of somebody else's with the namespace's prefix,
and nothing at all where neither a queue nor the namespace was noted. An interruption leaves the stamp, so the same call
again goes on where it stopped.
"""

from __future__ import annotations

import msgspec

from streamflow.ports import Log
from streamflow.topology.declarations import Queue, declare
from streamflow.topology.directory import read_queues
from streamflow.topology.names import activity_group, processor_group, queues_topic
from streamflow.topology.settings import read_settings, settings_topic


class NamespaceMissing(Exception):
    """There is no such namespace, or nobody stamped what has its name; the message says which."""


class NamespaceInUse(Exception):
    """Processors or workers of the namespace are alive; the message names them. Nothing was deleted."""

    def __init__(self, namespace: str, alive: tuple[str, ...]) -> None:
        self.namespace = namespace
        self.alive = alive
        super().__init__(
            f"Expected nobody at work in namespace {namespace!r}, found {', '.join(alive)}. End them first; who was killed "
            "leaves the group when its session is over"
        )


class Deletion(msgspec.Struct, frozen=True, kw_only=True):
    """What `delete_namespace` would delete, and what it would not touch."""

    namespace: str
    queues: tuple[str, ...]
    topics: tuple[str, ...]
    """In this order; the last one holds the stamp."""
    kept: tuple[str, ...] = ()
    """Topics with the namespace's prefix that were never stamped."""


def plan_deletion(log: Log, namespace: str) -> Deletion:
    """What a namespace consists of. Changes nothing.

    Raises:
        ValueError: no namespace can have this name.
        NamespaceMissing: nobody made it.
    """
    own = [spec.name for spec in declare(namespace).topics]
    # What the client remembers of topics may be seconds old: a fresh look at one takes all of them anew.
    log.describe_topics([queues_topic(namespace)])
    present = [name for name in sorted(log.topics()) if name.startswith(f"{namespace}.")]
    queues = read_queues(log, namespace)
    noted = read_settings(log, namespace).namespace is not None
    if not queues and not noted:
        found = f"only unstamped topics {', '.join(present)}" if present else "no topics of it"
        advice = (
            f". If they are streamflow's, note the namespace first: streamflow namespace create {namespace}"
            if present
            else ""
        )
        raise NamespaceMissing(f"Expected namespace {namespace!r}, found {found}{advice}")
    stamped = [
        name
        for entry in queues.values()
        for name in sorted(entry.topics)
        # The directory is data: it cannot name what is no topic of that queue.
        if name in _names_of(namespace, entry.name)
    ]
    stamp = settings_topic(namespace) if noted and not queues else queues_topic(namespace)
    ordered = [*stamped, *(name for name in own if name != stamp), stamp]
    return Deletion(
        namespace=namespace,
        queues=tuple(sorted(queues)),
        topics=tuple(name for name in dict.fromkeys(ordered) if name in present),
        kept=tuple(name for name in present if name not in ordered),
    )


def _names_of(namespace: str, queue: str) -> frozenset[str]:
    return frozenset(declare(namespace, [Queue(name=queue)]).queues[0].topics)


def delete_namespace(log: Log, namespace: str) -> Deletion:
    """Deletes it, and returns what was deleted once it is gone. Nothing brings it back.

    Whoever begins to work in it after the groups were asked is not seen: keep workers from starting meanwhile.

    Raises:
        NamespaceMissing: nobody made it.
        NamespaceInUse: a processor or a worker of one of its queues is alive.
    """
    planned = plan_deletion(log, namespace)
    alive = _alive(log, planned)
    if alive:
        raise NamespaceInUse(namespace, alive)
    log.delete_topics(planned.topics[:-1])
    log.delete_topics(planned.topics[-1:])
    return planned


def _alive(log: Log, planned: Deletion) -> tuple[str, ...]:
    """Members of the groups of its queues, as ``group: instance``."""
    return tuple(
        f"{group}: {member}"
        for queue in planned.queues
        for group in (
            processor_group(planned.namespace, queue),
            activity_group(planned.namespace, queue),
        )
        for member in sorted(log.live_members(group))
    )

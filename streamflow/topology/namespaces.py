"""Namespaces as those who look after them see them: made, described, and changed in their notes and quotas."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from streamflow.model.settings import NO_QUOTA, NamespaceEntry, Quota
from streamflow.ports import Log
from streamflow.topology.declarations import Declarations
from streamflow.topology.deleting import NamespaceMissing
from streamflow.topology.directory import read_queues
from streamflow.topology.planning import apply, plan
from streamflow.topology.settings import read_settings, settings_topic, write_namespace

FIGURE_MAX = 1_000_000_000
"""Of a quota."""
_MARK = ".settings"


class NamespaceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A namespace in a list."""

    namespace: str
    queues: int
    description: str = ""


class QueueFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A queue of a namespace."""

    name: str
    kind: str
    partitions: int


class NamespaceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A namespace with what was declared for it, and its topics."""

    namespace: str
    description: str
    owner: str
    open_workflows_max: int | None
    """Of each queue that has no figure of its own; ``null`` is no bound."""
    starts_per_second: float | None
    queue_quotas: Mapping[str, Quota]
    queues: tuple[QueueFacts, ...]
    search_attributes: Mapping[str, str]
    topics: tuple[str, ...]


class NamespaceChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be changed; what is unset stays."""

    queue: str = ""
    """The quotas are of this queue alone, in place of the namespace's."""
    quota: Mapping[str, int | float | None] = {}
    """Fields of `Quota`; None is no bound."""
    notes: Mapping[str, str] = {}
    """``description`` and ``owner``."""


def names_of_namespaces(log: Log) -> list[str]:
    """Those that have topics."""
    return sorted(
        topic.removesuffix(_MARK)
        for topic in log.topics()
        if topic.endswith(_MARK) and topic.count(".") == 1
    )


def summary_of(log: Log, name: str) -> NamespaceSummary:
    """Without queues and a description where it was not made."""
    entry = read_settings(log, name).namespace
    return NamespaceSummary(
        namespace=name,
        queues=len(read_queues(log, name)),
        description=entry.description if entry else "",
    )


def describe_namespace(log: Log, name: str) -> NamespaceFacts:
    """Raises `NamespaceMissing`."""
    topics = sorted(topic for topic in log.topics() if topic.startswith(f"{name}."))
    if not topics:
        raise NamespaceMissing(
            f"Expected namespace {name!r}, found no topics of it. Make it with: streamflow namespace create {name}"
        )
    settings = read_settings(log, name)
    entry = settings.namespace or NamespaceEntry(name=name)
    return NamespaceFacts(
        namespace=name,
        description=entry.description,
        owner=entry.owner,
        open_workflows_max=entry.open_workflows_max,
        starts_per_second=entry.starts_per_second,
        queue_quotas=dict(sorted(entry.queue_quotas.items())),
        queues=tuple(
            QueueFacts(name=queue.name, kind=queue.kind, partitions=queue.partitions)
            for queue in read_queues(log, name).values()
        ),
        search_attributes={one.name: one.kind for one in settings.search_attributes.values()},
        topics=tuple(topics),
    )


def make_namespace(log: Log, declared: Declarations, *, description: str, owner: str) -> None:
    """Makes its topics, and notes what it is for; of one that is there, changes the notes. Raises `PlanRefused`."""
    apply(log, plan(log, declared))
    entry = _entry(log, declared.namespace)
    write_namespace(log, msgspec.structs.replace(entry, description=description, owner=owner))


def change_namespace(log: Log, name: str, change: NamespaceChange) -> None:
    """Raises `NamespaceMissing` for a namespace that is not there, or a queue that it has not."""
    if settings_topic(name) not in log.topics():
        raise NamespaceMissing(
            f"Expected namespace {name!r}, found no settings of it. Make it with: streamflow namespace create {name}"
        )
    queue = change.queue
    if queue and queue not in (found := read_queues(log, name)):
        raise NamespaceMissing(
            f"Expected a queue of namespace {name!r}, found {queue!r}: it has {', '.join(sorted(found)) or 'none'}"
        )
    entry = _entry(log, name)
    if change.quota:
        own = entry.queue_quotas.get(queue, NO_QUOTA) if queue else entry.quota_of("")
        entry = entry.with_quota(queue, msgspec.structs.replace(own, **change.quota))
    write_namespace(log, msgspec.structs.replace(entry, **change.notes))


def _entry(log: Log, name: str) -> NamespaceEntry:
    """What is noted of the namespace, or what to note first."""
    noted = read_settings(log, name).namespace
    return noted or NamespaceEntry(name=name, made_ms=log.clock.now_ms())

"""What must be done to a log so that it is as declared: create, alter, or refuse with a reason.

A plan changes nothing. Applying one makes the topics, then stamps the queues in the directory; processors work only on
stamped queues. What could lose or misplace data is never changed under anybody's feet: the plan refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from streamflow.model.queues import QueueEntry
from streamflow.ports import Log, TopicSpec, TopicState
from streamflow.topology.declarations import Declarations
from streamflow.topology.directory import read_queues, write_queues

_BROKER_DEFAULTS: Final = {"cleanup.policy": "delete", "message.timestamp.type": "CreateTime"}
_SAFE_REPLICAS: Final = 3


class Create(msgspec.Struct, frozen=True):
    spec: TopicSpec


class Alter(msgspec.Struct, frozen=True):
    """Settings to change: name, what was found, what is declared."""

    topic: str
    changes: tuple[tuple[str, str, str], ...]


class Refuse(msgspec.Struct, frozen=True):
    """Why a topic or queue cannot be made as declared, and what to do."""

    name: str
    reason: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What `apply` would do. ``str(plan)`` is for people."""

    namespace: str
    creates: tuple[Create, ...] = ()
    alters: tuple[Alter, ...] = ()
    refusals: tuple[Refuse, ...] = ()
    stamps: tuple[QueueEntry, ...] = ()
    """Queues whose directory entry is to be written."""
    kept: tuple[str, ...] = ()
    """Topics that are as declared."""

    @property
    def empty(self) -> bool:
        return not (self.creates or self.alters or self.refusals or self.stamps)

    def __str__(self) -> str:
        lines = [
            f"+ create {create.spec.name} ({_outline(create.spec)})" for create in self.creates
        ]
        for alter in self.alters:
            lines.append(f"~ alter  {alter.topic}")
            lines += [
                f"         {name}: {found} -> {wanted}" for name, found, wanted in alter.changes
            ]
        lines += [
            f"+ stamp  queue {entry.name!r}, {entry.partitions} partitions, {entry.kind}"
            for entry in self.stamps
        ]
        lines += [f"! refuse {refusal.name}: {refusal.reason}" for refusal in self.refusals]
        lines += [f"= keep   {name}" for name in self.kept]
        return "\n".join(lines)


class PlanRefused(Exception):
    """Some of the declared topics exist in a way that must not be touched; nothing was changed."""

    def __init__(self, refusals: tuple[Refuse, ...]) -> None:
        super().__init__("\n".join(f"{refusal.name}: {refusal.reason}" for refusal in refusals))
        self.refusals = refusals


def plan(log: Log, declarations: Declarations) -> Plan:
    """The difference between what is declared and what is there."""
    found = log.describe_topics([spec.name for spec in declarations.topics])
    creates: list[Create] = []
    alters: list[Alter] = []
    refusals: list[Refuse] = []
    kept: list[str] = []
    for spec in declarations.topics:
        state = found.get(spec.name)
        if state is None:
            if declarations.dev or _is_safe(spec, spec.replication_factor):
                creates.append(Create(spec))
            else:
                refusals.append(Refuse(spec.name, _too_few(f"{spec.replication_factor} declared")))
            continue
        reasons = _refusals(spec, state, dev=declarations.dev)
        changes = _changes(spec, state)
        if reasons:
            refusals += (Refuse(spec.name, reason) for reason in reasons)
        elif changes:
            alters.append(Alter(spec.name, changes))
        else:
            kept.append(spec.name)
    stamps, conflicts = _stamps(read_queues(log, declarations.namespace), declarations.queues)
    return Plan(
        namespace=declarations.namespace,
        creates=tuple(creates),
        alters=tuple(alters),
        refusals=(*refusals, *conflicts),
        stamps=stamps,
        kept=tuple(kept),
    )


def apply(log: Log, planned: Plan) -> None:
    """Makes it so: topics first, the stamps last, so that a stamped queue is complete.

    Raises:
        PlanRefused: before anything was changed.
    """
    if planned.refusals:
        raise PlanRefused(planned.refusals)
    if planned.creates:
        log.create_topics([create.spec for create in planned.creates])
    if planned.alters:
        log.alter_topics(
            {
                alter.topic: {name: wanted for name, _, wanted in alter.changes}
                for alter in planned.alters
            }
        )
    if planned.stamps:
        write_queues(log, planned.namespace, planned.stamps)


def _refusals(spec: TopicSpec, state: TopicState, *, dev: bool) -> list[str]:
    reasons: list[str] = []
    if state.partitions != spec.partitions:
        reasons.append(
            f"Expected {spec.partitions} partitions, found {state.partitions}; the count decides where each workflow "
            "lives and is fixed. Declare the count that is there, or move to a new queue (docs/topics.md)"
        )
    for name in _BROKER_DEFAULTS:
        wanted, found = spec.config[name], setting(state, name)
        if found != wanted:
            reasons.append(
                f"Expected {name}={wanted}, found {found}; records may already be lost or misdated. "
                "Delete the topic if it is unused, and apply again"
            )
    if not dev and not _is_safe(spec, state.replication_factor):
        reasons.append(_too_few(f"{state.replication_factor} replicas or fewer declared"))
    return reasons


def _is_safe(spec: TopicSpec, replicas: int) -> bool:
    return replicas >= _SAFE_REPLICAS and int(spec.config.get("min.insync.replicas", "1")) >= 2


def _too_few(found: str) -> str:
    return (
        f"Expected at least {_SAFE_REPLICAS} replicas, two of them in sync, found {found}; one lost broker would lose "
        "runs. Add replicas, or apply with --dev if this cluster may lose data"
    )


def _changes(spec: TopicSpec, state: TopicState) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (name, setting(state, name), wanted)
        for name, wanted in sorted(spec.config.items())
        if setting(state, name) != wanted and not _is_stricter(name, setting(state, name), wanted)
    )


def _is_stricter(name: str, found: str, wanted: str) -> bool:
    """Applying with ``dev`` must not lower the safety that a topic has."""
    return name == "min.insync.replicas" and found.isdigit() and int(found) > int(wanted)


def setting(state: TopicState, name: str) -> str:
    """As the broker has it, or what it does where nothing is set."""
    return state.config.get(name, _BROKER_DEFAULTS.get(name, "unset"))


def _stamps(
    known: Mapping[str, QueueEntry], declared: tuple[QueueEntry, ...]
) -> tuple[tuple[QueueEntry, ...], list[Refuse]]:
    """Entries to write, and queues that are known as something else."""
    stamps: list[QueueEntry] = []
    conflicts: list[Refuse] = []
    for entry in declared:
        present = known.get(entry.name)
        if present is not None and present.partitions != entry.partitions:
            conflicts.append(
                Refuse(
                    f"queue {entry.name!r}",
                    f"Expected {present.partitions} partitions as in the directory, found {entry.partitions} declared; "
                    f"apply with --partitions {present.partitions}",
                )
            )
        elif present is not None and (present.kind, entry.kind) == ("workflow", "activity"):
            continue  # a workflow queue has all that an activity queue has
        elif present is None:
            stamps.append(entry)
        elif msgspec.structs.replace(present, applied_ms=0, made_ms=0) != entry:
            stamps.append(msgspec.structs.replace(entry, made_ms=present.made_ms))
    return tuple(stamps), conflicts


def _outline(spec: TopicSpec) -> str:
    replicas = "default" if spec.replication_factor < 1 else str(spec.replication_factor)
    return f"{spec.partitions} partitions, {replicas} replicas, {spec.config.get('cleanup.policy', 'delete')}"

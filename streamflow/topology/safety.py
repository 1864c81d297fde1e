"""Settings of topics and brokers under which acknowledged records may be lost, doubled or never forgotten.

Processors refuse to start on the fatal ones (`refuse_unsafe`); `streamflow doctor` shows all. Everything here has a command
that mends it. How many replicas a topic has is no fault by itself: one broker on a laptop has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from streamflow.model.queues import QueueEntry
from streamflow.ports import BrokerState, Log, TopicState
from streamflow.topology.declarations import Queue, declare
from streamflow.topology.directory import apply_command
from streamflow.topology.planning import setting

STORE_AGE_MS_MAX: Final = 6 * 86_400_000
"""How long a local store may not have followed its log and still be believed: tombstones must live longer than that."""

REPLICAS_SAFE: Final = 3
IN_SYNC_SAFE: Final = 2
VERSION_MIN: Final = "4.0"
_GONE_IN_4: Final = "inter.broker.protocol.version"
"""A setting that brokers had until 3.9; it says the version, and its absence that it is a later one."""
_ANSWERS_ENOUGH: Final = 1


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as it must be."""

    subject: str
    """The topic or the broker."""
    message: str
    """What was expected, what was found, and what comes of it."""
    command: str
    """What mends it."""
    fatal: bool
    """Whether nobody should work on it as it is."""


class UnsafeSettings(Exception):
    """The log is set up in a way that loses what it has acknowledged; the message says what mends it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(
            "\n".join(
                f"{fault.subject}: {fault.message}. Mend it with: {fault.command}"
                for fault in faults
            )
        )


def refuse_unsafe(log: Log, namespace: str, queue: QueueEntry) -> None:
    """Raises `UnsafeSettings` for topics of this queue, or brokers, on which nobody should work. Logs of one process
    have neither."""
    brokers = log.brokers(answers_min=_ANSWERS_ENOUGH)
    if not brokers:
        return
    found = log.describe_topics(_topics_of(namespace, queue))
    faults = [*topic_faults(namespace, queue, found), *broker_faults(brokers)]
    fatal = [fault for fault in faults if fault.fatal]
    if fatal:
        raise UnsafeSettings(fatal)


def make_safe(log: Log, namespace: str, queue: QueueEntry) -> None:
    """Gives topics that were made with the broker's own number of replicas, three or more, what replicas are for."""
    if not log.brokers(answers_min=_ANSWERS_ENOUGH):
        return
    found = log.describe_topics(_topics_of(namespace, queue))
    log.alter_topics(
        {
            name: {"min.insync.replicas": str(IN_SYNC_SAFE)}
            for name, state in found.items()
            if _too_few_in_sync(state)
        }
    )


def topic_faults(namespace: str, queue: QueueEntry, found: Mapping[str, TopicState]) -> list[Fault]:
    """Of those of the queue's and the namespace's topics that were found."""
    declared = {
        spec.name: spec.config
        for spec in declare(namespace, [_as_declared(queue)], dev=True).topics
    }
    faults: list[Fault] = []
    for name, state in found.items():
        if name in declared:
            faults += _of_topic(namespace, queue, state, declared[name])
    return faults


def broker_faults(brokers: Iterable[BrokerState], *, dev: bool = False) -> list[Fault]:
    """Of the brokers that have answered. With ``dev`` one broker is enough."""
    faults: list[Fault] = []
    for broker in brokers:
        if broker.config is not None:
            faults += _of_broker(broker, broker.config, dev=dev)
    return faults


def _topics_of(namespace: str, queue: QueueEntry) -> list[str]:
    return [spec.name for spec in declare(namespace, [_as_declared(queue)], dev=True).topics]


def _as_declared(queue: QueueEntry) -> Queue:
    return Queue(name=queue.name, partitions=queue.partitions, kind=queue.kind)


def _of_topic(
    namespace: str, queue: QueueEntry, state: TopicState, wanted: Mapping[str, str]
) -> Iterable[Fault]:
    apply = apply_command(namespace, queue.name, kind=queue.kind)
    if state.replication_factor < REPLICAS_SAFE:
        apply += " --dev"
    for name, why in (
        ("cleanup.policy", "records that are needed may go, and those that are not stay"),
        ("message.timestamp.type", "retention and timers go by the clocks of whoever writes"),
    ):
        is_now = setting(state, name)
        if is_now != wanted[name]:
            yield Fault(
                subject=state.name,
                message=f"Expected {name}={wanted[name]}, found {is_now}: {why}",
                command=f"kafka-configs.sh --alter --entity-type topics --entity-name {state.name} "
                f"--add-config {name}={wanted[name]}",
                fatal=True,
            )
    if state.config.get("unclean.leader.election.enable") == "true":
        yield Fault(
            subject=state.name,
            message="Expected unclean.leader.election.enable=false, found true: a replica that lacks acknowledged "
            "records may become the leader",
            command=apply,
            fatal=True,
        )
    if _too_few_in_sync(state):
        yield Fault(
            subject=state.name,
            message=f"Expected min.insync.replicas of at least {IN_SYNC_SAFE} with {state.replication_factor} replicas, "
            f"found {setting(state, 'min.insync.replicas')}: one lost broker may take acknowledged records with it",
            command=apply,
            fatal=True,
        )
    if "compact" in wanted["cleanup.policy"] and _below(
        state, "delete.retention.ms", STORE_AGE_MS_MAX
    ):
        yield Fault(
            subject=state.name,
            message=f"Expected delete.retention.ms={wanted['delete.retention.ms']}, found "
            f"{setting(state, 'delete.retention.ms')}: what was deleted comes back in a store that was away for longer",
            command=apply,
            fatal=True,
        )
    for name, why in (
        ("retention.ms", "what nobody has read by then is gone"),
        ("max.message.bytes", "larger records are refused"),
    ):
        if name in wanted and _below(state, name, int(wanted[name])):
            yield Fault(
                subject=state.name,
                message=f"Expected {name}={wanted[name]}, found {setting(state, name)}: {why}",
                command=apply,
                fatal=False,
            )


def _too_few_in_sync(state: TopicState) -> bool:
    return state.replication_factor >= REPLICAS_SAFE and _below(
        state, "min.insync.replicas", IN_SYNC_SAFE
    )


def _below(state: TopicState, name: str, least: int) -> bool:
    """Whether a number is set that is too small; -1 is no bound at all."""
    said = state.config.get(name, "")
    return said.isdigit() and int(said) < least


def _of_broker(broker: BrokerState, config: Mapping[str, str], *, dev: bool) -> Iterable[Fault]:
    subject = f"broker {broker.id} ({broker.address})"
    if _GONE_IN_4 in config:
        yield Fault(
            subject=subject,
            message=f"Expected Apache Kafka {VERSION_MIN} or later, found {config[_GONE_IN_4]}: its transactions can be "
            "ended by requests that come late",
            command="an upgrade of the brokers (docs/operations.md, 'Kafka')",
            fatal=True,
        )
    for name, least, why in (
        ("transaction.max.timeout.ms", 10_000, "no processor could open a transaction"),
        ("group.max.session.timeout.ms", 6_000, "no processor could join its group"),
    ):
        if _number(config, name) is not None and int(config[name]) < least:
            yield _broker_fault(broker, subject, name, f"{least} or more", config[name], why)
    if (_number(config, "group.min.session.timeout.ms") or 0) > 6_000:
        yield _broker_fault(
            broker,
            subject,
            "group.min.session.timeout.ms",
            "6000 or less",
            config["group.min.session.timeout.ms"],
            "no processor could join its group",
        )
    for name, good, why in (
        ("auto.create.topics.enable", "false", "a typing error becomes a topic"),
        ("log.cleaner.enable", "true", "histories grow for ever"),
    ):
        if config.get(name, good) != good:
            yield _broker_fault(broker, subject, name, good, config[name], why, fatal=False)
    if dev:
        return
    for name, least in (
        ("transaction.state.log.replication.factor", REPLICAS_SAFE),
        ("transaction.state.log.min.isr", IN_SYNC_SAFE),
        ("offsets.topic.replication.factor", REPLICAS_SAFE),
    ):
        if _number(config, name) is not None and int(config[name]) < least:
            yield _broker_fault(
                broker,
                subject,
                name,
                f"{least} or more",
                config[name],
                "one lost broker may take the outcome of transactions with it. It counts when the topic is made: give an "
                "existing one more replicas with kafka-reassign-partitions.sh. Or call this cluster one for development: "
                "--dev",
                fatal=False,
            )


def _broker_fault(
    broker: BrokerState,
    subject: str,
    name: str,
    wanted: str,
    found: str,
    why: str,
    *,
    fatal: bool = True,
) -> Fault:
    return Fault(
        subject=subject,
        message=f"Expected {name} to be {wanted}, found {found}: {why}",
        command=f"{name} in server.properties of broker {broker.id}, and a restart",
        fatal=fatal,
    )


def _number(config: Mapping[str, str], name: str) -> int | None:
    said = config.get(name, "")
    return int(said) if said.isdigit() else None

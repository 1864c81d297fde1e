"""The quick look at a namespace: asks the log and this machine, and reads no more than the ends of histories."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from streamflow import topology
from streamflow.doctor.clock import clock_findings
from streamflow.doctor.findings import Finding, fine, note, problem
from streamflow.doctor.machine import machine_findings
from streamflow.doctor.positions import position_findings
from streamflow.model.queues import QueueEntry
from streamflow.ports import BrokerState, Log
from streamflow.topology.planning import setting


def examine(
    log: Log,
    namespace: str,
    queues: Sequence[str] = (),
    *,
    dev: bool = False,
    state_dir: Path | None = None,
) -> list[Finding]:
    """Findings about the brokers, this machine, the namespace and each of its queues (or of those that are named).

    With ``dev`` one broker is enough.

    Raises:
        QueueMissing: a queue that is named was never made.
        Unavailable: the log cannot be asked.
    """
    brokers = log.brokers()
    findings = [*broker_findings(brokers, dev=dev), *machine_findings(state_dir)]
    known = topology.read_queues(log, namespace)
    for name in queues:
        if name not in known:
            raise topology.QueueMissing(namespace, name, "workflow")
    chosen = [known[name] for name in (queues or sorted(known))]
    if not chosen:
        findings.append(
            note(
                f"namespace {namespace}",
                "Expected a queue, found none",
                topology.apply_command(namespace, "QUEUE"),
            )
        )
        return findings
    if brokers:
        findings += clock_findings(log, namespace)
    for queue in chosen:
        findings += topic_findings(log, namespace, queue, dev=dev or not brokers)
        if queue.kind == "workflow":
            findings += position_findings(log, namespace, queue)
    return findings


def broker_findings(brokers: Sequence[BrokerState], *, dev: bool) -> list[Finding]:
    faults = topology.broker_faults(brokers, dev=dev)
    found = [_of_fault(fault) for fault in faults]
    at_fault = {fault.subject for fault in faults}
    for broker in brokers:
        subject = f"broker {broker.id} ({broker.address})"
        if broker.config is None:
            found.append(
                note(
                    subject,
                    "Expected its settings, found that it does not say them: it is away, or this client has no right to "
                    "DescribeConfigs of the cluster",
                )
            )
        elif subject not in at_fault:
            found.append(fine(subject, "settings are as they must be"))
    if 0 < len(brokers) < topology.REPLICAS_SAFE and not dev:
        found.append(
            problem(
                "brokers",
                f"Expected {topology.REPLICAS_SAFE} brokers or more, found {len(brokers)}: one lost broker loses runs",
                "more brokers; or --dev, if this cluster may lose data",
            )
        )
    return found


def topic_findings(log: Log, namespace: str, queue: QueueEntry, *, dev: bool) -> list[Finding]:
    """Topics that are missing or not as declared."""
    wanted = topology.Queue(name=queue.name, partitions=queue.partitions, kind=queue.kind)
    declared = topology.declare(namespace, [wanted], dev=True)
    found = log.describe_topics([spec.name for spec in declared.topics])
    apply = topology.apply_command(namespace, queue.name, kind=queue.kind) + (
        " --dev" if dev else ""
    )
    findings = [_of_fault(fault) for fault in topology.topic_faults(namespace, queue, found)]
    for spec in declared.topics:
        state = found.get(spec.name)
        if state is None:
            findings.append(problem(spec.name, "Expected this topic, found none", apply))
            continue
        if state.partitions != spec.partitions:
            findings.append(
                problem(
                    spec.name,
                    f"Expected {spec.partitions} partitions, found {state.partitions}: workflows are not where their IDs say",
                    "a new queue (docs/topics.md, 'Changing the partition count')",
                )
            )
        if not dev and state.replication_factor < topology.REPLICAS_SAFE:
            findings.append(
                problem(
                    spec.name,
                    f"Expected {topology.REPLICAS_SAFE} replicas, found {state.replication_factor}: one lost broker loses "
                    "runs",
                    "kafka-reassign-partitions.sh; or --dev, if this cluster may lose data",
                )
            )
        judged = {finding.message.split("=")[0] for finding in findings}
        others = {
            name: (setting(state, name), value)
            for name, value in spec.config.items()
            if name != "min.insync.replicas"
            and setting(state, name) != value
            and not any(name in one for one in judged)
        }
        for name, (is_now, value) in sorted(others.items()):
            findings.append(note(spec.name, f"Declared is {name}={value}, found {is_now}", apply))
    if all(spec.name not in {finding.subject for finding in findings} for spec in declared.topics):
        findings.append(
            fine(f"queue {queue.name}", f"{len(declared.topics)} topics are as declared")
        )
    return findings


def _of_fault(fault: topology.Fault) -> Finding:
    make = problem if fault.fatal else note
    return make(fault.subject, fault.message, fault.command)

"""Reads the whole history of a queue and says what of it is not as a processor writes it.

A queue that is being worked on may be verified too: what its transactions write meanwhile is read or not, but never in part.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable

import msgspec

from streamflow.doctor.chains import BrokenRun, Chains
from streamflow.model.queues import QueueEntry
from streamflow.ports import Log, TopicPartition
from streamflow.topology import history_topic, inbox_topic, processor_group
from streamflow.wire.offset_note import read_note


class Verification(msgspec.Struct, kw_only=True):
    """What was read of a queue's history, and what is wrong with it."""

    namespace: str
    queue: str
    records: int = 0
    events: int = 0
    runs: int = 0
    open_runs: int = 0
    foreign: int = 0
    """Records that are not ours: they are passed over."""
    broken: list[BrokenRun] = msgspec.field(default_factory=list[BrokenRun])
    problems: list[str] = msgspec.field(default_factory=list[str])
    """What is wrong beside single runs, each with its place."""

    @property
    def sound(self) -> bool:
        return not (self.broken or self.problems)


def verify(
    log: Log,
    namespace: str,
    queue: QueueEntry,
    *,
    partitions: Iterable[int] | None = None,
    told: Callable[[int], None] = lambda _: None,
) -> Verification:
    """Of all partitions, or of these. ``told`` hears how many records were read further.

    Raises:
        Unavailable: the log cannot be read to its end, for a transaction is undecided, or a partition has no leader.
    """
    found = Verification(namespace=namespace, queue=queue.name)
    for partition in range(queue.partitions) if partitions is None else partitions:
        _verify_partition(log, found, queue, partition, told)
    return found


def _verify_partition(
    log: Log, found: Verification, queue: QueueEntry, partition: int, told: Callable[[int], None]
) -> None:
    history = TopicPartition(history_topic(found.namespace, queue.name), partition)
    inbox = TopicPartition(inbox_topic(found.namespace, queue.name), partition)
    # Before the history's end is asked for: what the offset speaks of is below that end.
    committed = log.positions(processor_group(found.namespace, queue.name), [inbox])[inbox]
    chains = Chains(partition, queue.partitions)
    reader = log.reader()
    try:
        end = reader.end_offset(history)
        for batch in reader.read(history, reader.start_offset(history), end):
            for record in batch:
                chains.add(record)
            found.records += len(batch)
            told(len(batch))
        inbox_end = reader.end_offset(inbox)
    finally:
        reader.close()
    found.events += chains.events
    found.runs += chains.runs_seen
    found.foreign += chains.foreign
    found.broken += chains.broken_runs()
    where = f"{history.topic}/{partition}"
    found.problems += [f"{where} {problem}" for problem in chains.problems]
    if chains.problems_count > len(chains.problems):
        found.problems.append(f"{where}: and {chains.problems_count - len(chains.problems)} more")
    for workflow_id, runs in chains.open_runs().items():
        found.open_runs += len(runs)
        if len(runs) > 1:
            found.problems.append(
                f"{where}: Expected one open run of workflow {workflow_id!r}, found {', '.join(runs)}"
            )
    told_by_offset, position = read_note(committed), chains.position
    if told_by_offset is not None and (
        position is None or told_by_offset.ordinal > position.ordinal
    ):
        found.problems.append(
            f"{where}: Expected transaction {told_by_offset.ordinal} as the group's offset says, found "
            f"{position.ordinal if position else 'none'} to be the last: a torn transaction, whose input is read again "
            "(ADR 15)"
        )
    if position is not None and position.inbox_offset > inbox_end:
        found.problems.append(
            f"{where}: Expected the inbox to have offset {position.inbox_offset}, to which it was read, found its end at "
            f"{inbox_end}: it is not the inbox that this history was made of"
        )


def repair(namespace: str, queue: str, run: BrokenRun) -> tuple[str, ...]:
    """Commands that an operator has the choice of, the mildest first. After them all is as if the rest had not happened."""
    where = [run.workflow_id, "--run-id", run.run_id, "--queue", queue]
    if namespace != "default":
        where += ["--namespace", namespace]
    delete = shlex.join(["streamflow", "workflow", "delete", *where])
    if not run.last_step:
        return (delete,)
    reset = ["streamflow", "workflow", "reset", *where, "--event", str(run.last_step)]
    return (shlex.join(reset), delete)

"""Where each partition of a queue stands: the group's offset beside the history's position record and the inbox's ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from streamflow.doctor.findings import Finding, fine, note, problem
from streamflow.model.queues import QueueEntry
from streamflow.model.tasks import PositionRecord
from streamflow.ports import Committed, Log, Reader, TopicPartition, Unavailable
from streamflow.topology import history_topic, inbox_topic, processor_group
from streamflow.wire.entities import decode_position
from streamflow.wire.errors import Undecodable
from streamflow.wire.keys import EntityKind, parse_key
from streamflow.wire.offset_note import read_note

TAIL: Final = 100
"""Offsets at a history's end that are read first: a transaction's position record is its last one."""


def position_findings(log: Log, namespace: str, queue: QueueEntry) -> list[Finding]:
    subject = f"queue {queue.name}"
    group = processor_group(namespace, queue.name)
    inboxes = [
        TopicPartition(inbox_topic(namespace, queue.name), number)
        for number in range(queue.partitions)
    ]
    # Before the histories' ends are asked for: what an offset speaks of is below that end.
    members = log.live_members(group)
    committed = log.positions(group, inboxes)
    findings: list[Finding] = []
    unread = 0
    reader = log.reader()
    try:
        for inbox in inboxes:
            history = TopicPartition(history_topic(namespace, queue.name), inbox.partition)
            end = reader.end_offset(inbox)
            position = last_position(reader, history)
            findings += _judge(reader, inbox, committed.get(inbox), position, end)
            unread += max(0, end - max(_read_to(committed.get(inbox), position), 0))
    except Unavailable as error:
        findings.append(
            problem(
                subject,
                str(error),
                "kafka-transactions.sh find-hanging, then abort; or the broker that leads it",
            )
        )
        return findings
    finally:
        reader.close()
    if not members and unread:
        findings.append(
            problem(
                subject,
                f"Expected a processor, found none alive, and up to {unread} records unread in its inbox",
                "streamflow worker MODULE:APP",
            )
        )
    elif not members:
        findings.append(note(subject, "no processor is alive, and nothing waits for one"))
    else:
        findings.append(
            fine(
                subject,
                f"{len(members)} processors are alive, up to {unread} records of the inbox are unread",
            )
        )
    return findings


def last_position(reader: Reader, history: TopicPartition) -> PositionRecord | None:
    """The latest position record; ``None`` for a partition that nobody ever worked on."""
    start, end = reader.start_offset(history), reader.end_offset(history)
    size = TAIL
    while True:
        begin = max(start, end - size)
        found: PositionRecord | None = None
        for batch in reader.read(history, begin, end):
            for record in batch:
                if record.key is not None and record.value is not None:
                    found = _position(record.key, record.value) or found
        if found is not None or begin == start:
            return found
        size *= 10


def _position(key: bytes, value: bytes) -> PositionRecord | None:
    try:
        return decode_position(value) if parse_key(key).kind is EntityKind.POSITION else None
    except Undecodable:
        return None  # `verify` tells of records that cannot be read


def _read_to(committed: Committed | None, position: PositionRecord | None) -> int:
    offset = -1 if committed is None else committed.offset
    return max(offset, -1 if position is None else position.inbox_offset)


def _judge(
    reader: Reader,
    inbox: TopicPartition,
    committed: Committed | None,
    position: PositionRecord | None,
    end: int,
) -> Iterator[Finding]:
    subject = f"{inbox.topic}/{inbox.partition}"
    said = read_note(committed)
    if said is not None and (position is None or said.ordinal > position.ordinal):
        yield problem(
            subject,
            f"Expected transaction {said.ordinal} in the history, as the group's offset says, found "
            f"{position.ordinal if position else 'none'} to be its last: the log has lost acknowledged records",
            "streamflow doctor --verify, and the brokers' logs; the input is made again by itself (ADR 15)",
        )
    if committed is not None and said is None:
        yield note(
            subject,
            "Expected an offset with a processor's note, found one without: somebody else has set it. A processor goes by "
            "the history's own record where there is one",
        )
    if committed is None and position is not None:
        yield note(
            subject,
            "The group's offset is gone (after 7 days without a processor); it is taken from the history's own record",
        )
    if position is None:
        return
    if position.inbox_offset > end:
        yield problem(
            subject,
            f"Expected offset {position.inbox_offset}, to which it was read, found the inbox to end at {end}: it was made "
            "anew, or put back",
            "the inbox from the same backup as the history; new records below that offset would be passed over",
        )
    elif position.inbox_offset < reader.start_offset(inbox):
        yield problem(
            subject,
            f"Expected the inbox from offset {position.inbox_offset} on, found that retention has left it from "
            f"{reader.start_offset(inbox)} on: what nobody had read is gone",
            "processors that run more often than the topic's retention.ms",
        )

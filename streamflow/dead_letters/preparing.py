"""A letter's record as it is sent again, or why it cannot be."""

from __future__ import annotations

import msgspec

from streamflow.dead_letters.letters import Letter, original
from streamflow.model.commands import StartWorkflow
from streamflow.ports import Headers, Log, OutRecord, Record
from streamflow.topology import (
    activities_topic,
    inbox_topic,
    partition_of_key,
    read_queues,
)
from streamflow.wire.entities import decode_task
from streamflow.wire.envelope import FORWARDED, MESSAGE_ID, text_headers
from streamflow.wire.errors import Undecodable
from streamflow.wire.inbox import REDRIVEN, decode_inbox


class CannotRedrive(Exception):
    """This letter stays where it is; the message says why, and what to do."""


class Destinations:
    """Topics of the namespace's queues: letters go there and nowhere else, whatever their headers say."""

    def __init__(self, log: Log, namespace: str) -> None:
        topics = log.topics()
        self.inboxes: dict[str, int] = {}
        self.activities: dict[str, int] = {}
        for name, queue in read_queues(log, namespace).items():
            if queue.kind == "workflow":
                self.inboxes[inbox_topic(namespace, name)] = queue.partitions
            tasks = activities_topic(namespace, name)
            if tasks in topics:
                self.activities[tasks] = topics[tasks].partitions


def prepare(
    letter: Letter, record: Record, destinations: Destinations, key: str | None
) -> OutRecord:
    """The record for the topic that it came from.

    Raises:
        CannotRedrive: it is not whole, there is no such topic, or it would become a letter again.
    """
    if letter.whole_bytes:
        raise CannotRedrive(
            f"Expected a whole record, found the first part of {letter.whole_bytes} bytes: have its sender send it "
            "again, smaller"
        )
    if not letter.has_value:
        raise CannotRedrive(
            "Expected a record with a value, found none: there is nothing to send. The record itself is in "
            f"{letter.source or 'its topic'} as long as that keeps it"
        )
    came = original(letter, record)
    if letter.topic in destinations.inboxes:
        return _command(letter, came, destinations.inboxes[letter.topic], key)
    if letter.topic in destinations.activities:
        return _task(letter, came, destinations.activities[letter.topic], key)
    raise CannotRedrive(
        "Expected a letter of an inbox or of activities of a queue in this namespace, found one of "
        f"{letter.topic or 'no topic'!r}"
    )


def _command(letter: Letter, came: Record, partitions: int, key: str | None) -> OutRecord:
    if key is not None:
        came = msgspec.structs.replace(came, key=key.encode())
    try:
        received = decode_inbox(came)
    except Undecodable as error:
        hint = "" if came.key else " (--key WORKFLOW_ID gives it one)"
        raise CannotRedrive(f"It would become a letter again: {error.message}{hint}") from None
    assert came.key is not None  # it was decoded
    message_id: str = received.envelope.message_id
    if isinstance(received.command, StartWorkflow) and received.command.chain is not None:
        # Its refusal is remembered under its own name, and would answer it for ever.
        message_id = f"{message_id} letter {letter.id}"
    headers = _headers(letter, came, message_id)
    partition = partition_of_key(came.key, partitions)
    return OutRecord(letter.topic, partition, came.key, came.value, headers)


def _task(letter: Letter, came: Record, partitions: int, key: str | None) -> OutRecord:
    if key is not None:
        raise CannotRedrive(
            "Expected no --key for an activity's task: it names its workflow itself"
        )
    try:
        decode_task(came.value or b"")
    except Undecodable as error:
        raise CannotRedrive(f"It would become a letter again: {error.message}") from None
    # Tasks have no order, so any partition will do.
    partition = partition_of_key(came.key or b"", partitions)
    return OutRecord(letter.topic, partition, came.key, came.value, _headers(letter, came, ""))


def _headers(letter: Letter, came: Record, message_id: str) -> Headers:
    """As they came, with the first letter's ID, and the name that the message had: copies of it are known by that."""
    kept = tuple(
        header for header in came.headers if header[0].lower() not in (FORWARDED, REDRIVEN)
    )
    added: Headers = ((REDRIVEN, str(letter.first or letter.id).encode()),)
    if message_id and text_headers(kept).get(MESSAGE_ID) != message_id:
        added = (*added, (MESSAGE_ID, message_id.encode()))
    return kept + added

"""Records that cross between askers and a queue: requests in its inbox, answers, and what could not be read.

An inbox record's key is the workflow ID in raw UTF-8. Its value is ours (Avro, single-object), or an outsider's: JSON,
public Avro with or without a registry's framing, a CloudEvent in binary or structured mode (`public`, `cloudevents`,
`framing`). What an outsider may ask is less than what our own clients and workers may.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, get_args

from streamflow.model.answers import Answer
from streamflow.model.commands import Command, Envelope, Received, ReplyTo
from streamflow.model.tasks import CancelTask
from streamflow.ports import Headers, OutRecord, Record
from streamflow.wire import (
    bounds,
    cloudevents,
    codec,
    envelope,
    framing,
    public,
    public_commands,
    public_reading,
)
from streamflow.wire.errors import HEADER, KEY, VALUE, Undecodable

SchemaLookup = Callable[[int], str]
"""Text of the schema that a registry knows by this id; raises LookupError if it knows none."""

_COMMANDS: Final[tuple[type, ...]] = get_args(Command)
_ANSWERS: Final[tuple[type, ...]] = (*get_args(Answer), CancelTask)
_ERRORS: Final = "__connect.errors."
TRUNCATED: Final = "sf-truncated"
REDRIVEN: Final = "sf-redriven"
"""On a record that was a dead letter before and is sent again: the first letter that it was."""


def encode_command(command: Command) -> bytes:
    return codec.encode(command)


def to_inbox(topic: str, partition: int, command: Command, sent: Envelope) -> OutRecord:
    """The request as our own senders write it."""
    return OutRecord(
        topic=topic,
        partition=partition,
        key=command.workflow_id.encode(),
        value=encode_command(command),
        headers=envelope.headers_of(sent),
    )


def decode_inbox(record: Record, *, lookup: SchemaLookup | None = None) -> Received:
    """The command of an inbox record, with its envelope. ``lookup`` serves records framed by a schema registry.

    Raises:
        Undecodable: this record can never be acted on; it belongs among the dead letters.
    """
    workflow_id = _workflow_id(record.key)
    value = _bounded(record.value)
    headers = envelope.text_headers(record.headers)
    if value[:2] == codec.MARK and not _is_public(value):
        command = _own_command(value, workflow_id)
        return Received(envelope.envelope_of(record, headers), command)
    message, event_id = _public_message(value, headers, workflow_id, lookup)
    command = public_commands.command_of(message, workflow_id)
    sent = envelope.envelope_of(record, headers, event_id=event_id)
    if sent.reply_to is None and public.needs_reply(message):
        raise Undecodable(
            HEADER,
            f"Expected header {envelope.REPLY_TO} = topic/partition/request_id with a "
            f"{public.kind_of(message)}, found {headers.get(envelope.REPLY_TO)!r}; without it nobody gets the answer",
        )
    return Received(sent, command)


def _workflow_id(key: bytes | None) -> str:
    if not key:
        raise Undecodable(
            KEY, "Expected the workflow ID as the record's key, found no key or an empty one"
        )
    if len(key) > bounds.WORKFLOW_ID_BYTES_MAX:
        raise Undecodable(
            KEY,
            f"Expected a workflow ID of at most {bounds.WORKFLOW_ID_BYTES_MAX} bytes, found {len(key)}",
        )
    try:
        return key.decode()
    except UnicodeDecodeError:
        raise Undecodable(
            KEY,
            f"Expected the workflow ID as raw UTF-8, without Avro or JSON around it, found {key[:80]!r}",
        ) from None


def _bounded(value: bytes | None) -> bytes:
    if not value:
        raise Undecodable(VALUE, "Expected a command, found no value (inboxes know no tombstones)")
    if len(value) > bounds.RECORD_BYTES_MAX:
        raise Undecodable(
            VALUE,
            f"Expected at most {bounds.RECORD_BYTES_MAX} bytes, found {len(value)}; "
            "store large data elsewhere and send a reference",
        )
    return value


def _is_public(value: bytes) -> bool:
    path = codec.path_of(value)
    return path is not None and path.startswith("public/")


def _own_command(value: bytes, workflow_id: str) -> Command:
    command = codec.decode(value)
    if not isinstance(command, _COMMANDS):
        raise Undecodable(VALUE, f"Expected a command, found {type(command).__name__}")
    _same_workflow(command.workflow_id, workflow_id)  # type: ignore[attr-defined]  # every command has one
    return command  # type: ignore[return-value]  # the members of Command, by construction


def _same_workflow(said: str, key: str) -> None:
    if said != key:
        raise Undecodable(
            KEY, f"Expected the record's key to be the workflow ID {said!r}, found {key!r}"
        )


def _public_message(
    value: bytes, headers: dict[str, str], workflow_id: str, lookup: SchemaLookup | None
) -> tuple[public.Message, str]:
    """An outsider's message, and the ID of the CloudEvent that held it, if one did."""
    if value[:2] == codec.MARK:
        return public_reading.from_avro(*framing.own_record(value)), ""
    if value[:1] == b"\0":
        return public_reading.from_avro(*framing.registered_record(value, lookup)), ""
    implied = cloudevents.kind_of_type(headers.get("ce_type", ""))
    if cloudevents.is_structured(headers):
        event = cloudevents.parse_structured(value)
        if event.key:
            _same_workflow(event.key, workflow_id)
        return public_reading.from_json(event.data, event.kind), event.message_id
    return public_reading.from_json(value, implied), ""


def forward(record: Record, partition: int) -> OutRecord:
    """A record that arrived on the wrong partition, for the right one; it keeps the name of its first arrival."""
    arrival = f"{record.topic}/{record.partition}/{record.offset}".encode()
    headers = (*record.headers, (envelope.FORWARDED, arrival))
    return OutRecord(record.topic, partition, record.key, record.value, headers)


def may_be_forwarded(record: Record) -> bool:
    """Whether it still fits into a record of ours with one more header."""
    return _kept(record) == (record.key, record.value, record.headers)


def was_forwarded(record: Record) -> bool:
    return any(name == envelope.FORWARDED for name, _ in record.headers)


# -- answers ------------------------------------------------------------------------------------------------------


def reply_record(reply_to: ReplyTo, answer: Answer | CancelTask) -> OutRecord:
    return OutRecord(
        topic=reply_to.topic,
        partition=reply_to.partition,
        key=None,
        value=codec.encode(answer),
        headers=((envelope.REQUEST_ID, reply_to.request_id.encode()),),
    )


def decode_reply(record: Record) -> tuple[str, Answer | CancelTask]:
    """The request that is answered, and the answer.

    Raises:
        Undecodable: not an answer.
    """
    request_id = envelope.text_headers(record.headers).get(envelope.REQUEST_ID)
    if not request_id:
        raise Undecodable(HEADER, f"Expected header {envelope.REQUEST_ID}, found none")
    answer = codec.decode(record.value or b"")
    if not isinstance(answer, _ANSWERS):
        raise Undecodable(VALUE, f"Expected an answer, found {type(answer).__name__}")
    return request_id, answer  # type: ignore[return-value]  # the members of Answer, by construction


# -- dead letters -------------------------------------------------------------------------------------------------


def dead_letter(
    record: Record,
    *,
    topic: str,
    stage: str,
    message: str,
    partition: int = 0,
    connector: str = "streamflow",
) -> OutRecord:
    """The record untouched, with Kafka Connect's headers that say where it came from and what is wrong.

    ``connector`` is the name under which tools group them: ours is the queue's. Of a record that fits no more with
    these headers only the beginning is kept, and header ``sf-truncated`` tells its whole size: what cannot be stored
    would hold its partition up for ever.
    """
    key, value, headers = _kept(record)
    kept = tuple(header for header in headers if not header[0].startswith(_ERRORS))
    if (key, value, headers) != (record.key, record.value, record.headers):
        kept = (*kept, (TRUNCATED, str(_size(record)).encode()))
    said: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "connector.name": connector,
        "task.id": record.partition,
        "stage": stage,
        "class.name": "streamflow.wire.inbox",
        "exception.class.name": Undecodable.__name__,
        "exception.message": message[:4_000],
    }
    added: Headers = tuple(
        (_ERRORS + name, str(text).encode(errors="backslashreplace")) for name, text in said.items()
    )
    return OutRecord(topic, partition, key, value, kept + added)


def _kept(record: Record) -> tuple[bytes | None, bytes | None, Headers]:
    """As much of a record's key, value and headers as may stand in one of ours."""
    headers: list[tuple[str, bytes]] = []
    left = bounds.KEPT_HEADERS_BYTES_MAX
    for name, content in record.headers:
        left -= len(name.encode()) + len(content or b"")
        if left >= 0:
            headers.append((name, content))
    key, value = record.key, record.value
    return (
        None if key is None else key[: bounds.KEPT_KEY_BYTES_MAX],
        None if value is None else value[: bounds.KEPT_VALUE_BYTES_MAX],
        tuple(headers),
    )


def _size(record: Record) -> int:
    said = sum(len(name.encode()) + len(content or b"") for name, content in record.headers)
    return len(record.key or b"") + len(record.value or b"") + said

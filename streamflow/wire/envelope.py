"""Headers of a request or an answer: who asks, where the answer goes, and what makes two records copies of one message."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

import msgspec

from streamflow.model.commands import Envelope, ReplyTo
from streamflow.model.ids import MessageId
from streamflow.ports import Headers, Record
from streamflow.wire import bounds

MESSAGE_ID: Final = "sf-message-id"
REPLY_TO: Final = "sf-reply-to"
REQUEST_ID: Final = "sf-request-id"
EVERYBODY: Final = "*"
"""The request ID of what no one asked for and everyone who listens is to hear."""
FORWARDED: Final = "sf-forwarded"
TRACE_PARENT: Final = "traceparent"
CONTENT_TYPE: Final = "content-type"
CE_ID: Final = "ce_id"
CE_SOURCE: Final = "ce_source"
DEBEZIUM_ID: Final = "id"
AVRO: Final = "application/vnd.streamflow.avro"


def headers_of(envelope: Envelope) -> Headers:
    """As our own senders write them."""
    made: list[tuple[str, bytes]] = [
        (CONTENT_TYPE, AVRO.encode()),
        (MESSAGE_ID, envelope.message_id.encode()),
    ]
    if envelope.reply_to is not None:
        made.append((REPLY_TO, format_reply_to(envelope.reply_to)))
    if envelope.trace_parent:
        made.append((TRACE_PARENT, envelope.trace_parent.encode()))
    return tuple(made)


def envelope_of(record: Record, headers: Mapping[str, str], *, event_id: str = "") -> Envelope:
    """``event_id`` is what a structured CloudEvent says of itself, if the record is one."""
    message_id = (
        headers.get(MESSAGE_ID)
        or cloud_event_id(headers.get(CE_SOURCE, ""), headers.get(CE_ID, ""))
        or event_id
        or headers.get(DEBEZIUM_ID)
        or headers.get(FORWARDED)
        or f"{record.topic}/{record.partition}/{record.offset}"
    )
    return Envelope(
        message_id=shortened(message_id),
        reply_to=parse_reply_to(headers.get(REPLY_TO, "")),
        trace_parent=headers.get(TRACE_PARENT, "")[:256],
    )


def text_headers(headers: Headers) -> dict[str, str]:
    """Those that are UTF-8, under lower-case names; the last of a name counts, as is usual with Kafka."""
    texts: dict[str, str] = {}
    for name, value in headers:
        try:
            texts[name.lower()] = value.decode()
        except (UnicodeDecodeError, AttributeError):
            continue  # Kafka allows headers without a value, and of any bytes
    return texts


def cloud_event_id(source: str, event_id: str) -> str:
    """One text for the pair that names a CloudEvent; empty if it has no ID."""
    return msgspec.json.encode((source, event_id)).decode() if event_id else ""


def shortened(message_id: str) -> MessageId:
    if len(message_id) <= bounds.MESSAGE_ID_CHARS_MAX:
        return MessageId(message_id)
    digest = blake2b(message_id.encode(errors="surrogatepass"), digest_size=16).hexdigest()
    return MessageId(f"{message_id[: bounds.MESSAGE_ID_CHARS_MAX - 33]}~{digest}")


def format_reply_to(reply_to: ReplyTo) -> bytes:
    return f"{reply_to.topic}/{reply_to.partition}/{reply_to.request_id}".encode()


def parse_reply_to(text: str) -> ReplyTo | None:
    """The address, or ``None`` if it is none: a bad address never costs its sender the request itself."""
    topic, _, rest = text.partition("/")
    partition, _, request_id = rest.partition("/")
    if not (partition.isascii() and partition.isdigit() and len(partition) < 10):
        return None
    if not topic or len(topic) > bounds.TOPIC_CHARS_MAX:
        return None
    if not request_id or len(request_id) > bounds.REQUEST_ID_CHARS_MAX:
        return None
    return ReplyTo(topic, int(partition), request_id)

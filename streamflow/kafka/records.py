"""From the client library's messages to the facts of the port, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from confluent_kafka import TopicPartition as ClientPartition

from streamflow.ports import Committed, Headers, Record, TopicPartition


def to_record(message: Any) -> Record:
    """One message as a `Record`; hot, so it does nothing else."""
    headers = message.headers()
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        message.key(),
        message.value(),
        to_headers(headers) if headers else (),
        message.timestamp()[1],
    )


def to_headers(headers: list[tuple[str, bytes | None]]) -> Headers:
    """Other producers may send headers without a value; for us they are empty."""
    return tuple([(name, b"" if value is None else value) for name, value in headers])


def to_client(
    partition: TopicPartition, offset: int | None = None, metadata: str = ""
) -> ClientPartition:
    if offset is None:
        return ClientPartition(partition.topic, partition.partition)
    return ClientPartition(partition.topic, partition.partition, offset, metadata)


def from_client(partition: ClientPartition) -> TopicPartition:
    return TopicPartition(partition.topic, partition.partition)


def to_committed(partition: ClientPartition) -> Committed | None:
    """A negative offset is the library's word for none."""
    if partition.offset < 0:
        return None
    return Committed(partition.offset, partition.metadata or "")


def named(partitions: Iterable[TopicPartition]) -> str:
    """As messages name them."""
    return ", ".join(f"{p.topic}/{p.partition}" for p in partitions)

"""What a log holds and says: records, positions, topics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

Headers = tuple[tuple[str, bytes], ...]


class TopicPartition(NamedTuple):
    topic: str
    partition: int


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record as read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int


class OutRecord(msgspec.Struct, frozen=True, gc=False):
    """One record to append. The partition is always explicit: placement is decided by us, not by a client library."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Committed(NamedTuple):
    """A consumer group's position in one partition: the next offset to read, and free text beside it."""

    offset: int
    metadata: str = ""


class TopicSpec(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A topic as it should be: name, partitions, replicas and broker settings."""

    name: str
    partitions: int
    replication_factor: int = 1
    config: Mapping[str, str] = {}


class BrokerState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A broker of the log, for logs that have some."""

    id: int
    address: str
    """``HOST:PORT``."""
    config: Mapping[str, str] | None = None
    """Its settings; ``None`` where it did not say."""


class TopicState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A topic as it is."""

    name: str
    partitions: int
    replication_factor: int = 1
    config: Mapping[str, str] = {}

"""The edge: what the shells need of a log, a store and a clock. Three adapters of the log keep these promises.

Everything that blocks is owned by one thread, the driver's. A *machine* (processor, worker poller) is turned by a driver:
a plain thread on Kafka and the embedded log, a task on the caller's event loop on the memory log. That is how the
same machine runs in production and in a seeded simulation.

Errors name what the shell must do; nothing of a client library leaves an adapter.
"""

from __future__ import annotations

from streamflow.ports.errors import (
    Aborted,
    Fatal,
    Fenced,
    LogError,
    NotGranted,
    OutcomeUnknown,
    RecordRefused,
    StoreCorrupted,
    StoreTaken,
    StoreUnwritable,
    TopicMissing,
    Unavailable,
)
from streamflow.ports.log import Log
from streamflow.ports.machine import Clock, Machine, Running
from streamflow.ports.objects import Objects, ObjectsUnavailable, name_part
from streamflow.ports.records import (
    BrokerState,
    Committed,
    Headers,
    OutRecord,
    Record,
    TopicPartition,
    TopicSpec,
    TopicState,
)
from streamflow.ports.store import Checkpoint, Staged, Store, Stores, WriteBatch
from streamflow.ports.traffic import Producer, Reader, RebalanceListener, Source, Tail, Transactor

__all__ = [
    "Aborted",
    "BrokerState",
    "Checkpoint",
    "Clock",
    "Committed",
    "Fatal",
    "Fenced",
    "Headers",
    "Log",
    "LogError",
    "Machine",
    "NotGranted",
    "Objects",
    "ObjectsUnavailable",
    "OutRecord",
    "OutcomeUnknown",
    "Producer",
    "Reader",
    "RebalanceListener",
    "Record",
    "RecordRefused",
    "Running",
    "Source",
    "Staged",
    "Store",
    "StoreCorrupted",
    "StoreTaken",
    "StoreUnwritable",
    "Stores",
    "Tail",
    "TopicMissing",
    "TopicPartition",
    "TopicSpec",
    "TopicState",
    "Transactor",
    "Unavailable",
    "WriteBatch",
    "name_part",
]

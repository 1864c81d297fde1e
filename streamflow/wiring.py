"""Which adapter stands behind a target: the one place that picks between Kafka, the embedded log and memory.

    "host:port[,host:port]"   Apache Kafka
    "embedded:DIR"            a durable log in a folder, for one process
    "memory:NAME"             a log that lives as long as its users in this process

Adapters are imported when they are asked for, so that `import streamflow` loads none of their libraries.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamflow.memory.broker import MemoryBroker
    from streamflow.ports import Log, Objects, Stores

_KAFKA = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[^\s,:/\[\]]+):\d{1,5}")


class LogKind(Enum):
    """The three adapters of the log."""

    KAFKA = "kafka"
    EMBEDDED = "embedded"
    MEMORY = "memory"


def kind_of(target: str) -> LogKind:
    """Which adapter a target asks for. Raises ValueError for anything else, with the forms there are."""
    for kind in (LogKind.EMBEDDED, LogKind.MEMORY):
        if target.startswith(f"{kind.value}:") and len(target) > len(kind.value) + 1:
            return kind
    if target and all(_KAFKA.fullmatch(server.strip()) for server in target.split(",")):
        return LogKind.KAFKA
    if target.startswith(("http://", "https://")):
        raise ValueError(
            f"Expected the log itself here, Kafka's brokers or 'embedded:DIR', found the gateway {target!r}, which serves "
            "clients. Name the brokers; an embedded log is one process's: end that first."
        )
    raise ValueError(
        "Expected a target like 'localhost:9092' (Kafka), 'embedded:DIR', 'memory:NAME' or 'http://HOST:PORT' "
        f"(a gateway, for clients only), found {target!r}"
    )


def open_log(target: str, *, config: Mapping[str, Any] | None = None) -> Log:
    """A connection to the log at ``target``. ``config`` passes to librdkafka untouched, and is for Kafka only.

    An embedded folder and a memory name are shared by everyone in the process who opens them.

    Raises:
        ValueError: the target has none of the known forms, or a config was given for a log that takes none.
        StoreTaken: another process has the embedded log's folder; the message says where to reach it.
        LogError: the log cannot be opened.
    """
    kind = kind_of(target)
    if config and kind is not LogKind.KAFKA:
        raise ValueError(f"Expected config for Kafka only, found {sorted(config)} for {target!r}")
    match kind:
        case LogKind.KAFKA:
            from streamflow.kafka.log import KafkaLog
            from streamflow.kafka.options import KafkaOptions

            # Nothing is asked of a broker yet: the first call does, and says if none answers.
            return KafkaLog(KafkaOptions.parse(target, config or {}))
        case LogKind.EMBEDDED:
            from streamflow.embedded import EmbeddedLog

            return EmbeddedLog.open(Path(target.partition(":")[2]).expanduser())
        case LogKind.MEMORY:
            return _open_memory(target.partition(":")[2])


def _open_memory(name: str) -> Log:
    """Each opener is a process of its own on the shared broker, which goes with the last of them."""
    from streamflow.memory.broker import MemoryBroker
    from streamflow.memory.log import MemoryLog

    with _memory_lock:
        broker = _memory_brokers.get(name)
        if broker is None:
            broker = _memory_brokers[name] = MemoryBroker()
            _memory_openers[name] = 0
        _memory_openers[name] += 1

    class SharedMemoryLog(MemoryLog):
        closed = False

        def close(self) -> None:
            super().close()
            if not self.closed:
                self.closed = True
                _release_memory(name)

    return SharedMemoryLog(broker, f"{name}-{next(_memory_count)}")


def share_memory(broker: MemoryBroker) -> str:
    """A target that reaches this very broker, until `unshare_memory`."""
    with _memory_lock:
        name = f"shared-{next(_memory_count)}"
        _memory_brokers[name], _memory_openers[name] = broker, 1
    return f"memory:{name}"


def unshare_memory(target: str) -> None:
    _release_memory(target.partition(":")[2])


_memory_lock = threading.Lock()
_memory_brokers: dict[str, MemoryBroker] = {}
_memory_openers: dict[str, int] = {}
_memory_count = itertools.count(1)


def _release_memory(name: str) -> None:
    with _memory_lock:
        _memory_openers[name] -= 1
        if not _memory_openers[name]:
            del _memory_openers[name], _memory_brokers[name]


def state_root(log: Log) -> Path | None:
    """Where local state goes that belongs to one log alone: into the embedded log's folder; ``None`` for the others.

    A store is a cache of its log, so it must not outlive it, nor meet another one.
    """
    folder: object = getattr(log, "path", None)
    return folder / "state" if isinstance(folder, Path) else None


def open_stores(log: Log, folder: Path | None, *, made_ms: int = 0) -> Stores:
    """The local state that belongs to this kind of log: in memory for the memory log, else RocksDB in ``folder``.

    ``made_ms`` is when the queue was made: what is left of a deleted queue of its name is dropped.

    Raises:
        ValueError: a durable log was given no folder.
        Unavailable: the log cannot be asked which one it is.
        StoreTaken: another process has the folder.
    """
    if not log.durable:
        from streamflow.memory.store import MemoryStores

        return MemoryStores()
    if folder is None:
        raise ValueError("Expected a state folder for the stores of a durable log, found none")
    from streamflow.rocksdb import RocksStores

    return RocksStores(folder, log_id=log_id(log, made_ms=made_ms))


def log_id(log: Log, *, made_ms: int) -> str:
    """Names what local state is a copy of: this log, and the queue that was made at this time in it."""
    return f"{log.cluster_id}/{made_ms}" if made_ms else log.cluster_id


def open_objects(target: str) -> Objects:
    """An object store by its address: a folder, ``file:DIR``, or ``s3://BUCKET/PREFIX``.

    Raises ValueError for an address of no known form, and where a library that it needs is not installed.
    """
    from streamflow.objects import objects_of

    return objects_of(target)

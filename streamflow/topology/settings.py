"""What was declared for a namespace, in its compacted ``{ns}.settings``: search attributes, and the namespace itself
with its quotas."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from streamflow.model.settings import NamespaceEntry, SearchAttributeEntry
from streamflow.ports import Log, LogError, OutRecord, Reader, TopicPartition, Unavailable
from streamflow.topology.names import check_namespace
from streamflow.topology.presence import is_there
from streamflow.wire import entities

_WRITE_WAIT_MS: Final = 30_000
_ATTRIBUTE: Final = "search-attribute/"
_NAMESPACE: Final = b"namespace"


@dataclass
class Settings:
    """Everything declared for one namespace."""

    namespace: NamespaceEntry | None = None
    search_attributes: dict[str, SearchAttributeEntry] = field(
        default_factory=dict[str, SearchAttributeEntry]
    )


def settings_topic(namespace: str) -> str:
    return f"{check_namespace(namespace)}.settings"


def read_settings(log: Log, namespace: str) -> Settings:
    """As of now; nothing is declared where the topic is not there."""
    if not is_there(log, settings_topic(namespace)):
        return Settings()
    reader = SettingsReader(log, namespace)
    try:
        return reader.read()
    finally:
        reader.close()


class SettingsReader:
    """For who looks again and again: reads what has come since the last time. The topic must be there."""

    def __init__(self, log: Log, namespace: str) -> None:
        self._log = log
        self._partition = TopicPartition(settings_topic(namespace), 0)
        self._reader: Reader | None = None
        self._settings = Settings()
        self._next = 0

    def read(self) -> Settings:
        """As of now."""
        if self._reader is None:
            self._reader = self._log.reader()
        reader, partition = self._reader, self._partition
        end = reader.end_offset(partition)
        if end != self._next:
            start = reader.start_offset(partition)
            if end < self._next:  # another topic of the name
                self._settings, self._next = Settings(), start
            for batch in reader.read(partition, max(start, self._next), end):
                for record in batch:
                    _take(self._settings, record.key or b"", record.value)
            self._next = end
            self.close()  # what reads may cost a connection, and changes are rare
        return self._settings

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def _take(found: Settings, key: bytes, value: bytes | None) -> None:
    if key == _NAMESPACE:
        found.namespace = None if value is None else entities.decode_as(NamespaceEntry, value)
        return
    name = key.decode("utf-8", "replace").removeprefix(_ATTRIBUTE)
    if value is None:
        found.search_attributes.pop(name, None)
    else:
        found.search_attributes[name] = entities.decode_as(SearchAttributeEntry, value)


def write_search_attributes(
    log: Log, namespace: str, entries: Iterable[SearchAttributeEntry]
) -> None:
    """Declares them, and returns once that is durable."""
    _write(
        log,
        namespace,
        [((_ATTRIBUTE + entry.name).encode(), entities.encode(entry)) for entry in entries],
    )


def delete_search_attributes(log: Log, namespace: str, names: Iterable[str]) -> None:
    """Takes declarations back. Runs keep their values."""
    _write(log, namespace, [((_ATTRIBUTE + name).encode(), None) for name in names])


def write_namespace(log: Log, entry: NamespaceEntry) -> None:
    _write(log, entry.name, [(_NAMESPACE, entities.encode(entry))])


def _write(log: Log, namespace: str, records: list[tuple[bytes, bytes | None]]) -> None:
    topic = settings_topic(namespace)
    outcomes: list[LogError | None] = []
    producer = log.producer()
    try:
        for key, value in records:
            producer.send(OutRecord(topic, 0, key, value), outcomes.append)
        producer.flush(_WRITE_WAIT_MS)
    finally:
        producer.close()
    for error in outcomes:
        if error is not None:
            raise error
    if len(outcomes) < len(records):
        raise Unavailable(
            f"Expected {topic} to take {len(records)} records within {_WRITE_WAIT_MS} ms"
        )

"""Keeps a store in step with the executions feed of a namespace, and answers list filters from it.

Nothing runs in the background: whoever asks first reads the feed up to its end. A run's summary is written in the same
transaction as the answer to its caller, so a list after a start, a signal or a result always shows it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from streamflow import topology
from streamflow.common import SearchAttributeIndexedValueType
from streamflow.model.answers import ExecutionSummary
from streamflow.observability import get_logger
from streamflow.ports import Record, TopicPartition, Unavailable
from streamflow.topology.safety import STORE_AGE_MS_MAX
from streamflow.visibility.binding import bind
from streamflow.visibility.catalog import Catalog
from streamflow.visibility.counting import Count
from streamflow.visibility.errors import FilterError
from streamflow.visibility.parsing import parse
from streamflow.visibility.store import Store
from streamflow.visibility.writing import Changes
from streamflow.wire import codec, keys
from streamflow.wire.entities import decode_summary
from streamflow.wire.errors import Undecodable

if TYPE_CHECKING:
    from streamflow.ports import Log, Reader

log_events = get_logger("visibility")

BATCH_RECORDS: Final = 5_000
"""Of the feed in one transaction of the store."""

CHECK_EVERY_MS: Final = 3_600_000
"""So often it is checked, and noted, that the rows are what the feed says: what other processes do to them counts, too."""

SETBACKS_MAX: Final = 10
"""So often others may begin a store anew while it is read on for one answer."""


class Visibility:
    """What can be asked about a namespace's runs. Thread-safe; every call blocks its thread."""

    def __init__(self, log: Log, namespace: str, store: Store) -> None:
        self._log = log
        self._namespace = namespace
        self._store = store
        self._topic = topology.executions_topic(namespace)
        self._lock = threading.Lock()
        self._reader: Reader | None = None
        self._checked_ms: int | None = None

    def close(self) -> None:
        with self._lock:
            if self._reader is not None:
                self._reader.close()
                self._reader = None
        self._store.close()

    # -- asking -------------------------------------------------------------------------------------------------

    def search(
        self,
        query: str,
        *,
        page_size: int,
        token: str,
        declared: Mapping[str, SearchAttributeIndexedValueType] | None = None,
    ) -> tuple[tuple[ExecutionSummary, ...], str]:
        """A page of runs, and the token of the next (empty: there is none). The newest come first.

        Raises:
            FilterError: the query is not understood, or groups.
            LogError: the feed cannot be read to its end now.
        """
        found = parse(query)
        self.catch_up()
        bound = bind(found, self._catalog(declared), now_ms=self._log.clock.now_ms())
        if found.group_by:
            raise FilterError(
                "Expected no GROUP BY in a list, found one: count takes it", found.group_by[0].at
            )
        page = self._store.search(self._namespace, bound, page_size=page_size, token=token)
        return tuple(decode_summary(value) for value in page.summaries), page.next_page_token

    def count(
        self,
        query: str,
        *,
        declared: Mapping[str, SearchAttributeIndexedValueType] | None = None,
    ) -> Count:
        """How many runs, by group if the query groups. Raises as `search` does."""
        found = parse(query)
        self.catch_up()
        bound = bind(found, self._catalog(declared), now_ms=self._log.clock.now_ms())
        return self._store.count(self._namespace, bound)

    def _catalog(self, declared: Mapping[str, SearchAttributeIndexedValueType] | None) -> Catalog:
        return Catalog({**self._store.kinds(self._namespace), **(declared or {})})

    # -- the feed -----------------------------------------------------------------------------------------------

    def catch_up(self) -> None:
        """Reads the feed to its end as of now."""
        with self._lock:
            now_ms = self._log.clock.now_ms()
            partitions = self._partitions()
            if self._reader is None:
                self._reader = self._log.reader()
            positions = self._store.positions_of(self._topic)
            places = [TopicPartition(self._topic, number) for number in range(partitions)]
            found = self._reader.end_offsets(places)
            ends = {place.partition: found[place] for place in places}
            is_due = self._checked_ms is None or not 0 <= now_ms - self._checked_ms < CHECK_EVERY_MS
            if self._is_gone(positions, ends) or (
                is_due and self._is_unfit(now_ms, is_behind=bool(_behind(positions, ends)))
            ):
                self._begin(now_ms)
                positions = self._store.positions_of(self._topic)
            self._read_on(self._reader, positions, ends)
            if is_due:
                self._store.note_followed(self._topic, now_ms=now_ms)
                self._checked_ms = now_ms

    def rebuild(self) -> None:
        """Drops every row and reads the feed from its start."""
        with self._lock:
            self._begin(self._log.clock.now_ms())
        self.catch_up()

    def _begin(self, now_ms: int) -> None:
        self._store.begin_feed(self._topic, self._namespace, self._log.cluster_id, now_ms=now_ms)

    def _partitions(self) -> int:
        state = self._log.topics().get(self._topic)
        if state is None:
            state = self._log.describe_topics([self._topic]).get(self._topic)
        return 0 if state is None else state.partitions

    def _is_gone(self, positions: Mapping[int, int], ends: Mapping[int, int]) -> bool:
        """Whether the feed that was read is no more: its namespace was deleted, and perhaps made again."""
        if all(number in ends and at <= ends[number] for number, at in positions.items()):
            return False
        log_events.info("visibility_feed_gone", topic=self._topic)
        return True

    def _is_unfit(self, now_ms: int, *, is_behind: bool) -> bool:
        """Whether reading on would not make the rows what the feed says."""
        topic, log_id = self._topic, self._log.cluster_id
        known = self._store.feed_of(topic)
        if known is None or known.log_id != log_id:
            was = None if known is None else known.log_id
            log_events.info("visibility_rebuilt", topic=topic, was=was, found=log_id)
            return True
        if known.skipped_by not in (None, codec.schemas_digest()):
            log_events.info("visibility_skipped_read_again", topic=topic)
            return True
        age_ms = now_ms - known.followed_ms
        if is_behind and age_ms > STORE_AGE_MS_MAX:
            # Tombstones may be gone that it never saw.
            log_events.info("visibility_not_followed", topic=topic, age_ms=age_ms)
            return True
        return False

    def _read_on(
        self, reader: Reader, positions: Mapping[int, int], ends: Mapping[int, int]
    ) -> None:
        """Until the store is at these ends. Where another process was quicker it goes on from there."""
        setbacks = 0
        while behind := _behind(positions, ends):
            for number, position in behind.items():
                self._read(reader, TopicPartition(self._topic, number), position, ends[number])
            before, positions = positions, self._store.positions_of(self._topic)
            if sum(positions.values()) <= sum(before.values()):
                setbacks += 1
            if setbacks > SETBACKS_MAX:
                raise Unavailable(
                    f"Expected the list store to come to the end of {self._topic}, found that others began it anew "
                    f"{setbacks} times meanwhile: ask again"
                )

    def _read(self, reader: Reader, partition: TopicPartition, position: int, end: int) -> None:
        start = max(position, reader.start_offset(partition))
        for records in _gathered(reader.read(partition, start, end)):
            next_offset = records[-1].offset + 1
            if not self._take(partition.partition, position, next_offset, records):
                return  # another process fills this store too, and is elsewhere
            position = next_offset
        if position < end:
            # Markers of transactions at the end are no records: without this they would be read again each time.
            self._take(partition.partition, position, end, ())

    def _take(
        self, partition: int, begins: int, next_offset: int, records: Sequence[Record]
    ) -> bool:
        changes = Changes()
        latest, skipped = _latest(records)
        for key, said in latest.items():
            if said is None:
                changes.take_away(self._namespace, *keys.parse_summary_key(key))
            else:
                value, summary = said
                changes.add(self._namespace, summary, value)
        return self._store.apply(
            self._topic,
            partition,
            self._namespace,
            changes,
            begins=begins,
            next_offset=next_offset,
            skipped_by=codec.schemas_digest() if skipped else None,
        )


def _behind(positions: Mapping[int, int], ends: Mapping[int, int]) -> dict[int, int]:
    """Where to read on, by partition."""
    return {
        number: positions.get(number, 0)
        for number, end in ends.items()
        if positions.get(number, 0) < end
    }


def _gathered(batches: Iterable[Sequence[Record]]) -> Iterator[list[Record]]:
    """In larger batches: each is one transaction of the store."""
    gathered: list[Record] = []
    for batch in batches:
        gathered += batch
        if len(gathered) >= BATCH_RECORDS:
            yield gathered
            gathered = []
    if gathered:
        yield gathered


def _latest(
    records: Sequence[Record],
) -> tuple[dict[bytes, tuple[bytes, ExecutionSummary] | None], bool]:
    """What is said last of each run, ``None`` for its deletion, and whether something could not be read."""
    found: dict[bytes, tuple[bytes, ExecutionSummary] | None] = {}
    skipped = False
    for record in reversed(records):
        if not record.key or record.key in found:
            continue
        value = record.value
        try:
            found[record.key] = None if value is None else (value, decode_summary(value))
        except Undecodable as error:
            # Written by a later release, or not by us: what was said before stays, and the rest of the feed goes on.
            skipped = True
            log_events.warning(
                "visibility_record_skipped",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                reason=str(error),
            )
    return dict(reversed(found.items())), skipped

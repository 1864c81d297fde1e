"""Makes a partition's store equal to its log, before anything is decided on it.

    1. read the history to its *uncommitted* end, or until the position record has reached the committed offset's ordinal
    2. compare: a group offset ahead of the position record is a torn transaction

How far the owners before had come is asked first (`predecessors`).

Never inside a rebalance callback; in slices, so that the process stays a member of its group meanwhile.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from streamflow.observability import get_logger
from streamflow.ports import (
    Committed,
    Log,
    Reader,
    Record,
    StoreCorrupted,
)
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.partitions.pace import Pace
from streamflow.processor.snapshots.loading import Bounds, Loading
from streamflow.processor.state.layout import Entry
from streamflow.processor.state.partition import Partition
from streamflow.processor.state.rows import Ingest
from streamflow.topology.safety import STORE_AGE_MS_MAX
from streamflow.wire.errors import Undecodable
from streamflow.wire.header import SF, unpack
from streamflow.wire.keys import parse_key
from streamflow.wire.offset_note import OffsetNote, read_note

log = get_logger("processor")

FINAL_READS_MAX = 40
"""How often the tail is read once more while the position record is behind the offset's ordinal (markers reach the
offsets and the history independently)."""


def restore(
    partition: Partition,
    committed: Committed | None,
    *,
    log_: Log,
    around: Surroundings,
    snapshots: Loading | None = None,
) -> Generator[bool, None, None]:
    """Restores in slices, one per ``next``, to at least where ``committed`` is; afterwards ``partition.meta`` says where to read on. False is yielded where the
    next slice has to wait for something.

    Raises:
        Unavailable: the log cannot be read now.
        StoreCorrupted: the store must be dropped first.
    """
    told = read_note(committed)
    reader = log_.reader()
    name = ""
    try:
        first, end = reader.start_offset(partition.history), reader.end_offset(partition.history)
        begin(partition, told, first, end, around)
        if snapshots is not None:
            name = yield from snapshots.into(partition, worth(partition, told, end, around))
            if name:
                begin(partition, told, first, end, around)
        yield from follow(partition, reader, around)
        for _ in range(FINAL_READS_MAX):
            if told is None or partition.meta.ordinal >= told.ordinal:
                break
            yield from follow(partition, reader, around)
        _check_log(partition)
    except StoreCorrupted as error:
        if name and snapshots is not None:
            snapshots.condemn(partition.number, name, str(error))
        raise
    finally:
        reader.close()
    _settle(partition, committed, told, around)


def begin(
    partition: Partition, told: OffsetNote | None, first: int, end: int, around: Surroundings
) -> None:
    """Finds out where the history, which has these bounds, must be read on for this store. Raises `StoreCorrupted` if it
    must not be."""
    meta = partition.rows.meta()
    meta.history_offset = max(meta.history_offset, first)
    partition.meta = meta
    _check_store(partition, told, end, around)


def worth(partition: Partition, told: OffsetNote | None, end: int, around: Surroundings) -> Bounds:
    """Which snapshots are worth more than the store that is there."""
    gain = around.options.snapshot_gain_min
    return Bounds(
        offset_min=partition.meta.history_offset + gain,
        offset_max=end,
        ordinal_max=None if told is None else told.ordinal,
    )


def _check_store(
    partition: Partition, told: OffsetNote | None, end: int, around: Surroundings
) -> None:
    """Raises `StoreCorrupted` for a store that following the log would not make equal to it."""
    meta, name = partition.meta, f"the store of partition {partition.number}"
    if told is not None and meta.ordinal > told.ordinal:
        raise StoreCorrupted(
            f"Expected {name} to know of no transaction after {told.ordinal}, found {meta.ordinal}: it is of another "
            "log, or ahead of this one, and is rebuilt"
        )
    age_ms = around.clock.now_ms() - meta.followed_ms if meta.followed_ms else 0
    if age_ms > STORE_AGE_MS_MAX and meta.history_offset < end:
        raise StoreCorrupted(
            f"Expected {name} to have followed its log within {STORE_AGE_MS_MAX} ms, found {age_ms} ms: tombstones "
            "may be gone that it never saw, and it is rebuilt"
        )


def _check_log(partition: Partition) -> None:
    """Raises `StoreCorrupted` for a store with a transaction that its log has lost."""
    meta = partition.meta
    if meta.ordinal > meta.seen_ordinal:
        raise StoreCorrupted(
            f"Expected the history of partition {partition.number} to have transaction {meta.ordinal}, which the store "
            f"has, found {meta.seen_ordinal} to be its last: the log is the truth, and the store is rebuilt"
        )


def follow(partition: Partition, reader: Reader, around: Surroundings) -> Iterator[bool]:
    """Reads the history from where the store is to its present end."""
    end = reader.end_offset(partition.history)
    if partition.meta.history_offset > end:
        raise StoreCorrupted(
            f"Expected the history of partition {partition.number} to reach offset "
            f"{partition.meta.history_offset}, found its end at {end}: the store is ahead and is rebuilt"
        )
    pace = Pace(partition, end, around.clock)
    fetched = reader.read(partition.history, partition.meta.history_offset, end)
    yield True  # those of other partitions are asked for meanwhile
    for records in fetched:
        ingest(partition, records, around)
        if records:
            pace.at(records[-1].offset + 1)
        yield True
    partition.meta.history_offset = end
    partition.restoring = None


def ingest(partition: Partition, records: Sequence[Record], around: Surroundings) -> None:
    """Brings the store to the end of these records, in one write."""
    ingest = Ingest(partition.rows)
    meta = partition.meta
    for record in records:
        try:
            entry = _entry(record)
            if entry is not None:
                ingest.add(entry)
        except Undecodable as error:
            # Not ours, or damaged: if a run misses it, its chain of events says so.
            around.counters.foreign += 1
            log.error(
                "history_record_skipped",
                partition=record.partition,
                offset=record.offset,
                reason=str(error),
            )
    if ingest.position is not None:
        position = ingest.position
        meta.take(position)
        # The tail is read again from a little earlier than needed, so an ordinal may be an old one.
        if position.ordinal >= meta.ordinal:
            meta.come_to(position)
        meta.ordinal = max(meta.ordinal, position.ordinal)
        meta.seen_ordinal = max(meta.seen_ordinal, position.ordinal)
    if records:
        meta.history_offset = records[-1].offset + 1
    ingest.finish(meta)
    around.counters.restored_entries += len(records)


def _entry(record: Record) -> Entry | None:
    packed = next((value for name, value in record.headers if name == SF), None)
    if packed is None or record.key is None:
        return None  # not ours; the topic's access rights are the operator's
    key = parse_key(record.key)
    header = unpack(packed)
    return Entry(key.kind, key.workflow_id, header, packed, record.value, key.number, key.text)


def _settle(
    partition: Partition, committed: Committed | None, told: OffsetNote | None, around: Surroundings
) -> None:
    """Decides where the inbox is read on, and raises the alarm where log and offsets do not agree."""
    meta = partition.meta
    if told is not None and told.ordinal > meta.ordinal:
        around.counters.torn += 1
        log.error(
            "torn_transaction",
            partition=partition.number,
            offsets_ordinal=told.ordinal,
            history_ordinal=meta.ordinal,
            advice="The history lacks a transaction that the group's offsets have: its input is read again from where "
            "the history is. See ADR 15.",
        )
    elif committed is not None and told is None and meta.inbox_offset < 0:
        meta.inbox_offset = committed.offset
    gaps = partition.rows.gaps()
    if gaps:
        around.counters.gaps += len(gaps)
        log.error(
            "history_gap",
            partition=partition.number,
            runs=gaps[:20],
            count=len(gaps),
            advice="These runs are left alone. `streamflow doctor --verify` says where each is broken, and how to go on.",
        )
    partition.earliest_due_ms = partition.rows.first_due_ms()

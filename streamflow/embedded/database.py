"""The log's one RocksDB: how it is set up, what its rows are, and reads that notice damage.

    t <topic>                      settings of a topic, with its number
    b <number><partition>          bounds of a partition: start, end, how far it is compacted
    r <number><partition><offset>  a record: key, value, headers, time
    g <group, topic, partition>    a group's position

Who writes, and when it is synced, is `journal`'s business.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec
from rocksdict import BlockBasedOptions, Cache, DBCompressionType, Options, Rdict, ReadOptions

from streamflow.ports import Fatal, Headers

MIB = 1 << 20
MEMTABLE_BYTES = 16 * MIB
CACHE_BYTES = 32 * MIB
FORMAT_KEY = b"\x00format"
FORMAT = b"streamflow-log-1"
NUMBERS_KEY = b"\x00numbers"
"""The highest number that a topic had, as text, once topics were deleted."""

Stored = tuple[bytes | None, bytes | None, Headers, int]
Row = tuple[int, Stored]

_BOUNDS = struct.Struct(">cII")
_OFFSET = struct.Struct(">Q")
encode_record = msgspec.msgpack.Encoder().encode
decode_record = msgspec.msgpack.Decoder(Stored).decode
pack_offset = _OFFSET.pack


class TopicRow(msgspec.Struct, frozen=True, array_like=True):
    """A topic as stored; ``number`` stands for its name in the keys of its records."""

    number: int
    partitions: int
    replication_factor: int
    config: dict[str, str]


class Bounds(msgspec.Struct, frozen=True, array_like=True):
    """What a partition's rows alone do not tell: its start and end where records were removed, and its cleaned part."""

    start: int = 0
    end: int = 0
    cleaned: int = 0
    kept: int = 0


class PositionKey(msgspec.Struct, frozen=True, array_like=True):
    group: str
    topic: str
    partition: int


def topic_key(name: str) -> bytes:
    return b"t" + name.encode()


def bounds_key(number: int, partition: int) -> bytes:
    return _BOUNDS.pack(b"b", number, partition)


def record_prefix(number: int, partition: int) -> bytes:
    return _BOUNDS.pack(b"r", number, partition)


def position_key(group: str, topic: str, partition: int) -> bytes:
    return b"g" + msgspec.msgpack.encode(PositionKey(group, topic, partition))


def open_database(folder: Path) -> Rdict:
    """Raises `Fatal` when the folder's log is damaged or of another format: nothing can rebuild it."""
    try:
        db = Rdict(str(folder), _options())
    except Exception as error:
        raise broken(folder, error) from error
    found: bytes | None = db.get(FORMAT_KEY)
    if found is None and db.latest_sequence_number() == 0:
        db.put(FORMAT_KEY, FORMAT)
    elif found != FORMAT:
        db.close()
        raise Fatal(
            f"Expected a log of format {FORMAT!r} in {folder}, found {found!r}. Use another folder."
        )
    return db


def broken(where: object, error: Exception) -> Fatal:
    return Fatal(
        f"Expected the embedded log {where} to be readable and writable, found: {error}. "
        "Free the disk if it is full; a damaged log cannot be repaired, so restore its folder or begin with another."
    )


def rows(
    db: Rdict, start: bytes, end: bytes, limit: int | None = None
) -> list[tuple[bytes, bytes]]:
    """Rows from ``start`` to before ``end``. Raises `Fatal` on damage, which iteration alone would hide."""
    found: list[tuple[bytes, bytes]] = []
    left = -1 if limit is None else limit
    bounds = ReadOptions()
    bounds.set_iterate_upper_bound(end)
    iterator = db.iter(bounds)
    try:
        iterator.seek(start)
        while left and iterator.valid():
            found.append((iterator.key(), iterator.value()))
            iterator.next()
            left -= 1
        iterator.status()
    except Exception as error:
        raise broken(db.path(), error) from error
    finally:
        del iterator  # a live iterator, even in a traceback, would keep the database's lock
    return found


def last_key(db: Rdict, start: bytes, end: bytes) -> bytes | None:
    """The highest key from ``start`` to before ``end``."""
    bounds = ReadOptions()
    bounds.set_iterate_upper_bound(end)
    iterator = db.iter(bounds)
    try:
        iterator.seek_to_last()
        key: bytes | None = iterator.key() if iterator.valid() else None
        iterator.status()
    except Exception as error:
        raise broken(db.path(), error) from error
    finally:
        del iterator
    return key if key is not None and key >= start else None


def stored_records(db: Rdict, prefix: bytes, offset: int, end: int, limit: int) -> list[Row]:
    """Records of a partition from ``offset`` to before ``end``, with their offsets (there are gaps)."""
    found = rows(db, prefix + pack_offset(offset), prefix + pack_offset(end), limit)
    return [(offset_of(key), decode_record(value)) for key, value in found]


def record_slices(
    db: Rdict, prefix: bytes, offset: int, end: int, slice_rows: int
) -> Iterator[list[Row]]:
    """All of them, in bounded slices."""
    while offset < end:
        found = stored_records(db, prefix, offset, end, slice_rows)
        if found:
            yield found
        if len(found) < slice_rows:
            return
        offset = found[-1][0] + 1


def offset_of(key: bytes) -> int:
    offset: int = _OFFSET.unpack_from(key, _BOUNDS.size)[0]
    return offset


def _options() -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(MEMTABLE_BYTES)
    options.set_level_compaction_dynamic_level_bytes(True)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(MIB)
    options.set_stats_dump_period_sec(0)
    options.set_max_open_files(256)
    # Recycled write-ahead files would save 0.04 ms a sync; their old content is not worth having to tell apart.
    table = BlockBasedOptions()
    table.set_block_cache(Cache(CACHE_BYTES))
    options.set_block_based_table_factory(table)
    return options

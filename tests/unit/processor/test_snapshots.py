"""Copies of a partition's store: taken beside the work, used where they are good, passed over where they are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from streamflow.memory.faults import Rates
from streamflow.memory.objects import MemoryBucket
from streamflow.memory.store import MemoryStores
from streamflow.model.answers import QueryAnswer
from streamflow.processor.snapshots.manifest import (
    Manifest,
    Place,
    decode_manifest,
    encode_manifest,
    sha256_of,
)
from streamflow.processor.state.layout import META, RunRow
from streamflow.topology.safety import STORE_AGE_MS_MAX
from tests.unit.processor.logs import dump
from tests.unit.processor.programs import Counter
from tests.unit.processor.stage import Stage
from tests.unit.processor.test_restore import COUNT, add

MINUTE_MS = 60_000
EVERY = {"snapshot_every_ms": MINUTE_MS, "snapshot_gain_min": 1, "log_id": "here"}


def counting(signals: int = 3, *, bucket: MemoryBucket | None = None, **options: Any) -> Stage:
    stage = Stage([Counter], bucket=bucket or MemoryBucket(), **{**EVERY, **options})
    stage.begin("Counter")
    for _ in range(signals):
        stage.ask(add())
    return stage


def snapshot(stage: Stage) -> None:
    """Something happens, time passes, and a snapshot is taken."""
    taken = stage.processor.counters.snapshots_taken
    stage.ask(add())
    stage.pass_time(MINUTE_MS)
    assert stage.processor.counters.snapshots_taken == taken + 1


def names(stage: Stage, what: str) -> list[str]:
    assert stage.bucket is not None
    return sorted(name for name in stage.bucket.objects if f"/{what}/" in name)


def count(stage: Stage) -> int:
    answer = stage.ask(COUNT)
    assert isinstance(answer, QueryAnswer)
    assert answer.result is not None
    return int(answer.result.data)


def rows_of(stage: Stage) -> dict[bytes, bytes]:
    rows = dump(stage.rows())
    rows.pop(META, None)
    return rows


def change_manifest(stage: Stage, **changes: Any) -> None:
    """The newest manifest says something else, under the name that goes with it."""
    assert stage.bucket is not None
    objects, [*_, name] = stage.bucket.objects, names(stage, "manifests")
    manifest = msgspec.structs.replace(decode_manifest(name, objects.pop(name)), **changes)
    put(stage, manifest)


def put(stage: Stage, manifest: Manifest) -> None:
    assert stage.bucket is not None
    data = encode_manifest(manifest)
    place = Place(stage.processor._options, 0)
    stage.bucket.objects[place.manifest(manifest, data)] = data


def newest(stage: Stage) -> Manifest:
    assert stage.bucket is not None
    [*_, name] = names(stage, "manifests")
    return decode_manifest(name, stage.bucket.objects[name])


# -- used ---------------------------------------------------------------------------------------------------------------


def test_a_process_without_a_disk_begins_with_the_snapshot_and_reads_the_rest() -> None:
    """It ends up with the same rows and the same runs as one that reads everything."""
    stage = counting()
    snapshot(stage)
    stage.ask(add())
    before, total = rows_of(stage), count(stage)

    stage.restart(crash=True, disk="empty")

    assert stage.processor.counters.snapshots_loaded == 1
    assert stage.processor.counters.restored_entries < len(stage.entries())
    assert count(stage) == total
    assert {key: row for key, row in rows_of(stage).items() if key[:1] != b"d"} == {
        key: row for key, row in before.items() if key[:1] != b"d"
    }


def test_the_newest_one_is_used() -> None:
    stage = counting()
    snapshot(stage)
    snapshot(stage)
    offset = newest(stage).history_offset

    stage.restart(crash=True, disk="empty")

    left = sum(record.offset >= offset for _, record in stage.entries())
    assert stage.processor.counters.restored_entries <= left
    assert count(stage) == 5


def test_a_disk_that_is_nearly_as_far_is_kept() -> None:
    """Fetching a snapshot would take longer than reading what is missing."""
    stage = counting(snapshot_gain_min=1_000)
    snapshot(stage)

    stage.restart(crash=True, disk="kept")

    assert stage.processor.counters.snapshots_loaded == 0
    assert count(stage) == 4


# -- taken --------------------------------------------------------------------------------------------------------------


def test_nothing_new_is_not_copied_again() -> None:
    """But for once a day, for a snapshot that is too old is of no use to anybody."""
    stage = counting()
    snapshot(stage)
    stage.pass_time(10 * MINUTE_MS)
    stage.settle()
    assert stage.processor.counters.snapshots_taken == 1

    stage.clock.advance(25 * 60 * MINUTE_MS)
    stage.settle()

    assert stage.processor.counters.snapshots_taken == 2


def test_no_snapshot_is_taken_before_a_transaction_shows_whose_the_partition_is() -> None:
    """A processor that was replaced, and does not know it yet, believes to have followed what its successor wrote."""
    stage = counting()
    stage.clock.advance(MINUTE_MS)
    stage.broker.faults.rates = Rates(aborted=1.0)
    for _ in range(5):
        stage.processor.turn()
    assert stage.processor.counters.aborted > 0
    assert names(stage, "manifests") == []

    stage.broker.faults.rates = Rates()
    stage.settle()

    assert len(names(stage, "manifests")) == 1


def test_old_snapshots_go_and_so_do_files_that_none_needs() -> None:
    """The files a turn later: their manifest might still be on its way."""
    stage = counting(snapshots_kept=2)
    for _ in range(5):
        snapshot(stage)

    needed = {f"{Place(stage.processor._options, 0).files}{f.sha256}" for f in newest(stage).files}
    assert len(names(stage, "manifests")) == 2
    assert len(names(stage, "files")) <= 3
    assert needed <= set(names(stage, "files"))


def test_what_is_there_is_not_written_again() -> None:
    stage = counting()
    snapshot(stage)
    first = stage.processor.counters.snapshot_bytes
    assert first > 0
    stage.clock.advance(25 * 60 * MINUTE_MS)
    stage.settle()

    assert stage.processor.counters.snapshots_taken == 2
    manifest = newest(stage)
    assert stage.processor.counters.snapshot_bytes - first <= sum(f.size for f in manifest.files)


def test_an_object_store_that_is_away_holds_nothing_up() -> None:
    """It is counted, and tried again in its time."""
    stage = counting(0)
    assert stage.bucket is not None
    stage.bucket.away = True
    stage.pass_time(MINUTE_MS)
    stage.ask(add())
    stage.settle()
    assert stage.processor.counters.snapshots_failed == 1
    assert count(stage) == 1


# -- passed over --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"log_id": "elsewhere"},
        {"queue": "other"},
        {"namespace": "other"},
        {"partition": 7},
        {"partitions": 2},
        {"store_format": "another"},
        {"rows_format": 99},
        {"format": 99},
        {"ordinal": 10**6},
        {"history_offset": 10**6},
        {"followed_ms": -STORE_AGE_MS_MAX},
        {"ordinal": 1},
    ],
    ids=str,
)
def test_a_snapshot_of_something_else_is_ignored(changes: dict[str, Any]) -> None:
    """Counted, and the one before it is used."""
    stage = counting()
    snapshot(stage)
    snapshot(stage)
    change_manifest(stage, **changes)

    stage.restart(crash=True, disk="empty")

    counters = stage.processor.counters
    assert (counters.snapshots_refused, counters.snapshots_loaded) in ((1, 1), (0, 1))
    assert counters.snapshots_refused == 1 or changes == {"ordinal": 1}
    assert count(stage) == 5


def spoil(stage: Stage, change: Callable[[bytes], bytes]) -> None:
    assert stage.bucket is not None
    for name in names(stage, "files"):
        stage.bucket.objects[name] = change(stage.bucket.objects[name])


@pytest.mark.parametrize("what", ["flipped", "cut", "empty"])
def test_a_damaged_file_is_noticed_and_removed(what: str) -> None:
    """So that the next snapshot does not take it for the one that it needs."""
    stage = counting()
    snapshot(stage)
    changes: dict[str, Callable[[bytes], bytes]] = {
        "flipped": lambda data: bytes([data[0] ^ 1]) + data[1:],
        "cut": lambda data: data[:-1],
        "empty": lambda _: b"",
    }
    spoil(stage, changes[what])

    stage.restart(crash=True, disk="empty")

    assert stage.processor.counters.snapshots_refused == 1
    assert stage.processor.counters.snapshots_loaded == 0
    assert names(stage, "files") == []
    assert count(stage) == 4


def test_a_manifest_that_is_not_what_its_name_says_is_ignored() -> None:
    stage = counting()
    snapshot(stage)
    assert stage.bucket is not None
    [name] = names(stage, "manifests")
    stage.bucket.objects[name] = stage.bucket.objects[name].replace(b'"queue"', b'"Queue"')

    stage.restart(crash=True, disk="empty")

    assert stage.processor.counters.snapshots_refused == 1
    assert count(stage) == 4


def test_files_with_names_that_lead_elsewhere_are_refused() -> None:
    """Before anything is written under them."""
    stage = counting()
    snapshot(stage)
    file = newest(stage).files[0]
    change_manifest(stage, files=(msgspec.structs.replace(file, name="../../rows"),))

    stage.restart(crash=True, disk="empty")

    assert stage.processor.counters.snapshots_refused == 1
    assert count(stage) == 4


@pytest.mark.parametrize("lost", ["an event", "the last event", "a run's end"])
def test_rows_that_are_no_chain_are_refused(lost: str) -> None:
    """Though every byte is as it was written: whoever wrote them was wrong."""
    stage = counting()
    snapshot(stage)
    rewrite(stage, lost)

    stage.restart(crash=True, disk="empty")

    assert stage.processor.counters.snapshots_refused == 1
    assert count(stage) == 4


def rewrite(stage: Stage, lost: str) -> None:
    """The snapshot's rows are others, and its manifest goes with them."""
    assert stage.bucket is not None
    [file] = newest(stage).files
    place = Place(stage.processor._options, 0)
    pairs = msgspec.msgpack.decode(
        stage.bucket.objects[place.file(file.sha256)], type=list[tuple[bytes, bytes]]
    )
    rows = dict(pairs)
    events = [key for key in rows if key[:1] == b"e"]
    if lost == "an event":
        del rows[events[1]]
    elif lost == "the last event":
        del rows[events[-1]]
    else:
        [key] = [key for key in rows if key[:1] == b"r"]
        row = msgspec.msgpack.decode(rows[key], type=RunRow)
        row.last_hash = bytes(8)
        rows[key] = msgspec.msgpack.encode(row)
    data = msgspec.msgpack.encode(list(rows.items()))
    told = msgspec.structs.replace(file, size=len(data), sha256=sha256_of(data))
    stage.bucket.objects[place.file(told.sha256)] = data
    change_manifest(stage, files=(told,))


def test_a_snapshot_that_was_refused_is_not_fetched_again() -> None:
    """A partition that comes and goes must not fetch gigabytes each time, to no end."""
    stage = counting()
    snapshot(stage)
    rewrite(stage, "an event")
    stage.restart(crash=True, disk="empty")
    stage.stores.drop("0")
    processor = stage.processor

    processor._owned.take(processor.partitions[0].inbox)
    stage.stores = MemoryStores()
    stage.settle()

    assert processor.counters.snapshots_refused == 1
    assert count(stage) == 4

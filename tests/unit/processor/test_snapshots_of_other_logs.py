"""Snapshots that a former cluster left in the folder, or that another one has there: beside ours, and not in their way."""

from __future__ import annotations

from streamflow.memory.objects import MemoryBucket
from streamflow.processor.snapshots.loading import TRIED_MAX
from streamflow.processor.snapshots.manifest import Place, decode_manifest
from streamflow.topology.safety import STORE_AGE_MS_MAX
from tests.unit.processor.stage import Stage
from tests.unit.processor.test_snapshots import MINUTE_MS, count, counting, names, snapshot


def former(bucket: MemoryBucket, *, snapshots: int = 3, log_id: str = "former") -> Stage:
    """A log that came further than the one that is made after it."""
    stage = counting(signals=30, bucket=bucket, log_id=log_id, snapshots_kept=snapshots)
    for _ in range(snapshots):
        snapshot(stage)
    return stage


def logs(stage: Stage) -> list[str]:
    """Whose the manifests are."""
    assert stage.bucket is not None
    objects = stage.bucket.objects
    return sorted(decode_manifest(n, objects[n]).log_id for n in names(stage, "manifests"))


def test_snapshots_of_a_log_that_was_made_anew_are_kept_and_used() -> None:
    """Though it has not come as far as its predecessor."""
    bucket = MemoryBucket()
    former(bucket)
    stage = counting(bucket=bucket, log_id="new")
    for _ in range(5):
        snapshot(stage)
    assert logs(stage) == ["former"] * 3 + ["new"] * 3

    stage.restart(crash=True, disk="empty")

    assert stage.processor.counters.snapshots_loaded == 1
    assert count(stage) == 8


def test_any_number_of_others_hides_none_of_ours() -> None:
    bucket = MemoryBucket()
    former(bucket, snapshots=TRIED_MAX + 1)
    stage = counting(bucket=bucket, log_id="new")
    snapshot(stage)

    stage.restart(crash=True, disk="empty")

    assert stage.processor.counters.snapshots_loaded == 1


def test_two_clusters_with_one_folder_lose_nothing_to_each_other() -> None:
    """Neither manifests nor files, in whatever order they take theirs."""
    bucket = MemoryBucket()
    ahead = former(bucket, log_id="ahead")
    behind = counting(bucket=bucket, log_id="behind")
    for _ in range(5):
        snapshot(behind)
        snapshot(ahead)

    place = Place(behind.processor._options, 0)
    for name in names(behind, "manifests"):
        for file in decode_manifest(name, bucket.objects[name]).files:
            assert place.file(file.sha256) in bucket.objects
    assert logs(behind) == ["ahead"] * 3 + ["behind"] * 3


def test_what_another_log_left_goes_when_nobody_could_use_it_any_more() -> None:
    """Its files a turn later, as ours do."""
    bucket = MemoryBucket()
    former(bucket)
    files = {name for name in bucket.objects if "/files/" in name}
    stage = counting(bucket=bucket, log_id="new")

    stage.clock.advance(STORE_AGE_MS_MAX + 10 * MINUTE_MS)
    snapshot(stage)
    snapshot(stage)
    snapshot(stage)

    assert logs(stage) == ["new"] * 3
    assert not files & set(names(stage, "files"))

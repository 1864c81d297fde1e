"""What every object store promises, and how each is named and fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from streamflow.memory.log import MemoryLog
from streamflow.memory.objects import MemoryBucket
from streamflow.objects import FolderObjects, S3Objects, objects_of
from streamflow.ports import Objects, ObjectsUnavailable
from streamflow.whole_file import DRAFT_PREFIX
from tests.unit.objects.buckets import S3Client


@pytest.fixture(params=["folder", "s3", "s3 with a prefix", "memory"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    match request.param:
        case "folder":
            return FolderObjects(tmp_path / "kept")
        case "s3":
            return S3Objects(S3Client(), "bucket")
        case "s3 with a prefix":
            return S3Objects(S3Client(), "bucket", "/state/")
        case _:
            return MemoryBucket().of(MemoryLog())


def test_what_was_put_is_got(objects: Objects) -> None:
    """Every byte of it, and the last of two."""
    objects.put("a/b", b"first")
    objects.put("a/b", bytes(range(256)))

    assert objects.get("a/b") == bytes(range(256))
    assert objects.get("a/c") is None
    assert objects.get("a") is None


def test_names_are_those_below_a_prefix_in_order(objects: Objects) -> None:
    """However many there are; a prefix may end within a part."""
    for name in ("b/1", "a/2", "a/10", "a/1", "a/deep/er", "ab"):
        objects.put(name, b"")

    assert objects.names("a/") == ["a/1", "a/10", "a/2", "a/deep/er"]
    assert objects.names("a/1") == ["a/1", "a/10"]
    assert objects.names("") == ["a/1", "a/10", "a/2", "a/deep/er", "ab", "b/1"]
    assert objects.names("nobody/") == []


def test_what_was_deleted_is_gone(objects: Objects) -> None:
    """Deleting it again is no mistake."""
    for name in ("a/1", "a/2", "a/3"):
        objects.put(name, b"")

    objects.delete(["a/1", "a/3", "a/never"])
    objects.delete(["a/1"])
    objects.delete([])

    assert objects.names("a/") == ["a/2"]


def test_a_thousand_objects_are_deleted_at_once() -> None:
    """Though S3 takes no more than a thousand in a request."""
    client = S3Client()
    objects = S3Objects(client, "bucket")
    client.objects = {("bucket", f"o{n}"): b"" for n in range(2_500)}

    objects.delete([f"o{n}" for n in range(2_500)])

    assert client.objects == {}


@pytest.mark.parametrize("call", ["put", "get", "names", "delete"])
def test_an_s3_that_refuses_is_unavailable_and_named(call: str) -> None:
    """With the bucket, the key and what it said."""
    client = S3Client()
    client.refusal = "AccessDenied"
    objects = S3Objects(client, "bucket", "state")
    calls: dict[str, Callable[[], object]] = {
        "put": lambda: objects.put("a", b""),
        "get": lambda: objects.get("a"),
        "names": lambda: objects.names("a"),
        "delete": lambda: objects.delete(["a"]),
    }

    with pytest.raises(ObjectsUnavailable, match=r"state/a in bucket bucket.*AccessDenied"):
        calls[call]()


def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file")

    with pytest.raises(ObjectsUnavailable, match="write a"):
        FolderObjects(tmp_path / "kept").put("a", b"")


def test_what_a_dying_process_left_half_written_is_no_object(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path)
    objects.put("a/1", b"")
    (tmp_path / "a" / f"{DRAFT_PREFIX}x").write_bytes(b"half")

    assert objects.names("a/") == ["a/1"]


@pytest.mark.parametrize("name", ["../out", "a/../../out", "a//b", ""])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(AssertionError, match="object's name"):
        FolderObjects(tmp_path / "kept").put(name, b"")


def test_a_target_is_a_folder(tmp_path: Path) -> None:
    """With and without its scheme."""
    for target in (str(tmp_path), f"file:{tmp_path}", f"file://{tmp_path}"):
        objects_of(target).put("a", target.encode())
        assert (tmp_path / "a").read_bytes() == target.encode()


@pytest.mark.parametrize("target", ["", "gs://bucket", "s3://", "s3:bucket"])
def test_other_targets_are_refused(target: str) -> None:
    with pytest.raises(ValueError, match=r"Expected .*s3://BUCKET/PREFIX"):
        objects_of(target)


def test_s3_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)

    with pytest.raises(ValueError, match="pip install boto3"):
        objects_of("s3://bucket/prefix")

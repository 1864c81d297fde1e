"""What a snapshot says of itself: of which log and partition it is, how far it had come, and which files it is made of.

    snapshots/{namespace}/{queue}/{partition}/manifests/{ordinal}-{history offset}-{digest of the manifest}.json
    snapshots/{namespace}/{queue}/{partition}/files/{SHA-256 of the bytes}

A file that several snapshots have is kept once, so a snapshot costs what changed since the last. The manifest comes last:
one that can be read names files that were all there. Names do not say of which log a snapshot is: those of a former cluster or
queue, and of another cluster with the same folder, are beside ours.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

import msgspec

from streamflow.processor.options import ProcessorOptions
from streamflow.processor.state import layout
from streamflow.topology import encode_queue

FORMAT: Final = 1
MANIFEST_BYTES_MAX: Final = 16 << 20
_DIGEST_LETTERS: Final = 32
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class SnapshotRefused(Exception):
    """This snapshot cannot be used; the message says what was expected of it, and what was found."""


class OfAnotherLog(SnapshotRefused):
    """This snapshot is not of this log, nor of this queue as it was made: it says nothing of those that are."""


class SnapshotFile(msgspec.Struct, frozen=True):
    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    format: int = FORMAT
    log_id: str
    namespace: str
    queue: str
    partition: int
    partitions: int
    """Of the queue: with another count, other runs live in the partition."""
    store_format: str
    rows_format: int = layout.FORMAT
    ordinal: int
    """Of the last transaction that is in it."""
    history_offset: int
    inbox_offset: int
    followed_ms: int
    """When the store had followed its log to the end, by its owner's clock."""
    owner: str
    files: tuple[SnapshotFile, ...]


class Place:
    """Where the snapshots of one partition are, by the names of objects."""

    def __init__(self, options: ProcessorOptions, number: int) -> None:
        base = f"snapshots/{options.namespace}/{encode_queue(options.queue)}/{number}/"
        self.manifests = base + "manifests/"
        self.files = base + "files/"

    def file(self, sha256: str) -> str:
        return self.files + sha256

    def manifest(self, manifest: Manifest, data: bytes) -> str:
        """Names sort by how far the store had come."""
        return f"{self.manifests}{manifest.ordinal:020d}-{manifest.history_offset:020d}-{_digest(data)}.json"


def encode_manifest(manifest: Manifest) -> bytes:
    return msgspec.json.encode(manifest)


_decode = msgspec.json.Decoder(Manifest).decode


def decode_manifest(name: str, data: bytes) -> Manifest:
    """Raises `SnapshotRefused` for bytes that are not what the object's name says, or of another format."""
    if len(data) > MANIFEST_BYTES_MAX:
        raise SnapshotRefused(f"Expected at most {MANIFEST_BYTES_MAX} bytes, found {len(data)}")
    if not name.endswith(f"-{_digest(data)}.json"):
        raise SnapshotRefused(
            f"Expected a manifest with the digest of its name, found {_digest(data)}"
        )
    try:
        manifest = _decode(data)
    except msgspec.DecodeError as error:
        raise SnapshotRefused(f"Expected a manifest of format {FORMAT}: {error}") from error
    if manifest.format != FORMAT:
        raise SnapshotRefused(f"Expected format {FORMAT}, found {manifest.format}")
    for file in manifest.files:
        # The names become paths, here and in the object store.
        if not _FILE_NAME.fullmatch(file.name) or not _SHA256.fullmatch(file.sha256):
            raise SnapshotRefused(f"Expected names of files, found {file.name!r} ({file.sha256!r})")
    return manifest


def refuse_misfit(
    manifest: Manifest, options: ProcessorOptions, number: int, *, store_format: str
) -> None:
    """Raises `SnapshotRefused` for a snapshot of something else than this partition of this log.

    Raises:
        OfAnotherLog: of a former cluster or queue, or of one with the same folder.
    """
    if manifest.log_id != options.log_id:
        raise OfAnotherLog(f"Expected log {options.log_id!r}, found {manifest.log_id!r}")
    expected = (
        ("namespace", options.namespace, manifest.namespace),
        ("queue", options.queue, manifest.queue),
        ("partition", number, manifest.partition),
        ("partition count", options.partitions, manifest.partitions),
        ("store format", store_format, manifest.store_format),
        ("format of rows", layout.FORMAT, manifest.rows_format),
    )
    for what, ours, found in expected:
        if ours != found:
            raise SnapshotRefused(f"Expected {what} {ours!r}, found {found!r}")


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest(data: bytes) -> str:
    return sha256_of(data)[:_DIGEST_LETTERS]

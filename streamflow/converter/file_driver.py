"""A driver that keeps payloads as files of a folder, named by what is in them."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from streamflow.converter.storage import (
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
)
from streamflow.model.payload import Payload
from streamflow.whole_file import write_whole

DRIVER_NAME = "file"


class FileStorageDriver(StorageDriver):
    """Keeps payloads in a folder that all programs of a queue can reach: one machine's disk, or a shared one.

    A file's name is the SHA-256 of its bytes, so that equal payloads share a file and a damaged one is noticed. A file is
    complete before it has its name. Files are never removed from here.
    """

    takes_target = False

    def __init__(self, folder: str | os.PathLike[str], *, driver_name: str = DRIVER_NAME) -> None:
        """The folder is made when the first payload is stored."""
        self._folder = Path(folder)
        self._name = driver_name

    def name(self) -> str:
        return self._name

    def type(self) -> str:
        return "streamflow.file"

    async def store(
        self, context: StorageDriverStoreContext, payloads: Sequence[Payload]
    ) -> list[StorageDriverClaim]:
        return await asyncio.to_thread(lambda: [self._write(payload) for payload in payloads])

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        return await asyncio.to_thread(lambda: [self._read(claim) for claim in claims])

    def _write(self, payload: Payload) -> StorageDriverClaim:
        data = payload.SerializeToString()
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(digest)
        if not path.exists():
            write_whole(path, data)
        return StorageDriverClaim({"sha256": digest})

    def _read(self, claim: StorageDriverClaim) -> Payload:
        digest = claim.claim_data.get("sha256", "")
        if len(digest) != 64 or not all(letter in "0123456789abcdef" for letter in digest):
            raise ValueError(f"Expected a claim with a SHA-256, found {dict(claim.claim_data)}")
        try:
            data = self._path(digest).read_bytes()
        except FileNotFoundError as error:
            raise ValueError(
                f"Expected payload {digest} in {self._folder}, found no such file; it was stored elsewhere or removed"
            ) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise ValueError(f"Expected payload {digest} in {self._folder}, found damaged bytes")
        return Payload.FromString(data)

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest

"""Payloads as S3 objects, named by whose they are and by what is in them.

    v0/ns/{namespace}/wt/{workflow type}/wi/{workflow ID}/ri/{run ID}/d/sha256/{digest}

What is not known is ``null``. An object is never changed and never removed: that is for a lifecycle rule of the bucket.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping, Sequence

from streamflow.api.common.v1 import Payload
from streamflow.contrib.aws.s3driver.client import S3StorageDriverClient
from streamflow.converter import (
    StorageDriver,
    StorageDriverActivityInfo,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
    StorageDriverWorkflowInfo,
)
from streamflow.converter.together import together
from streamflow.ports import name_part

DRIVER_NAME = "aws.s3driver"
MAX_PAYLOAD_SIZE = 50 * 1024 * 1024
KEY_BYTES_MAX = 1_024
"""S3's own bound."""

Bucket = str | Callable[[StorageDriverStoreContext, Payload], str]


class S3StorageDriver(StorageDriver):
    """Keeps each payload in a bucket under its SHA-256; equal payloads of one workflow share an object.

    Args:
        client: speaks to S3.
        bucket: its name, or a function of the context and the payload that gives it.
        driver_name: another one than ``aws.s3driver`` if there are several such drivers.
        max_payload_size: bytes of the largest payload that is accepted; default 50 MiB.
    """

    def __init__(
        self,
        client: S3StorageDriverClient,
        bucket: Bucket,
        driver_name: str = DRIVER_NAME,
        max_payload_size: int = MAX_PAYLOAD_SIZE,
    ) -> None:
        if max_payload_size <= 0:
            raise ValueError(
                f"Expected max_payload_size to be greater than zero, found {max_payload_size}"
            )
        self._client = client
        self._bucket = bucket
        self._name = driver_name or DRIVER_NAME
        self._max_payload_size = max_payload_size

    def name(self) -> str:
        return self._name

    def type(self) -> str:
        return DRIVER_NAME

    async def store(
        self, context: StorageDriverStoreContext, payloads: Sequence[Payload]
    ) -> list[StorageDriverClaim]:
        """Raises: ValueError for a payload that is too large; RuntimeError if S3 did not take it."""
        return await together([self._upload(context, payload) for payload in payloads])

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """Raises: ValueError for a claim or bytes that are not as stored; RuntimeError if S3 did not give them."""
        return await together([self._download(claim) for claim in claims])

    async def _upload(
        self, context: StorageDriverStoreContext, payload: Payload
    ) -> StorageDriverClaim:
        bucket = self._bucket if isinstance(self._bucket, str) else self._bucket(context, payload)
        data = payload.SerializeToString()
        if len(data) > self._max_payload_size:
            raise ValueError(
                f"Payload size {len(data)} bytes exceeds the configured max_payload_size of "
                f"{self._max_payload_size} bytes"
            )
        digest = hashlib.sha256(data).hexdigest()
        key = _key(context, digest)
        try:
            if not await self._client.object_exists(bucket=bucket, key=key):
                await self._client.put_object(bucket=bucket, key=key, data=data)
        except Exception as error:
            raise RuntimeError(f"S3StorageDriver store failed {self._at(bucket, key)}") from error
        return StorageDriverClaim(
            {"bucket": bucket, "key": key, "hash_algorithm": "sha256", "hash_value": digest}
        )

    async def _download(self, claim: StorageDriverClaim) -> Payload:
        found = claim.claim_data
        bucket, key = found.get("bucket", ""), found.get("key", "")
        algorithm, expected = found.get("hash_algorithm"), found.get("hash_value")
        at = self._at(bucket, key)
        if not algorithm or not expected:
            raise ValueError(
                f"S3StorageDriver claim is missing required content hash information {at}: expected 'hash_algorithm' "
                "and 'hash_value'"
            )
        if algorithm != "sha256":
            raise ValueError(
                f"S3StorageDriver unsupported hash algorithm {at}: expected sha256, got {algorithm}"
            )
        try:
            data = await self._client.get_object(bucket=bucket, key=key)
        except Exception as error:
            raise RuntimeError(f"S3StorageDriver retrieve failed {at}") from error
        digest = hashlib.sha256(data).hexdigest()
        if digest != expected:
            raise ValueError(
                f"S3StorageDriver integrity check failed {at}: expected sha256:{expected}, got sha256:{digest}"
            )
        return Payload.FromString(data)

    def _at(self, bucket: str, key: str) -> str:
        described: Mapping[str, str] = {}
        # Only for a message, which must not hide what it is about.
        with contextlib.suppress(Exception):
            described = self._client.describe()
        said = "".join(f", {name}={value}" for name, value in described.items())
        return f"[bucket={bucket}, key={key}{said}]"


def _key(context: StorageDriverStoreContext, digest: str) -> str:
    target = context.target
    of_namespace = "" if target is None else f"/ns/{_safe(target.namespace)}"
    owner = ""
    match target:
        case StorageDriverWorkflowInfo(type=kind, id=name, run_id=run):
            owner = f"/wt/{_safe(kind)}/wi/{_safe(name)}/ri/{_safe(run)}"
        case StorageDriverActivityInfo(type=kind, id=name, run_id=run):
            owner = f"/at/{_safe(kind)}/ai/{_safe(name)}/ri/{_safe(run)}"
        case None:
            pass
    key = f"v0{of_namespace}{owner}/d/sha256/{digest}"
    # Every character is ASCII by now. Policies of a bucket may go by namespace, so that stays.
    return key if len(key) <= KEY_BYTES_MAX else f"v0{of_namespace}/d/sha256/{digest}"


def _safe(text: str | None) -> str:
    return name_part(text) if text else "null"

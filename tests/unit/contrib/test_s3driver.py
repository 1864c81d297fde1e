"""The driver for S3, over buckets in memory that behave as aioboto3's client does."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, BinaryIO

import pytest

from streamflow.api.common.v1 import Payload
from streamflow.contrib.aws.s3driver import S3StorageDriver
from streamflow.contrib.aws.s3driver.aioboto3 import new_aioboto3_client
from streamflow.converter import (
    StorageDriverActivityInfo,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
    StorageDriverWorkflowInfo,
)

NOBODY = StorageDriverStoreContext()
PAYLOAD = Payload({"encoding": b"json/plain"}, b"[1]")


class ClientError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


class Buckets:
    """The calls of aioboto3's S3 client that the adapter makes."""

    exceptions = SimpleNamespace(ClientError=ClientError)
    meta = SimpleNamespace(region_name="eu-north-1")

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.uploads = 0
        self.refusal: str | None = None

    async def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        if self.refusal or (Bucket, Key) not in self.objects:
            raise ClientError(self.refusal or "404")
        return {}

    async def upload_fileobj(self, file: BinaryIO, bucket: str, key: str) -> None:
        self.uploads += 1
        self.objects[bucket, key] = file.read()

    async def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        if (Bucket, Key) not in self.objects:
            raise ClientError("NoSuchKey")
        data = self.objects[Bucket, Key]

        async def read() -> bytes:
            return data

        return {"Body": SimpleNamespace(read=read)}


def driver_over(buckets: Buckets, **options: Any) -> S3StorageDriver:
    return S3StorageDriver(new_aioboto3_client(buckets), **{"bucket": "b", **options})


def store(
    driver: S3StorageDriver,
    payload: Payload = PAYLOAD,
    context: StorageDriverStoreContext = NOBODY,
) -> StorageDriverClaim:
    return asyncio.run(driver.store(context, [payload]))[0]


def retrieve(driver: S3StorageDriver, claim: StorageDriverClaim) -> Payload:
    return asyncio.run(driver.retrieve(StorageDriverRetrieveContext(), [claim]))[0]


def test_a_payload_comes_back_and_equal_ones_are_one_object() -> None:
    buckets = Buckets()
    driver = driver_over(buckets)

    claims = [store(driver), store(driver)]

    assert [retrieve(driver, claim) for claim in claims] == [PAYLOAD, PAYLOAD]
    assert buckets.uploads == 1
    assert (driver.name(), driver.type()) == ("aws.s3driver", "aws.s3driver")


@pytest.mark.parametrize(
    ("target", "prefix"),
    [
        (None, "v0/d/sha256/"),
        (
            StorageDriverWorkflowInfo(namespace="n s", id="w/1", type="Order"),
            "v0/ns/n%20s/wt/Order/wi/w%2F1/ri/null/d/sha256/",
        ),
        (
            StorageDriverActivityInfo(namespace="n", id="ä", run_id="r"),
            "v0/ns/n/at/null/ai/%C3%A4/ri/r/d/sha256/",
        ),
        (StorageDriverWorkflowInfo(namespace="n", id="w" * 2_000), "v0/ns/n/d/sha256/"),
    ],
)
def test_keys_say_whose_an_object_is(
    target: StorageDriverWorkflowInfo | StorageDriverActivityInfo | None, prefix: str
) -> None:
    claim = store(driver_over(Buckets()), context=StorageDriverStoreContext(target))

    key = claim.claim_data["key"]
    assert key.removesuffix(claim.claim_data["hash_value"]) == prefix


def test_the_bucket_may_depend_on_the_payload() -> None:
    def choose(_: StorageDriverStoreContext, payload: Payload) -> str:
        return f"b{len(payload.data)}"

    assert store(driver_over(Buckets(), bucket=choose)).claim_data["bucket"] == "b3"


def test_a_payload_that_is_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="exceeds the configured max_payload_size of 5 bytes"):
        store(driver_over(Buckets(), max_payload_size=5))
    with pytest.raises(ValueError, match="greater than zero"):
        driver_over(Buckets(), max_payload_size=0)


def test_errors_say_where_and_why() -> None:
    buckets = Buckets()
    driver = driver_over(buckets)
    claim = store(driver)

    buckets.objects.clear()
    with pytest.raises(RuntimeError, match=r"retrieve failed \[bucket=b, .*eu-north-1") as raised:
        retrieve(driver, claim)
    assert isinstance(raised.value.__cause__, ClientError)
    buckets.refusal = "403"
    with pytest.raises(RuntimeError, match="store failed"):
        store(driver)


def test_bytes_that_changed_are_noticed() -> None:
    buckets = Buckets()
    driver = driver_over(buckets)
    claim = store(driver)
    [key] = buckets.objects

    buckets.objects[key] = b"other"

    with pytest.raises(ValueError, match="integrity check failed"):
        retrieve(driver, claim)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hash_value": ""}, "missing required content hash"),
        ({"hash_algorithm": "md5"}, "unsupported hash algorithm"),
    ],
)
def test_claims_that_cannot_be_checked_are_refused(changes: dict[str, str], message: str) -> None:
    driver = driver_over(Buckets())
    claim = store(driver)

    with pytest.raises(ValueError, match=message):
        retrieve(driver, StorageDriverClaim({**claim.claim_data, **changes}))

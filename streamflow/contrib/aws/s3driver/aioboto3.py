"""The driver's client by way of aioboto3, which the program brings along."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from streamflow.contrib.aws.s3driver.client import S3StorageDriverClient

_NOT_FOUND = frozenset({"404", "NoSuchKey", "NotFound"})


class _Aioboto3Client(S3StorageDriverClient):
    def __init__(self, client: Any) -> None:
        self._client = client

    def describe(self) -> Mapping[str, str]:
        region = self._client.meta.region_name
        return {"client_region": region} if region else {}

    async def object_exists(self, *, bucket: str, key: str) -> bool:
        """Needs the permissions s3:GetObject and s3:ListBucket: without the latter S3 says forbidden, not missing."""
        try:
            await self._client.head_object(Bucket=bucket, Key=key)
        except self._client.exceptions.ClientError as error:
            if error.response.get("Error", {}).get("Code") in _NOT_FOUND:
                return False
            raise
        return True

    async def put_object(self, *, bucket: str, key: str, data: bytes) -> None:
        await self._client.upload_fileobj(io.BytesIO(data), bucket, key)

    async def get_object(self, *, bucket: str, key: str) -> bytes:
        response = await self._client.get_object(Bucket=bucket, Key=key)
        data: bytes = await response["Body"].read()
        return data


def new_aioboto3_client(client: Any) -> S3StorageDriverClient:
    """Adapts an open client of ``aioboto3.Session().client("s3")``; its maker closes it."""
    return _Aioboto3Client(client)

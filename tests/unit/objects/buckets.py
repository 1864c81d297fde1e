"""S3 as a client of boto3 shows it, in memory: the calls that we make, with S3's bounds and ways of saying no."""

from __future__ import annotations

import io
from typing import Any

PAGE = 3
"""Keys of one page, so that lists have several."""


class ClientError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


class S3Client:
    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.refusal = ""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> dict[str, Any]:
        self._refuse()
        self.objects[Bucket, Key] = Body
        return {}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        self._refuse()
        if (Bucket, Key) not in self.objects:
            raise ClientError("NoSuchKey")
        return {"Body": io.BytesIO(self.objects[Bucket, Key])}

    def list_objects_v2(
        self, *, Bucket: str, Prefix: str, ContinuationToken: str = ""
    ) -> dict[str, Any]:
        self._refuse()
        keys = sorted(k for b, k in self.objects if b == Bucket and k.startswith(Prefix))
        left = [key for key in keys if key > ContinuationToken]
        page, more = left[:PAGE], len(left) > PAGE
        found: dict[str, Any] = {"IsTruncated": more}
        if page:
            found["Contents"] = [{"Key": key} for key in page]
        if more:
            found["NextContinuationToken"] = page[-1]
        return found

    def delete_objects(self, *, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:
        self._refuse()
        assert len(Delete["Objects"]) <= 1_000
        for entry in Delete["Objects"]:
            self.objects.pop((Bucket, entry["Key"]), None)
        return {}

    def _refuse(self) -> None:
        if self.refusal:
            raise ClientError(self.refusal)

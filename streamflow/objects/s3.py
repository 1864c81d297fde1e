"""Objects in a bucket of S3, or of whatever speaks like it, through a client in boto3's shape that the program brings along.

    S3Objects(boto3.client("s3"), bucket="streamflow-state", prefix="production")

Needs the permissions s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from streamflow.ports import ObjectsUnavailable

_NOT_FOUND = frozenset({"404", "NoSuchKey", "NotFound"})
DELETED_AT_ONCE = 1_000
"""S3's own bound of a request."""

_T = TypeVar("_T")


class S3Objects:
    """An `Objects`. Clients of boto3 may be used on several threads, and bound the time of each call themselves."""

    def __init__(self, client: Any, bucket: str, prefix: str = "") -> None:
        """``prefix`` stands before every name, with a ``/`` in between."""
        self._client = client
        self._bucket = bucket
        self._prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""

    def __repr__(self) -> str:
        return f"S3Objects(bucket={self._bucket!r}, prefix={self._prefix!r})"

    def put(self, name: str, data: bytes) -> None:
        key = self._prefix + name
        self._call(
            "put", name, lambda: self._client.put_object(Bucket=self._bucket, Key=key, Body=data)
        )

    def get(self, name: str) -> bytes | None:
        return self._call("get", name, lambda: self._read(self._prefix + name))

    def names(self, prefix: str) -> list[str]:
        return self._call("list", prefix, lambda: self._list(self._prefix + prefix))

    def delete(self, names: Sequence[str]) -> None:
        for start in range(0, len(names), DELETED_AT_ONCE):
            some = names[start : start + DELETED_AT_ONCE]
            self._call("delete", some[0], lambda some=some: self._remove(some))  # type: ignore[misc]  # bound at once

    def _read(self, key: str) -> bytes | None:
        try:
            response = self._client.get_object(Bucket=self._bucket, Key=key)
        except Exception as error:
            if _code(error) in _NOT_FOUND:
                return None
            raise
        data: bytes = response["Body"].read()
        return data

    def _list(self, prefix: str) -> list[str]:
        found: list[str] = []
        page: dict[str, Any] = {}
        while True:
            asked = {"Bucket": self._bucket, "Prefix": prefix}
            if token := page.get("NextContinuationToken"):
                asked["ContinuationToken"] = token
            page = self._client.list_objects_v2(**asked)
            found += [entry["Key"][len(self._prefix) :] for entry in page.get("Contents", ())]
            if not page.get("IsTruncated"):
                return sorted(found)

    def _remove(self, names: Sequence[str]) -> None:
        keys = [{"Key": self._prefix + name} for name in names]
        asked = {"Objects": keys, "Quiet": True}
        answer = self._client.delete_objects(Bucket=self._bucket, Delete=asked)
        if refused := answer.get("Errors"):
            raise RuntimeError(f"{len(refused)} not deleted, the first: {refused[0]}")

    def _call(self, what: str, name: str, call: Callable[[], _T]) -> _T:
        try:
            return call()
        except Exception as error:  # of a library that is not ours: whatever it is, it is no answer
            raise ObjectsUnavailable(
                f"Expected S3 to {what} {self._prefix}{name} in bucket {self._bucket}, found "
                f"{type(error).__name__}: {error}"
            ) from error


def _code(error: Exception) -> str:
    response: Any = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))

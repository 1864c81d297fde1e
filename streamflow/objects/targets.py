"""An object store by its address, as operators write it.

"s3://BUCKET/PREFIX"    a bucket; credentials, region and endpoint as boto3 finds them
"DIR", "file:DIR"       a folder
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from streamflow.objects.folder import FolderObjects
from streamflow.objects.s3 import S3Objects
from streamflow.ports import Objects


def objects_of(target: str) -> Objects:
    """Raises ValueError for an address of no known form, and where boto3 is needed and not installed."""
    scheme, _, rest = target.partition(":")
    if scheme == "s3":
        return _bucket(target)
    if scheme == "file" and rest:
        return FolderObjects(Path(rest.removeprefix("//")).expanduser())
    if not target or "://" in target:
        raise ValueError(
            f"Expected an object store such as /mnt/state, file:DIR or s3://BUCKET/PREFIX, found {target!r}"
        )
    return FolderObjects(Path(target).expanduser())


def _bucket(target: str) -> S3Objects:
    address = urlsplit(target)
    if not address.netloc:
        raise ValueError(f"Expected s3://BUCKET/PREFIX, found {target!r}")
    try:
        import boto3  # type: ignore[import-not-found]  # a program that wants S3 brings it along
    except ImportError as error:
        raise ValueError(
            f"Expected the library boto3 for {target!r}, found none: install it beside streamflow (pip install boto3)"
        ) from error
    return S3Objects(boto3.client("s3"), address.netloc, address.path)  # pyright: ignore[reportUnknownMemberType]

"""A storage driver for S3, and whatever speaks like it.

    session = aioboto3.Session()
    async with session.client("s3") as s3:
        driver = S3StorageDriver(client=new_aioboto3_client(s3), bucket="payloads")
        converter = DataConverter(external_storage=ExternalStorage(drivers=[driver]))

`aioboto3.new_aioboto3_client` adapts that library's client; for another, implement `S3StorageDriverClient`.
"""

from __future__ import annotations

from streamflow.contrib.aws.s3driver.client import S3StorageDriverClient
from streamflow.contrib.aws.s3driver.driver import S3StorageDriver

__all__ = ["S3StorageDriver", "S3StorageDriverClient"]

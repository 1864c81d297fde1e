"""What the driver needs of an S3 client."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping


class S3StorageDriverClient(ABC):
    """Objects by bucket and key."""

    @abstractmethod
    async def put_object(self, *, bucket: str, key: str, data: bytes) -> None:
        """Stores the bytes, in parts if it must."""

    @abstractmethod
    async def object_exists(self, *, bucket: str, key: str) -> bool:
        """Whether there is such an object."""

    @abstractmethod
    async def get_object(self, *, bucket: str, key: str) -> bytes:
        """The object's bytes; raises if there are none."""

    def describe(self) -> Mapping[str, str]:
        """What an error message should say of the client, such as its region. Default: nothing."""
        return {}

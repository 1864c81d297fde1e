"""An object store in memory: `MemoryBucket` is what lasts, `MemoryObjects` one process's way to it."""

from __future__ import annotations

from collections.abc import Sequence

from streamflow.memory.log import MemoryLog
from streamflow.ports import ObjectsUnavailable, Unavailable


class MemoryBucket:
    """The objects themselves, whoever wrote them."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.away = False
        """Whether it answers nobody."""

    def of(self, log: MemoryLog) -> MemoryObjects:
        """As the log's process reaches it: it dies of a call, or is told that the store is away, as it is of the log."""
        return MemoryObjects(self, log)


class MemoryObjects:
    """An `Objects`."""

    def __init__(self, bucket: MemoryBucket, log: MemoryLog) -> None:
        self._bucket = bucket
        self._log = log

    def put(self, name: str, data: bytes) -> None:
        self._enter("objects.put")
        self._bucket.objects[name] = data

    def get(self, name: str) -> bytes | None:
        self._enter("objects.get")
        return self._bucket.objects.get(name)

    def names(self, prefix: str) -> list[str]:
        self._enter("objects.names")
        return sorted(name for name in self._bucket.objects if name.startswith(prefix))

    def delete(self, names: Sequence[str]) -> None:
        self._enter("objects.delete")
        for name in names:
            self._bucket.objects.pop(name, None)

    def _enter(self, call: str) -> None:
        try:
            self._log.enter(call)
        except Unavailable as error:
            raise ObjectsUnavailable(str(error)) from error
        if self._bucket.away:
            raise ObjectsUnavailable(f"Expected an answer to {call!r}, found the bucket away")

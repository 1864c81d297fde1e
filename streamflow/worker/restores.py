"""How far a processor has come with all that it restores, in sum and with what waits for its turn: for whoever watches it at a
terminal. What it tells others on the log is `reporting`'s."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from streamflow.model.processes import RestoreProgress
from streamflow.ports import LogError
from streamflow.processor.state.partition import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamflow.ports import Log
    from streamflow.processor.state.partition import Partition


class Restoring(Protocol):
    """A processor, as far as it is watched."""

    @property
    def partitions(self) -> Mapping[int, Partition]: ...


@dataclass(slots=True)
class _Seen:
    """One partition as it was last seen, in offsets of its history."""

    partition: Partition
    begin: int
    offset: int
    end: int
    reading: bool = False


class Restores:
    """Of one processor. Asked by one thread at a time."""

    def __init__(self, log: Log, processor: Restoring) -> None:
        self._log = log
        self._processor = processor
        self._seen: dict[int, _Seen] = {}

    def look(self) -> RestoreProgress | None:
        """``None`` while nothing is restored. Asks the log for the bounds of what has not begun, once for each partition."""
        # Copied first: the processor goes on meanwhile, on a thread of its own.
        owned = {
            partition.number: partition for partition in list(self._processor.partitions.values())
        }
        if all(partition.state is not State.RESTORING for partition in owned.values()):
            self._seen.clear()
            return None
        for number, seen in list(self._seen.items()):
            if owned.get(number) is not seen.partition:
                del self._seen[number]
        for number, partition in owned.items():
            if number in self._seen or partition.state is State.RESTORING:
                self._see(partition)
        return RestoreProgress(
            partitions=len(self._seen),
            restored=sum(seen.partition.state is State.ACTIVE for seen in self._seen.values()),
            offsets=sum(seen.end - seen.begin for seen in self._seen.values()),
            offsets_read=sum(seen.offset - seen.begin for seen in self._seen.values()),
        )

    def _see(self, partition: Partition) -> None:
        seen, restoring = self._seen.get(partition.number), partition.restoring
        if restoring is not None:
            # The tail may be read several times, each from the end of the one before.
            begin = seen.begin if seen is not None and seen.reading else restoring.begin
            self._seen[partition.number] = _Seen(
                partition, begin, restoring.offset, restoring.end, reading=True
            )
        elif seen is None:
            self._see_waiting(partition)
        elif seen.reading or partition.state is State.ACTIVE:
            seen.offset = seen.end

    def _see_waiting(self, partition: Partition) -> None:
        reader = self._log.reader()
        try:
            end = reader.end_offset(partition.history)
            begin = max(partition.meta.history_offset, reader.start_offset(partition.history))
        except LogError:
            return  # the processor says so itself; the next look asks again
        finally:
            reader.close()
        self._seen[partition.number] = _Seen(partition, min(begin, end), min(begin, end), end)

"""What is done now and then between transactions: noting how far the stores have come, copying them, archiving closed runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streamflow.observability import get_logger
from streamflow.ports import Log, Objects, Reader, Stores, Unavailable
from streamflow.processor.host.archive import Archive
from streamflow.processor.host.errands import Errands
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.snapshots.loading import Loading
from streamflow.processor.snapshots.taking import Taking
from streamflow.processor.state.partition import Partition
from streamflow.processor.turns.inbound import Inbound

log = get_logger("processor")


class Upkeep:
    def __init__(
        self,
        log_: Log,
        around: Surroundings,
        inbound: Inbound,
        stores: Stores,
        *,
        snapshots: Objects | None,
        archive: Objects | None,
        prove: Callable[[int], None],
    ) -> None:
        """``prove`` has a transaction made for a partition in which nothing happens."""
        self._log = log_
        self._around = around
        self._inbound = inbound
        self._errands = errands = Errands(threaded=log_.threaded)
        self._taking: Taking | None = None
        self.loading: Loading | None = None
        """What a partition that is taken may begin with."""
        if archive is not None:
            around.archive = Archive(archive, around.options.namespace, errands)
        if snapshots is not None:
            self._taking = Taking(snapshots, around, errands, prove)
            self.loading = Loading(snapshots, stores, around, errands)
        self._checkpoint_ms = 0
        self._noted: dict[int, int] = {}
        """Up to which transaction each partition's store is noted to have followed."""
        self._reader: Reader | None = None

    def turn(self, active: Sequence[Partition]) -> None:
        """Raises `StoreCorrupted` for a store that cannot be copied."""
        self._checkpoint(active)
        if self._taking is not None:
            self._taking.turn(active)
        archive, counters = self._around.archive, self._around.counters
        if archive is not None:
            for number, run_id in archive.turn():
                self._inbound.retry_soon(number, run_id)
            counters.archived, counters.archive_failed = archive.archived, archive.failed

    def close(self) -> None:
        self._errands.close()
        if self._reader is not None:
            self._reader.close()

    def _checkpoint(self, active: Sequence[Partition]) -> None:
        """Notes how far the stores have followed the log: a restart begins there."""
        now_ms = self._around.clock.monotonic_ms()
        if now_ms - self._checkpoint_ms >= self._around.options.checkpoint_ms:
            self._checkpoint_ms = now_ms
            try:
                self._note_how_far(active)
            except Unavailable as error:
                log.info("checkpoint_later", reason=str(error))

    def _note_how_far(self, active: Sequence[Partition]) -> None:
        """Between transactions, everything below the history's end is in the store."""
        moved = [one for one in active if self._noted.get(one.number) != one.meta.ordinal]
        if not moved:
            return
        if self._reader is None:
            self._reader = self._log.reader()
        ends = self._reader.end_offsets([partition.history for partition in moved])
        for partition in moved:
            meta = partition.meta
            meta.history_offset = ends[partition.history]
            meta.seen_ordinal = meta.ordinal
            meta.followed_ms = self._around.clock.now_ms()
            self._noted[partition.number] = meta.ordinal

"""Snapshots of the partitions that are owned here: taken now and then, one at a time, while the partitions go on.

    checkpoint of the store (processor's thread) -> files that are not there yet -> manifest -> old ones removed

Nothing depends on a snapshot, so nothing that goes wrong with one is more than a warning: the next comes in its time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from streamflow.observability import get_logger
from streamflow.ports import Checkpoint, Objects, StoreCorrupted
from streamflow.processor.host.errands import Errand, Errands
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.snapshots.manifest import (
    Manifest,
    Place,
    SnapshotFile,
    SnapshotRefused,
    decode_manifest,
    encode_manifest,
    sha256_of,
)
from streamflow.processor.state.partition import Partition
from streamflow.topology.safety import STORE_AGE_MS_MAX

log = get_logger("processor")

RENEWED_MS: Final = 24 * 60 * 60 * 1_000
"""A partition where nothing happens has its snapshot renewed so often: an old one could not be used any more, for the
tombstones that it never saw may be gone."""


class Taken(NamedTuple):
    """What one snapshot cost."""

    files: int
    bytes: int
    """Written now; what was there already is not among it."""
    removed: int


class Taking:
    def __init__(
        self,
        objects: Objects,
        around: Surroundings,
        errands: Errands,
        prove: Callable[[int], None],
    ) -> None:
        """``prove`` has a transaction made for a partition, which says that it is ours to this day."""
        self._objects = objects
        self._around = around
        self._errands = errands
        self._prove = prove
        self._errand: Errand[Taken] | None = None
        self._number = -1
        """The partition of the errand, or of the last."""
        self._due_ms: dict[int, int] = {}
        self._taken: dict[int, tuple[int, int]] = {}
        """By partition: the ordinal of its last snapshot, and when that was taken."""
        self._asked: dict[int, int] = {}
        """By partition that is due: its ordinal when a transaction was asked for."""
        self._unneeded: dict[int, frozenset[str]] = {}
        """By partition: files that no manifest named when it was last looked."""

    def turn(self, active: Sequence[Partition]) -> None:
        """Between transactions: ends what is under way, and begins the next one that is due."""
        if self._errand is not None:
            if not self._errand.done:
                return
            self._ended(self._errand)
            self._errand = None
        now_ms = self._around.clock.monotonic_ms()
        for partition in active:
            due_ms = self._due_ms.setdefault(partition.number, now_ms + self._first_ms(partition))
            if due_ms <= now_ms:
                if not self._has_news(partition, now_ms):
                    self._due_ms[partition.number] = now_ms + self._around.options.snapshot_every_ms
                elif self._proved(partition):
                    self._due_ms[partition.number] = now_ms + self._around.options.snapshot_every_ms
                    self._begin(partition, now_ms)
                    return

    def _first_ms(self, partition: Partition) -> int:
        """Spread over the interval, so that a processor's partitions do not come due together."""
        options = self._around.options
        return options.snapshot_every_ms * (partition.number + 1) // options.partitions

    def _has_news(self, partition: Partition, now_ms: int) -> bool:
        ordinal, taken_ms = self._taken.get(partition.number, (0, now_ms))
        return partition.meta.ordinal > ordinal or now_ms - taken_ms > RENEWED_MS

    def _proved(self, partition: Partition) -> bool:
        """Whether a transaction has shown, since a snapshot came due, that the partition is ours. With it the store noted how
        far it has come; what is in memory may count what a successor has written meanwhile, which the store has not."""
        number = partition.number
        asked = self._asked.setdefault(number, partition.meta.ordinal)
        if partition.meta.ordinal > asked:
            del self._asked[number]
            return True
        self._prove(number)
        return False

    def _begin(self, partition: Partition, now_ms: int) -> None:
        self._number = partition.number
        try:
            meta = partition.rows.meta()
            files = partition.rows.store.checkpoint()
        except StoreCorrupted:
            raise  # the partition is rebuilt, as for any other use of the store
        except OSError as error:
            self._failed(partition.number, error)
            return
        self._taken[partition.number] = (partition.meta.ordinal, now_ms)
        options = self._around.options
        manifest = Manifest(
            log_id=options.log_id,
            namespace=options.namespace,
            queue=options.queue,
            partition=partition.number,
            partitions=options.partitions,
            store_format=files.format,
            ordinal=meta.ordinal,
            history_offset=meta.history_offset,
            inbox_offset=meta.inbox_offset,
            followed_ms=meta.followed_ms,
            owner=options.name,
            files=(),
        )
        number = partition.number
        self._errand = self._errands.begin(
            "snapshot", lambda errand: self._take(errand, number, manifest, files)
        )

    def _ended(self, errand: Errand[Taken]) -> None:
        counters = self._around.counters
        try:
            taken = errand.result()
        except (
            Exception
        ) as error:  # of an object store, a disk: whatever it is, the partition goes on
            self._failed(self._number, error)
            return
        counters.snapshots_taken += 1
        counters.snapshot_bytes += taken.bytes
        log.info("snapshot_taken", partition=self._number, **taken._asdict())

    def _failed(self, number: int, error: Exception) -> None:
        self._taken.pop(number, None)
        self._around.counters.snapshots_failed += 1
        log.warning("snapshot_failed", partition=number, reason=str(error) or repr(error))

    # -- on the errand's thread -----------------------------------------------------------------------------------

    def _take(
        self, errand: Errand[Taken], number: int, manifest: Manifest, files: Checkpoint
    ) -> Taken:
        place = Place(self._around.options, number)
        try:
            written, told = self._put_files(errand, place, files)
        finally:
            files.close()
        manifest = msgspec.structs.replace(manifest, files=tuple(told))
        data = encode_manifest(manifest)
        self._objects.put(place.manifest(manifest, data), data)
        return Taken(len(told), written, self._prune(number, place))

    def _put_files(
        self, errand: Errand[Taken], place: Place, files: Checkpoint
    ) -> tuple[int, list[SnapshotFile]]:
        there = set(self._objects.names(place.files))
        told: list[SnapshotFile] = []
        written = 0
        for name in files.names():
            if errand.cancelled:
                raise InterruptedError("the processor is closing")
            data = files.read(name)
            file = SnapshotFile(name, len(data), sha256_of(data))
            if place.file(file.sha256) not in there:
                self._objects.put(place.file(file.sha256), data)
                written += len(data)
            told.append(file)
        return written, told

    def _prune(self, number: int, place: Place) -> int:
        """Removes old manifests, and files that none names and that none named last time either: another owner's upload may
        be under way, whose manifest is still to come."""
        found = self._manifests(place)
        old = self._old(found)
        self._objects.delete(old)
        needed: set[str] = set()
        for manifest in (manifest for name, manifest in found.items() if name not in old):
            if manifest is None:
                return len(old)  # it may be of a later release, and need anything
            needed.update(place.file(file.sha256) for file in manifest.files)
        unneeded = frozenset(self._objects.names(place.files)) - needed
        gone = sorted(unneeded & self._unneeded.get(number, frozenset()))
        self._objects.delete(gone)
        self._unneeded[number] = unneeded.difference(gone)
        return len(old) + len(gone)

    def _manifests(self, place: Place) -> dict[str, Manifest | None]:
        """By name, in order; ``None`` for one that cannot be read."""
        found: dict[str, Manifest | None] = {}
        for name in self._objects.names(place.manifests):
            data = self._objects.get(name)
            if data is not None:
                try:
                    found[name] = decode_manifest(name, data)
                except SnapshotRefused:
                    found[name] = None
        return found

    def _old(self, found: Mapping[str, Manifest | None]) -> list[str]:
        """Of our log, and of those that cannot be read, what comes before the newest `snapshots_kept` of our log.

        What another log has there is kept, for it may be that of another cluster with the same folder, until it is so old
        that it could not be used there either.
        """
        options = self._around.options
        log_id, kept = options.log_id, options.snapshots_kept
        ours = [name for name, manifest in found.items() if manifest and manifest.log_id == log_id]
        oldest = ours[-kept] if len(ours) >= kept else ""
        useful_ms = self._around.clock.now_ms() - STORE_AGE_MS_MAX

        def is_old(name: str, manifest: Manifest | None) -> bool:
            if manifest is not None and manifest.log_id != log_id:
                return manifest.followed_ms < useful_ms
            return name < oldest

        return [name for name, manifest in found.items() if is_old(name, manifest)]

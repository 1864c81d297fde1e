"""The newest snapshot of a partition that can be used: found, fetched and checked, before it becomes the store.

Who restores goes on from the log where none can be used, or where the object store does not answer: a snapshot saves time
and decides nothing.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import Final, NamedTuple

from streamflow.observability import get_logger
from streamflow.ports import Objects, ObjectsUnavailable, Staged, StoreCorrupted, Stores
from streamflow.processor.host.errands import Errand, Errands
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.snapshots.chains import check_chains
from streamflow.processor.snapshots.manifest import (
    Manifest,
    OfAnotherLog,
    Place,
    SnapshotRefused,
    decode_manifest,
    refuse_misfit,
    sha256_of,
)
from streamflow.processor.state.partition import Partition
from streamflow.topology.safety import STORE_AGE_MS_MAX

log = get_logger("processor")

TRIED_MAX: Final = 5
"""How many snapshots of this log are looked at before the log is read instead."""
LOAD_MS_MAX: Final = 300_000
"""Who has not got one after so long reads the log."""


class Bounds(NamedTuple):
    """Which snapshots are worth having, and which can be true."""

    offset_min: int
    """One that has not come so far is not worth fetching."""
    offset_max: int
    """The history's end: one that is ahead of it is of another log, or of one that has lost records."""
    ordinal_max: int | None
    """Of the committed offset; ``None`` where that does not say."""


class Loaded(NamedTuple):
    name: str
    manifest: Manifest
    staged: Staged


class Found(NamedTuple):
    loaded: Loaded | None
    refused: dict[str, str]
    """Why each was not used, by the name of its manifest."""


class Loading:
    """Belongs to one processor, or one standby, and to its thread."""

    def __init__(
        self, objects: Objects, stores: Stores, around: Surroundings, errands: Errands
    ) -> None:
        self._objects = objects
        self._stores = stores
        self._around = around
        self._errands = errands
        self._condemned: dict[str, str] = {}
        """Snapshots that were refused before, by the name of their manifest: not fetched again."""

    def into(self, partition: Partition, bounds: Bounds) -> Generator[bool, None, str]:
        """Puts the newest usable snapshot in the place of the partition's store, if one is worth it; yields False while it
        waits. Returns the snapshot's name, or nothing.

        Raises:
            StoreCorrupted: the store was replaced by something that does not hold together.
        """
        number = partition.number
        errand = self._errands.begin("snapshot", lambda errand: self._find(errand, number, bounds))
        clock = self._around.clock
        stop_ms = clock.monotonic_ms() + LOAD_MS_MAX
        try:
            while not errand.done:
                if clock.monotonic_ms() > stop_ms:
                    log.warning("snapshot_too_slow", partition=number, after_ms=LOAD_MS_MAX)
                    return ""
                yield False
        finally:
            errand.cancel()
        try:
            found = errand.result()
        except Exception as error:  # of an object store, a disk: the log has everything
            log.warning("snapshots_unavailable", partition=number, reason=str(error) or repr(error))
            return ""
        self._note_refused(number, found.refused)
        if found.loaded is None:
            return ""
        yield from self._adopt(partition, found.loaded)
        return found.loaded.name

    def condemn(self, number: int, name: str, reason: str) -> None:
        """A snapshot whose bytes were as written, and which did not fit its log after all."""
        self._note_refused(number, {name: reason})

    def _adopt(self, partition: Partition, loaded: Loaded) -> Generator[bool, None, None]:
        store = str(partition.number)
        partition.rows.store.close()
        self._stores.adopt(store, loaded.staged)
        try:
            partition.replace_store(self._stores.open(store))
            partition.meta = meta = partition.rows.meta()
            manifest = loaded.manifest
            if (meta.ordinal, meta.history_offset) != (manifest.ordinal, manifest.history_offset):
                raise StoreCorrupted(
                    f"Expected a store at transaction {manifest.ordinal} and offset {manifest.history_offset}, found "
                    f"{meta.ordinal} and {meta.history_offset}"
                )
            yield from check_chains(partition.rows)
        except StoreCorrupted as error:
            self.condemn(partition.number, loaded.name, str(error))
            raise
        self._around.counters.snapshots_loaded += 1
        log.info(
            "snapshot_loaded",
            partition=partition.number,
            snapshot=loaded.name,
            history_offset=meta.history_offset,
        )

    def _note_refused(self, number: int, refused: dict[str, str]) -> None:
        for name, reason in refused.items():
            self._condemned[name] = reason
            self._around.counters.snapshots_refused += 1
            log.warning(
                "snapshot_ignored",
                partition=number,
                snapshot=name,
                reason=reason,
                advice="An older one is used, or the history is read. It goes when it is old; look at who else writes there.",
            )

    # -- on the errand's thread -----------------------------------------------------------------------------------

    def _find(self, errand: Errand[Found], number: int, bounds: Bounds) -> Found:
        place = Place(self._around.options, number)
        refused: dict[str, str] = {}
        names = [n for n in self._objects.names(place.manifests) if n not in self._condemned]
        tried = 0
        for name in reversed(names):
            if tried == TRIED_MAX or errand.cancelled:
                break
            try:
                manifest = self._manifest(name, number, bounds)
                if manifest is None:
                    break  # what comes after it has come less far
                staged = self._fetch(errand, place, manifest)
                return Found(Loaded(name, manifest, staged), refused)
            except SnapshotRefused as error:
                refused[name] = str(error)
                tried += not isinstance(error, OfAnotherLog)
        return Found(None, refused)

    def _manifest(self, name: str, number: int, bounds: Bounds) -> Manifest | None:
        data = self._objects.get(name)
        if data is None:
            raise SnapshotRefused("Expected its manifest, found that it was just removed")
        manifest = decode_manifest(name, data)
        refuse_misfit(manifest, self._around.options, number, store_format=self._stores.format())
        if manifest.history_offset > bounds.offset_max:
            raise SnapshotRefused(
                f"Expected an offset within the history, which ends at {bounds.offset_max}, found "
                f"{manifest.history_offset}"
            )
        if bounds.ordinal_max is not None and manifest.ordinal > bounds.ordinal_max:
            raise SnapshotRefused(
                f"Expected no transaction after {bounds.ordinal_max}, found {manifest.ordinal}"
            )
        age_ms = self._around.clock.now_ms() - manifest.followed_ms
        if age_ms > STORE_AGE_MS_MAX:
            raise SnapshotRefused(
                f"Expected one that followed its log within {STORE_AGE_MS_MAX} ms, found {age_ms} ms: tombstones may be "
                "gone that it never saw"
            )
        return manifest if manifest.history_offset >= bounds.offset_min else None

    def _fetch(self, errand: Errand[Found], place: Place, manifest: Manifest) -> Staged:
        staged = self._stores.stage(str(manifest.partition))
        try:
            for file in manifest.files:
                if errand.cancelled:
                    break
                data = self._objects.get(place.file(file.sha256))
                if data is None:
                    raise SnapshotRefused(f"Expected file {file.name}, found that it is missing")
                if len(data) != file.size or sha256_of(data) != file.sha256:
                    # Else the next snapshot with this file would find it there, and be as useless.
                    with suppress(ObjectsUnavailable):
                        self._objects.delete([place.file(file.sha256)])
                    raise SnapshotRefused(f"Expected file {file.name} as written, found damage")
                staged.put(file.name, data)
            if errand.cancelled:
                raise InterruptedError("nobody waits for it any more")
        except BaseException:
            staged.discard()
            raise
        return staged

"""Planted bugs around what is kept beside the log: snapshots, standbys, the archive."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant

_SNAPSHOTS: Final = ("tests/unit/processor/test_snapshots.py",)
_ARCHIVE: Final = ("tests/unit/processor/test_archive.py",)

STATE: Final = (
    Mutant(
        "files of a snapshot that are needed are removed",
        "processor/snapshots/taking.py",
        "gone = sorted(unneeded & self._unneeded.get(number, frozenset()))",
        "gone = self._objects.names(place.files)",
        _SNAPSHOTS,
        safety=False,
    ),
    Mutant(
        "a damaged file of a snapshot is taken",
        "processor/snapshots/loading.py",
        "if len(data) != file.size or sha256_of(data) != file.sha256:",
        "if False:",
        _SNAPSHOTS,
    ),
    Mutant(
        "a snapshot whose runs are no chains is taken",
        "processor/snapshots/loading.py",
        "            yield from check_chains(partition.rows)\n",
        "            yield from ()\n",
        _SNAPSHOTS,
    ),
    Mutant(
        "a snapshot of another log is taken",
        "processor/snapshots/manifest.py",
        "    if manifest.log_id != options.log_id:\n",
        "    if False:\n",
        _SNAPSHOTS,
    ),
    Mutant(
        "a snapshot of another partition is taken",
        "processor/snapshots/manifest.py",
        "        if ours != found:\n",
        "        if False:\n",
        _SNAPSHOTS,
    ),
    Mutant(
        "a standby keeps the store of a partition that is its own now",
        "processor/partitions/standby.py",
        "            self._owned.add(number)\n            self._close(number)\n",
        "            self._owned.add(number)\n",
    ),
    Mutant(
        "a standby passes over a record",
        "processor/partitions/standby.py",
        "ingest(partition, records, self._around)",
        "ingest(partition, records[1:], self._around)",
    ),
    Mutant(
        "a run is deleted that was not archived",
        "processor/commands/retention.py",
        "if around.archive is not None and not around.archive.has(run.run_id):",
        "if False:",
        _ARCHIVE,
    ),
    Mutant(
        "a run that did not get into the archive counts as archived",
        "processor/host/archive.py",
        "for job in jobs if job.run_id not in left]",
        "for job in jobs]",
        _ARCHIVE,
    ),
)

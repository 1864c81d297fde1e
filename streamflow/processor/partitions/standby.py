"""Standing by: following the history of partitions that others own, so that taking one over needs its last records only.

    wanted --opened--> follows --owned here--> given up (its store is the owner's now)
                          |
                          +--not wanted any more--> closed, and its store removed some minutes later

A machine of its own, on a thread of its own: the processor does not wait for it, but for the moment that a slice takes when a
partition is given to it. A store belongs to one of the two at any time (`give_up`, `released`).
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Generator
from typing import NamedTuple

from streamflow.observability import get_logger
from streamflow.ports import (
    Log,
    LogError,
    Objects,
    Reader,
    StoreCorrupted,
    Stores,
    TopicPartition,
    Unavailable,
)
from streamflow.processor.host.errands import Errands
from streamflow.processor.host.surroundings import Counters, Surroundings
from streamflow.processor.partitions.placing import standbys
from streamflow.processor.partitions.restore import begin, ingest, worth
from streamflow.processor.snapshots.loading import Loading
from streamflow.processor.state.partition import Partition
from streamflow.processor.state.rows import Rows
from streamflow.processor.state.waiters import Waiters

log = get_logger("processor")


class Beginning(NamedTuple):
    steps: Generator[bool, None, str]
    rows: Rows
    """Those that there were before."""


class Standby:
    """A `Machine`. `give_up` and `released` are called on the processor's thread."""

    def __init__(
        self,
        log_: Log,
        stores: Stores,
        around: Surroundings,
        group: str,
        *,
        snapshots: Objects | None,
    ) -> None:
        self._log = log_
        self._stores = stores
        self._around = around = dataclasses.replace(around, counters=Counters())
        self._group = group
        self._errands = Errands(threaded=log_.threaded)
        self._loading: Loading | None = None
        if snapshots is not None:
            self._loading = Loading(snapshots, stores, around, self._errands)
        self._reader: Reader | None = None
        self._lock = threading.Lock()
        """Held while a store is touched, never while the log is waited for."""
        self._woken = threading.Event()
        self._look_ms = 0
        """When to ask next who is in the group."""
        self._followed: dict[int, Partition] = {}
        self._beginning: dict[int, Beginning] = {}
        """Those whose store may be replaced by a snapshot."""
        self._ready: set[int] = set()
        """Those whose store is what following goes on from."""
        self._told: set[int] = set()
        """Those that have been as far as their owner once."""
        self._owned: set[int] = set()
        self._ended = False
        self._unwanted_ms: dict[int, int] = {}
        """Since when neither we nor the processor beside us had a use for a partition's store."""
        self.lag: dict[int, int] = {}
        """By partition that is followed: how many records of its history were missing when it was last looked at."""

    @property
    def counters(self) -> Counters:
        return self._around.counters

    # -- the processor beside us ------------------------------------------------------------------------------------

    def give_up(self, number: int) -> None:
        """The partition is ours from now on: its store is closed when this returns."""
        with self._lock:
            self._owned.add(number)
            self._close(number)

    def released(self, number: int) -> None:
        """The partition is not ours any more, and its store is closed."""
        with self._lock:
            self._owned.discard(number)

    def end(self) -> None:
        """The processor closes: nothing is followed from now on."""
        with self._lock:
            self._ended = True
            for number in list(self._followed):
                self._close(number)

    # -- the machine ------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Nothing yet: a log that is not there is asked again."""

    def turn(self) -> int | None:
        if self._ended:
            return None
        try:
            self._look()
            for number in list(self._followed):
                self._follow(number)
        except Unavailable as error:
            log.info("standby_waits", reason=str(error))
        except OSError as error:
            # The disk takes nothing more. Whoever is followed is followed again at the next look.
            log.warning("standby_unwritable", reason=str(error))
            with self._lock:
                for number in list(self._followed):
                    self._close(number)
        wait_ms = self._around.options.standby_poll_ms
        if self._log.threaded:
            self._woken.wait(wait_ms / 1_000)
            self._woken.clear()
        return wait_ms

    def close(self) -> None:
        self.end()
        self._errands.close()
        if self._reader is not None:
            self._reader.close()

    def wake(self) -> None:
        """Ends the current wait. Callable from any thread."""
        self._woken.set()

    # -- whom to follow ---------------------------------------------------------------------------------------------

    def _look(self) -> None:
        now_ms = self._around.clock.monotonic_ms()
        if now_ms < self._look_ms:
            return
        wanted = self._wanted()
        self._look_ms = now_ms + self._around.options.standby_look_ms
        with self._lock:
            if self._ended:
                return
            for number in self._followed.keys() - wanted:
                self._close(number)
            for number in sorted(wanted - self._owned - self._followed.keys()):
                self._open(number)
            self._clean(now_ms)

    def _wanted(self) -> set[int]:
        options = self._around.options
        inbox = self._around.inbox_topic
        owners = {
            partition.partition: owner
            for partition, owner in self._log.owners(self._group).items()
            if partition.topic == inbox
        }
        members = self._log.live_members(self._group)
        placed = standbys(owners, members, options.standby)
        return {number for number, names in placed.items() if options.name in names}

    def _open(self, number: int) -> None:
        around = self._around
        try:
            store = self._stores.open(str(number))
        except StoreCorrupted as error:
            self._drop(number, error)
            return
        partition = Partition(
            number,
            TopicPartition(around.inbox_topic, number),
            TopicPartition(around.history_topic, number),
            store,
            Waiters(waiters_max=0),
            around.options,
        )
        self._followed[number] = partition
        log.info("standby_begun", partition=number)

    def _close(self, number: int) -> None:
        beginning = self._beginning.pop(number, None)
        if beginning is not None:
            beginning.steps.close()
        self._ready.discard(number)
        self._told.discard(number)
        self.lag.pop(number, None)
        partition = self._followed.pop(number, None)
        if partition is None:
            return
        partition.close()
        if beginning is not None and partition.rows is not beginning.rows:
            self._stores.drop(str(number))  # a snapshot that was not looked through to its end
        log.info("standby_ended", partition=number, history_offset=partition.meta.history_offset)

    def _drop(self, number: int, error: Exception) -> None:
        """Begins anew, at the next look."""
        log.warning("standby_rebuilt", partition=number, reason=str(error))
        self._close(number)
        self._stores.drop(str(number))
        self._look_ms = 0

    def _clean(self, now_ms: int) -> None:
        """Stores that are of no use here any more are kept for a while, for partitions come back, and then removed."""
        used = self._owned | self._followed.keys()
        for number in range(self._around.options.partitions):
            if number in used:
                self._unwanted_ms.pop(number, None)
            elif now_ms - self._unwanted_ms.setdefault(number, now_ms) > (
                self._around.options.store_kept_ms
            ):
                self._stores.drop(str(number))
                self._unwanted_ms[number] = now_ms

    # -- following --------------------------------------------------------------------------------------------------

    def _follow(self, number: int) -> None:
        """Reads what is new of one partition. Raises `Unavailable`."""
        partition = self._followed.get(number)
        if partition is None:
            return
        reader = self._opened_reader()
        end = reader.end_offset(partition.history)
        try:
            if number not in self._ready and not self._begun(number, partition, reader, end):
                return
            offset = partition.meta.history_offset
            self.lag[number] = max(0, end - offset)
            if offset > end:
                raise StoreCorrupted(
                    f"Expected the history of partition {number} to reach offset {offset}, found its end at {end}"
                )
            for records in reader.read(partition.history, offset, end):
                with self._lock:
                    if self._followed.get(number) is not partition:
                        return
                    ingest(partition, records, self._around)
                    self.lag[number] = max(0, end - partition.meta.history_offset)
            self._caught_up(number, partition, end)
        except Unavailable:
            raise
        except (StoreCorrupted, LogError) as error:
            # Damage, or a store that the log does not go on from: all of it is read again.
            with self._lock:
                if self._followed.get(number) is partition:
                    self._drop(number, error)

    def _begun(self, number: int, partition: Partition, reader: Reader, end: int) -> bool:
        """Whether its store is now what following goes on from: as it is, or a snapshot in its place."""
        first = reader.start_offset(partition.history)
        while True:
            with self._lock:
                if self._followed.get(number) is not partition:
                    return False
                more = self._begin_step(number, partition, first, end)
                if number in self._ready:
                    return True
            if not more:
                return False

    def _begin_step(self, number: int, partition: Partition, first: int, end: int) -> bool:
        """Whether there is more to do now."""
        around = self._around
        if number not in self._beginning:
            begin(partition, None, first, end, around)
            if self._loading is None:
                self._ready.add(number)
                return False
            steps = self._loading.into(partition, worth(partition, None, end, around))
            self._beginning[number] = Beginning(steps, partition.rows)
        try:
            return next(self._beginning[number].steps)
        except StopIteration:
            begin(partition, None, first, end, around)
            del self._beginning[number]
            self._ready.add(number)
            return False

    def _caught_up(self, number: int, partition: Partition, end: int) -> None:
        with self._lock:
            if self._followed.get(number) is not partition:
                return
            if number not in self._told:
                self._told.add(number)
                log.info("standby_ready", partition=number, history_offset=end)
            meta, now_ms = partition.meta, self._around.clock.now_ms()
            meta.history_offset = max(meta.history_offset, end)
            self.lag[number] = 0
            if now_ms - meta.followed_ms >= self._around.options.standby_note_ms:
                meta.followed_ms = now_ms
                partition.rows.note(meta)

    def _opened_reader(self) -> Reader:
        if self._reader is None:
            self._reader = self._log.reader()
        return self._reader


def standby_of(
    log_: Log, stores: Stores, around: Surroundings, group: str, snapshots: Objects | None
) -> Standby | None:
    """``None`` where nobody is to stand by."""
    if not around.options.standby:
        return None
    return Standby(log_, stores, around, group, snapshots=snapshots)

"""Group commit: appends gather in a round, and one write with one sync makes a whole round durable.

    append, append, commit ... -> the current round (in memory)
    sync: close the round -> write it -> flush the write-ahead log -> show it -> tell who waits

Whoever needs a round durable syncs it on its own thread, unless another thread is just doing so: that saves a hand-over
to a flusher and back (two wake-ups, 0.05 ms, and far more when other threads keep the interpreter busy). `flusher` is
only there for what nobody waits for. The sync leaves the interpreter free; a synced *write* would not.

Locks, in the order in which they are taken: ``syncing`` (one round at a time), ``publishing`` (callbacks, in the order of
rounds), ``lock`` (all state in memory, for microseconds). Callbacks may append but not sync.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from rocksdict import Rdict, WriteBatch

from streamflow.embedded.database import broken, encode_record, pack_offset, position_key
from streamflow.embedded.partition import Partition
from streamflow.memory.groups import Group
from streamflow.observability import get_logger
from streamflow.ports import Committed, Fatal, Headers, LogError, Record, TopicPartition

Done = Callable[[LogError | None], None]
ROUND_BYTES_MAX = 32 << 20
"""A producer that has filled a round with this much syncs it itself before it goes on."""

_log = get_logger("embedded")


class Round:
    """What is written and synced together."""

    __slots__ = ("batch", "bytes", "decisions", "done", "dones", "error", "held_from", "touched")

    def __init__(self) -> None:
        self.batch = WriteBatch(raw_mode=True)
        self.bytes = 0
        self.touched: dict[Partition, int] = {}
        """The end of each partition's part, once the round is closed."""
        self.held_from: dict[Partition, int] = {}
        """Where each partition's first record of a transaction is."""
        self.decisions: list[tuple[Group, int]] = []
        self.dones: list[Done] = []
        self.done = False
        self.error: Fatal | None = None

    def is_empty(self) -> bool:
        return not self.bytes


class Journal:
    """Appends to the database and makes it durable. ``lock`` guards the state of the whole log."""

    def __init__(self, db: Rdict) -> None:
        self.lock = threading.Lock()
        self.broken: Fatal | None = None
        self.appended = 0
        self._db = db
        self._path = db.path()
        self._syncing = threading.Lock()
        self._publishing = threading.Lock()
        self._round = Round()
        self._publisher = 0

    # -- with the lock held

    def append(
        self,
        partition: Partition,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        now_ms: int,
    ) -> None:
        """A record of a producer: visible at once, unless a transaction before it is not yet decided."""
        self._add(partition, key, value, headers, now_ms)
        if not partition.held:
            partition.show(partition.end)

    def append_held(
        self,
        partition: Partition,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        now_ms: int,
    ) -> None:
        """A record of a transaction: visible once its round is synced."""
        held_from = self._round.held_from
        if partition not in held_from:
            held_from[partition] = partition.end
            partition.held += 1
        self._add(partition, key, value, headers, now_ms)

    def _add(
        self,
        partition: Partition,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        now_ms: int,
    ) -> None:
        offset = partition.end
        row = encode_record((key, value, headers, now_ms))
        size = len(row) + 100
        round_ = self._round
        round_.batch[partition.prefix + pack_offset(offset)] = row  # half the time of put()
        round_.bytes += size
        round_.touched[partition] = 0
        partition.add(
            Record(partition.topic, partition.number, offset, key, value, headers, now_ms), size
        )
        self.appended += 1

    def put(self, key: bytes, value: bytes) -> None:
        self._round.batch.put(key, value)
        self._round.bytes += len(key) + len(value)

    def delete(self, key: bytes) -> None:
        self._round.batch.delete(key)
        self._round.bytes += len(key)

    def delete_range(self, start: bytes, end: bytes) -> None:
        """Every row from ``start`` to before ``end``, those of this round included."""
        self._round.batch.delete_range(start, end)
        self._round.bytes += len(start) + len(end)

    def put_position(self, group: str, partition: TopicPartition, position: Committed) -> None:
        self.put(
            position_key(group, partition.topic, partition.partition),
            encode_record((position.offset, position.metadata)),
        )

    def stage_positions(self, group: Group, offsets: Mapping[TopicPartition, Committed]) -> None:
        """Positions of a transaction: the group's once the round is synced."""
        for partition, position in offsets.items():
            self.put_position(group.name, partition, position)
        self._round.decisions.append((group, group.positions.stage(offsets)))

    def when_durable(self, done: Done) -> None:
        self._round.dones.append(done)

    def current(self) -> Round:
        """The round that holds everything appended so far and not yet being synced."""
        if self.broken is not None:
            raise self.broken
        return self._round

    # -- without it

    def relieve(self) -> None:
        """Waits for the disk when producers have filled a round. Callbacks may not wait, so theirs goes on growing."""
        if self._round.bytes > ROUND_BYTES_MAX and self._publisher != threading.get_ident():
            self.settle()

    def settle(self) -> None:
        """Returns when everything appended before this call is durable and decided."""
        with self.lock:
            round_ = self.current()
        if not round_.is_empty():
            self.sync(round_)
            return
        with self._syncing:
            pass  # the round before it may just be written by another thread
        if self.broken is not None:
            raise self.broken

    def sync(self, round_: Round) -> None:
        """Returns when the round is durable and shown. Raises `Fatal` if the disk would not take it."""
        with self._syncing:
            leads = not round_.done
            if leads:
                self._write(round_)
                self._publishing.acquire()
        # The next round may be written while this one's callbacks run; they stay in order.
        if leads:
            self._publisher = threading.get_ident()
            try:
                _publish(round_)
            finally:
                self._publisher = 0
                self._publishing.release()
        if round_.error is not None:
            raise round_.error

    def publish(self, call: Callable[[], None]) -> None:
        """Makes a call that must not run beside the callbacks of a round."""
        with self._publishing:
            call()

    def close(self) -> None:
        """Makes everything durable and accepts nothing more."""
        if self.broken is None:
            self.settle()
        with self.lock:
            self.broken = self.broken or Fatal(
                f"Expected the embedded log {self._path} to be open, found it closed; open it again"
            )

    def write_aside(self, batch: WriteBatch) -> None:
        """Writes housekeeping that need not be in any order with appends, nor synced."""
        try:
            self._db.write(batch)
        except Exception as error:
            raise broken(self._path, error) from error

    def _write(self, round_: Round) -> None:
        """Makes the current round durable (it is ``round_``: rounds are closed here only, one at a time)."""
        with self.lock:
            assert round_ is self._round
            self._round = Round()
            for partition in round_.touched:
                round_.touched[partition] = partition.end
        try:
            if self.broken is not None:
                raise self.broken
            self._db.write(round_.batch)
            self._db.flush_wal(True)
        except Exception as error:
            # Whether it is durable is not known, and later rounds build on it: nothing more is accepted.
            round_.error = self.broken = self.broken or broken(self._path, error)
            round_.done = True
            return
        with self.lock:
            self._show(round_)
        round_.done = True

    def _show(self, round_: Round) -> None:
        for group, stamp in round_.decisions:
            group.positions.decide(stamp, committed=True)
        for partition in round_.held_from:
            partition.held -= 1
        later = self._round.held_from
        for partition, end in round_.touched.items():
            partition.synced = end
            visible = later.get(partition, partition.end)
            if visible > partition.visible:
                partition.show(visible)
            partition.forget_old()


def _publish(round_: Round) -> None:
    if round_.error is None:
        for partition in round_.touched:
            for follower in partition.followers:
                follower.advance()
    for done in round_.dones:
        try:
            done(round_.error)
        except Exception:
            # Someone else's callback; its failure must not become that of the thread that happened to sync.
            _log.exception("durable_callback_failed")

"""Appending: transactions of processors, and producers. What makes it durable is `journal`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from streamflow.embedded.flusher import Flusher
from streamflow.embedded.journal import Done, Journal
from streamflow.embedded.source import EmbeddedSource
from streamflow.embedded.topics import Topics
from streamflow.ports import (
    Committed,
    Fatal,
    Fenced,
    LogError,
    OutRecord,
    RecordRefused,
    Source,
    TopicPartition,
)

Epochs = dict[str, int]
"""How often each transactional id was taken; the last taker has it. Ids live as long as the process."""


class EmbeddedTransactor:
    """A `Transactor` with one id: there is no ring, as nothing is left to finish once a sync is done."""

    def __init__(self, name: str, *, epochs: Epochs, journal: Journal, topics: Topics) -> None:
        self._id = name
        self._epochs = epochs
        self._epoch = 0
        self._journal = journal
        self._topics = topics

    @property
    def ids(self) -> tuple[str, ...]:
        return (self._id,)

    def open(self) -> None:
        with self._journal.lock:
            self._epoch = _take(self._epochs, self._id)
        self._journal.settle()

    def reopen(self) -> None:
        self.open()

    def commit(
        self,
        records: Sequence[OutRecord],
        offsets: Mapping[TopicPartition, Committed],
        source: Source,
    ) -> None:
        assert offsets, "a transaction without offsets fences nobody"
        assert isinstance(source, EmbeddedSource), source
        journal = self._journal
        placed = [(self._topics.accept(record), record) for record in records]
        now_ms = time.time_ns() // 1_000_000
        with journal.lock:
            self._check_epoch()
            source.check_owned(offsets)
            round_ = journal.current()
            for partition, record in placed:
                journal.append_held(partition, record.key, record.value, record.headers, now_ms)
            journal.stage_positions(source.group, offsets)
        journal.sync(round_)

    def fence(self, ids: Sequence[str]) -> None:
        with self._journal.lock:
            for id_ in ids:
                _take(self._epochs, id_)
        self._journal.settle()

    def close(self) -> None:
        """Gives the id up; an unopened or closed transactor commits nothing."""
        self._epoch = 0

    def _check_epoch(self) -> None:
        if not self._epoch or self._epochs.get(self._id) != self._epoch:
            raise Fenced(
                f"Expected the transactional id {self._id!r} to be ours, found it taken by another; "
                "give the partitions up"
            )


class EmbeddedProducer:
    """A `Producer`. Thread-safe."""

    def __init__(self, *, journal: Journal, flusher: Flusher, topics: Topics) -> None:
        self._journal = journal
        self._lock = journal.lock
        self._flusher = flusher
        self._topics = topics

    def send(self, record: OutRecord, done: Done | None = None) -> None:
        """What cannot be appended is told to ``done`` at once; without it, it is raised."""
        journal = self._journal
        try:
            partition = self._topics.accept(record)
            now_ms = time.time_ns() // 1_000_000
            with self._lock:
                journal.current()
                journal.append(partition, record.key, record.value, record.headers, now_ms)
                if done is not None:
                    journal.when_durable(done)
                self._flusher.wake(urgent=bool(partition.followers))
        except (RecordRefused, Fatal) as error:
            _refuse(error, done)
            return
        journal.relieve()

    def flush(self, wait_ms: int) -> None:
        self._journal.settle()

    def close(self) -> None:
        self._journal.settle()


def _refuse(error: LogError, done: Done | None) -> None:
    if done is None:
        raise error
    done(error)


def _take(epochs: Epochs, id_: str) -> int:
    epochs[id_] = epochs.get(id_, 0) + 1
    return epochs[id_]

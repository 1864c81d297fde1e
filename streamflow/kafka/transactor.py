"""The transactions of one processor: a ring of lanes used in turn.

A producer's next transaction has to wait for the markers of its last one; with three in turn it hardly ever does.
Only one transaction is open at a time. It is begun when everything is in memory, so it is open for milliseconds.

After `Aborted`, `RecordRefused` or `NotGranted` the next commit may follow. After any other error the ring is used up: `reopen`
makes new producers with the same IDs, which ends whatever the old ones left.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from streamflow.kafka.cluster import Cluster
from streamflow.kafka.errors import Call, CallFailed, Verdict, not_granted
from streamflow.kafka.lane import Lane
from streamflow.kafka.options import KafkaOptions
from streamflow.kafka.records import to_client
from streamflow.kafka.rights import Rights
from streamflow.kafka.source import KafkaSource
from streamflow.observability import get_logger
from streamflow.ports import (
    Aborted,
    Committed,
    LogError,
    OutcomeUnknown,
    OutRecord,
    RecordRefused,
    Source,
    TopicPartition,
    Unavailable,
)

_log = get_logger("kafka")

OPEN_TIMEOUT_S: Final = 60.0
PAUSE_S_MIN: Final = 0.1
PAUSE_S_MAX: Final = 2.0
"""How long, ever longer, the next transaction waits where a grant is missing."""


class KafkaTransactor:
    """Implements `streamflow.ports.Transactor`. Owned by the thread that owns the source."""

    def __init__(self, options: KafkaOptions, cluster: Cluster, rights: Rights, name: str) -> None:
        self._options = options
        self._cluster = cluster
        self._rights = rights
        self._ids = tuple(f"{name}-{j}" for j in range(options.ring_size))
        self._lanes: list[Lane] = []
        self._turn = 0
        self._usable = False
        self._pause_s = PAUSE_S_MIN

    @property
    def ids(self) -> tuple[str, ...]:
        return self._ids

    def open(self) -> None:
        assert not self._lanes, "the transactor is open already"
        self._lanes = self._take(self._ids)
        self._usable = True

    def commit(
        self,
        records: Sequence[OutRecord],
        offsets: Mapping[TopicPartition, Committed],
        source: Source,
    ) -> None:
        # An empty list of offsets fences nothing: a replaced owner would then commit.
        assert offsets, (
            "Expected the offset of each partition that the transaction carries, found none"
        )
        assert self._usable, "Expected an open transactor, found one to be reopened"
        assert isinstance(source, KafkaSource), source
        self._refuse_unknown_topics(records)
        positions = [to_client(p, c.offset, c.metadata) for p, c in offsets.items()]
        # Whatever interrupts what follows leaves a transaction that nobody knows the state of.
        self._usable = False
        try:
            lane = self._next_lane()
            # From here on: a producer that had to be renewed may have waited for its broker for longer than that.
            deadline = time.monotonic() + self._options.transaction_timeout_ms / 1000
            lane.commit(records, positions, source.group, source.group_metadata(), deadline)
        except CallFailed as failed:
            self._usable = failed.verdict in (Verdict.ABORT, Verdict.REFUSED, Verdict.UNGRANTED)
            if failed.verdict is Verdict.UNGRANTED:
                self._pause()
                raise self._not_granted(failed, records) from failed
            raise failed.as_log_error() from failed
        self._usable = True
        self._pause_s = PAUSE_S_MIN

    def reopen(self) -> None:
        self._drop_all()
        self.open()

    def fence(self, ids: Sequence[str]) -> None:
        foreign = [id for id in dict.fromkeys(ids) if id not in self._ids]
        for lane in self._take(foreign):
            lane.drop()

    def close(self) -> None:
        self._drop_all()

    # -- lanes ----------------------------------------------------------------------------------------------------

    def _next_lane(self) -> Lane:
        place = self._turn % len(self._lanes)
        self._turn += 1
        if self._lanes[place].doubtful():
            # The library logs a repeated disconnect only once; a new producer starts that count again.
            lane = self._lanes[place]
            _log.info("transactional_producer_renewed", id=lane.id)
            lane.drop()
            try:
                [self._lanes[place]] = self._take([lane.id])
            except (Aborted, Unavailable) as error:
                raise OutcomeUnknown(f"{error} Reopen the transactor.") from error
        return self._lanes[place]

    def _take(self, ids: Sequence[str]) -> list[Lane]:
        """Holds these IDs, all taken at the same time, or none."""
        if not ids:
            return []
        deadline = time.monotonic() + OPEN_TIMEOUT_S
        lanes = [Lane(self._options, id) for id in ids]
        with ThreadPoolExecutor(len(lanes), thread_name_prefix="streamflow-take") as pool:
            results = [pool.submit(lane.open, deadline) for lane in lanes]
        failures = [error for result in results if (error := result.exception()) is not None]
        if not failures:
            return lanes
        for lane in lanes:
            lane.drop()
        match failures[0]:
            case CallFailed(verdict=Verdict.UNKNOWN) as late:
                raise Unavailable(
                    f"Expected the transactional ids {', '.join(ids)} within {OPEN_TIMEOUT_S:.0f} s, found: {late}."
                ) from late
            case CallFailed() as failed:
                raise failed.as_log_error() from failed
            case other:
                raise other

    def _drop_all(self) -> None:
        self._usable = False
        lanes, self._lanes = self._lanes, []
        for lane in lanes:
            lane.drop()

    # -- grants -------------------------------------------------------------------------------------------------------

    def _pause(self) -> None:
        time.sleep(self._pause_s)
        self._pause_s = min(2 * self._pause_s, PAUSE_S_MAX)

    def _not_granted(self, failed: CallFailed, records: Sequence[OutRecord]) -> LogError:
        """Which topics take nothing: of a transaction whose topics were refused together, the error names none."""
        if failed.call is not Call.APPEND:
            return failed.as_log_error()
        if failed.record is not None:
            topics = [failed.record.topic]
        else:
            topics = self._rights.unwritable(sorted({record.topic for record in records}))
        self._rights.withhold(topics)
        return not_granted(failed.error, topics)

    # -- destinations ---------------------------------------------------------------------------------------------

    def _refuse_unknown_topics(self, records: Sequence[OutRecord]) -> None:
        """Before anything begins: a broker would create a topic for a typing error."""
        has_partition = self._cluster.has_partition
        for record in records:
            if has_partition(record.topic, record.partition):
                continue
            self._cluster.refresh()
            if not has_partition(record.topic, record.partition):
                raise RecordRefused(
                    f"Expected a topic {record.topic!r} with a partition {record.partition}, found none. "
                    "Create the topic or correct the destination.",
                    record,
                )

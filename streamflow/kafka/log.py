"""A connection to one Kafka cluster: everything that `streamflow.ports.Log` promises, and where it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from streamflow.kafka.brokers import brokers
from streamflow.kafka.cluster import Cluster
from streamflow.kafka.options import KafkaOptions
from streamflow.kafka.positions import Positions
from streamflow.kafka.producer import KafkaProducer
from streamflow.kafka.reader import KafkaReader
from streamflow.kafka.rights import Rights
from streamflow.kafka.source import KafkaSource
from streamflow.kafka.tail import KafkaTail, Tails
from streamflow.kafka.transactor import KafkaTransactor
from streamflow.ports import (
    BrokerState,
    Committed,
    Machine,
    RebalanceListener,
    Record,
    TopicPartition,
    TopicSpec,
    TopicState,
)
from streamflow.threads import Delays, MachineThread, SystemClock


class KafkaLog:
    """Implements `streamflow.ports.Log`.

    What it hands out is closed by whoever asked for it; `close` ends what all of them share.
    """

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._clock = SystemClock()
        self._cluster = Cluster(options)
        self._rights = Rights(self._cluster.asking)
        self._tails = Tails(options, self._cluster)
        self._delays = Delays()

    @classmethod
    def connect(cls, bootstrap: str, **options: Any) -> Self:
        """Connects to `HOST:PORT[,HOST:PORT]`; options are ours by name, all others librdkafka's.

            KafkaLog.connect("kafka:9093", **{"security.protocol": "SSL", "ssl.ca.location": "/etc/ca.pem"})

        Raises:
            ValueError: An option would break a guarantee.
            Unavailable: No broker answers.
        """
        log = cls(KafkaOptions.parse(bootstrap, options))
        log._cluster.refresh()
        return log

    def __repr__(self) -> str:
        return f"KafkaLog({self._options!r})"

    @property
    def durable(self) -> bool:
        return True

    @property
    def threaded(self) -> bool:
        return True

    @property
    def clock(self) -> SystemClock:
        return self._clock

    @property
    def cluster_id(self) -> str:
        return self._cluster.id()

    # -- topics ---------------------------------------------------------------------------------------------------

    def topics(self) -> Mapping[str, TopicState]:
        return self._cluster.topics()

    def withheld_topics(self) -> frozenset[str]:
        return self._rights.withheld()

    def describe_topics(self, names: Sequence[str]) -> dict[str, TopicState]:
        return self._cluster.describe(names)

    def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        self._cluster.create(specs)

    def alter_topics(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        self._cluster.alter(changes)

    def delete_topics(self, names: Sequence[str]) -> None:
        self._cluster.delete(names)

    def brokers(self, *, answers_min: int | None = None) -> Sequence[BrokerState]:
        return brokers(self._cluster, answers_min)

    def live_members(self, group: str) -> frozenset[str]:
        return self._cluster.live_members(group)

    def owners(self, group: str) -> Mapping[TopicPartition, str]:
        return self._cluster.owners(group)

    def positions(
        self, group: str, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, Committed | None]:
        positions = Positions(self._options, group)
        try:
            return positions.committed(partitions, stable=False)
        finally:
            positions.close()

    # -- traffic --------------------------------------------------------------------------------------------------

    def source(
        self, *, group: str, topics: Sequence[str], listener: RebalanceListener, instance: str
    ) -> KafkaSource:
        return KafkaSource(
            self._options,
            self._cluster,
            group=group,
            topics=topics,
            listener=listener,
            instance=instance,
        )

    def transactor(self, name: str) -> KafkaTransactor:
        return KafkaTransactor(self._options, self._cluster, self._rights, name)

    def producer(self) -> KafkaProducer:
        return KafkaProducer(self._options, self._cluster)

    def reader(self) -> KafkaReader:
        return KafkaReader(self._options, self._cluster)

    def tail(
        self,
        partition: TopicPartition,
        deliver: Callable[[Sequence[Record]], None],
        *,
        offset: int | None = None,
    ) -> KafkaTail:
        return self._tails.open(partition, deliver, offset)

    def drive(self, machine: Machine, *, name: str) -> MachineThread:
        return MachineThread(machine, name)

    def delay(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        return self._delays.after(seconds, call)

    def close(self) -> None:
        self._tails.close()
        self._delays.close()

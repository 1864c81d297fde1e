"""Three Kafka brokers on this machine, as replicated as a production cluster: each can be killed, paused and cut off.

    with KafkaCluster() as cluster:
        cluster.bootstrap                       # for the clients under test: their network can be troubled
        cluster.brokers[1].kill()
        cluster.brokers[1].start()
        cluster.wait_until_in_sync()

Not here: a single broker, which starts faster (`streamflow.testing.kafka`), and the proxy (`kafka_network`).
"""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Self, cast

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streamflow.testing.kafka_distribution import KafkaUnavailable, kafka_distribution
from streamflow.testing.kafka_network import Link, Network
from streamflow.testing.kafka_process import (
    LOOPBACK,
    BrokerProcess,
    cluster_id_of,
    format_log,
    free_ports,
    java,
)
from streamflow.testing.kafka_readiness import stages

BROKERS: Final = 3
START_TIMEOUT_S: Final = 150.0
COORDINATOR_PARTITIONS: Final = 6
"""Of each internal topic: so that every broker leads two."""


class ClusterBroker:
    """One node of the cluster, broker and controller, with the settings that it was made with."""

    def __init__(
        self,
        number: int,
        folder: Path,
        network: Network,
        *,
        settings: Mapping[str, str],
        heap_mb: int,
    ) -> None:
        self.number = number
        self.clients_link = network.link(f"clients-{number}")
        """What clients see of it."""
        self.brokers_link = network.link(f"brokers-{number}")
        """What the other brokers see of it: they copy its partitions over this."""
        self.direct, self.controller, *behind = (f"{LOOPBACK}:{port}" for port in free_ports(4))
        self.clients_link.upstream, self.brokers_link.upstream = behind
        self._folder = folder
        self._settings = settings
        self._heap_mb = heap_mb
        folder.mkdir(parents=True)
        self._process = BrokerProcess(folder / "broker.log", remove=None)

    @property
    def pid(self) -> int:
        """Process id of the broker, which must be running."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the broker's process is there, paused or not."""
        return self._process.is_running

    def start(self) -> None:
        """Returns at once; `KafkaCluster.wait_until_in_sync` says when it has caught up."""
        self._process.launch([*self._java(), "kafka.Kafka", str(self._properties_file)])

    def stop(self) -> None:
        """Shuts it down in order: it hands its partitions over first."""
        self._process.end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it as a crash would (SIGKILL). The data stays."""
        self._process.end(signal.SIGKILL)

    def pause(self) -> None:
        """Stops it where it is (SIGSTOP): its connections stay, and nothing answers."""
        self._process.pause()

    def resume(self) -> None:
        self._process.resume()

    def log_tail(self, *, lines: int = 40) -> str:
        """The last lines that it wrote since it was started."""
        return self._process.log_tail(lines=lines)

    def format(self, cluster_id: str, voters: str) -> str:
        """Lays its folder out; the cluster's id, made here for the first one (``""``)."""
        listeners = f"PLAINTEXT://{self.direct},CONTROLLER://{self.controller}"
        listeners += (
            f",PROXIED://{self.clients_link.upstream},BROKERS://{self.brokers_link.upstream}"
        )
        advertised = f"PLAINTEXT://{self.direct},PROXIED://{self.clients_link.address}"
        advertised += f",BROKERS://{self.brokers_link.address}"
        own = {
            "node.id": str(self.number),
            "listeners": listeners,
            "advertised.listeners": advertised,
            "controller.quorum.voters": voters,
            "log.dirs": str(self._folder / "data"),
        }
        self._properties_file.write_text(
            "".join(f"{k}={v}\n" for k, v in {**_SETTINGS, **own, **self._settings}.items())
        )
        options = ("--cluster-id", cluster_id) if cluster_id else ()
        format_log(self._java(), self._properties_file, *options)
        return cluster_id_of(self._folder / "data")

    @property
    def _properties_file(self) -> Path:
        return self._folder / "server.properties"

    def _java(self) -> list[str]:
        return java(kafka_distribution(), heap_mb=self._heap_mb)


class KafkaCluster:
    """Brokers 1 to 3, replication 3, two copies in sync before anything is acknowledged.

    ``settings`` are broker properties on top of ours, ``heap_mb`` is each broker's `-Xmx`. All of it ends when this process
    does, and the data with `close`, unless ``directory`` was given.
    """

    def __init__(
        self,
        *,
        directory: Path | None = None,
        settings: Mapping[str, str] | None = None,
        heap_mb: int = 384,
    ) -> None:
        self._is_temporary = directory is None
        self.directory = directory or Path(tempfile.mkdtemp(prefix="streamflow-cluster-"))
        self.network = Network()
        self.brokers: Mapping[int, ClusterBroker] = {
            number: ClusterBroker(
                number,
                self.directory / f"broker-{number}",
                self.network,
                settings=settings or {},
                heap_mb=heap_mb,
            )
            for number in range(1, BROKERS + 1)
        }
        self._cluster_id = ""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def bootstrap(self) -> str:
        """Addresses for clients whose network is this cluster's `network`."""
        return ",".join(each.clients_link.address for each in self.brokers.values())

    @property
    def direct(self) -> str:
        """Addresses past the network, for those who watch."""
        return ",".join(each.direct for each in self.brokers.values())

    def links(self) -> list[Link]:
        return [
            link
            for each in self.brokers.values()
            for link in (each.clients_link, each.brokers_link)
        ]

    def start(self, *, timeout_s: float = START_TIMEOUT_S) -> None:
        """Formats the brokers, starts them, and returns when transactions and groups are served by all coordinators.

        Raises:
            KafkaUnavailable: Something is missing, or a broker died, or they were not ready in time.
        """
        deadline = time.monotonic() + timeout_s
        voters = ",".join(f"{each.number}@{each.controller}" for each in self.brokers.values())
        for broker in self.brokers.values():
            self._cluster_id = broker.format(self._cluster_id, voters)
        for broker in self.brokers.values():
            broker.start()
        for is_ready in stages(
            self.brokers[1].direct,
            lambda: self._cluster_id,
            transaction_partitions=COORDINATOR_PARTITIONS,
            offsets_partitions=COORDINATOR_PARTITIONS,
        ):
            self._wait(is_ready, deadline, "a cluster that serves transactions and groups")
        self._wait(self.is_in_sync, deadline, "all copies in sync")

    def is_in_sync(self) -> bool:
        """Whether every broker serves, and says that every partition of every topic has all its copies in sync.

        Each is asked: the others may not have noticed yet that one was killed and is on its way back.
        """
        return all(self._says_in_sync(broker) for broker in self.brokers.values())

    def _says_in_sync(self, broker: ClusterBroker) -> bool:
        try:
            # A client of its own each time: an old one would ask any broker that it knows.
            asking: Any = AdminClient({"bootstrap.servers": broker.direct, "log_level": 0})
            found = asking.list_topics(timeout=5.0)
        except KafkaException:
            return False
        return len(found.brokers) == len(self.brokers) and all(
            len(partition.isrs) == len(partition.replicas)
            for topic in found.topics.values()
            for partition in cast("dict[int, Any]", topic.partitions).values()
        )

    def wait_until_in_sync(self, *, timeout_s: float = START_TIMEOUT_S) -> None:
        """Returns when no copy is missing: only then may the next broker be taken away.

        Raises:
            KafkaUnavailable: A broker ended by itself, or time is up.
        """
        self._wait(self.is_in_sync, time.monotonic() + timeout_s, "all copies in sync")

    def close(self) -> None:
        """Ends every broker and the network, and removes the directory, unless that was given."""
        for broker in self.brokers.values():
            broker.kill()
        self.network.close()
        if self._is_temporary:
            shutil.rmtree(self.directory, ignore_errors=True)

    def _wait(self, is_so: Callable[[], bool], deadline: float, what: str) -> None:
        while not is_so():
            for broker in self.brokers.values():
                if not broker.is_running:
                    found = f"broker {broker.number} has ended by itself"
                    raise KafkaUnavailable(f"Expected {what}, but {found}:\n{broker.log_tail()}")
            if time.monotonic() > deadline:
                tails = "\n".join(each.log_tail(lines=10) for each in self.brokers.values())
                raise KafkaUnavailable(f"Expected {what}, but time is up. Their logs:\n{tails}")
            time.sleep(0.05)


_SETTINGS: Final[Mapping[str, str]] = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "BROKERS",
    "listener.security.protocol.map": (
        "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,BROKERS:PLAINTEXT,CONTROLLER:PLAINTEXT"
    ),
    "auto.create.topics.enable": "false",
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "unclean.leader.election.enable": "false",
    "offsets.topic.num.partitions": str(COORDINATOR_PARTITIONS),
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "transaction.state.log.num.partitions": str(COORDINATOR_PARTITIONS),
    "transaction.state.log.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
    "share.coordinator.state.topic.num.partitions": "3",
    "share.coordinator.state.topic.replication.factor": "3",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # A dead broker is found out in seconds, so that an hour holds many; but not one that a busy machine holds up.
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "5000",
    "replica.lag.time.max.ms": "6000",
    # Threads that find nothing to do cost as well, where three brokers share two cores.
    "num.io.threads": "3",
    "num.network.threads": "2",
    # Of replicas: a follower that lost its connection asks again soon.
    "replica.fetch.backoff.ms": "200",
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
}

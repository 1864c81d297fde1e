"""One Kafka broker as a child process: started, stopped, killed and started again on its data.

Not here: whether to use one at all (`streamflow.testing.kafka`), where Java and the jars come from
(`kafka_distribution`), the process (`kafka_process`), and several brokers (`kafka_cluster`).
"""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from streamflow.testing.kafka_distribution import (
    Distribution,
    KafkaUnavailable,
    kafka_distribution,
)
from streamflow.testing.kafka_process import (
    LOOPBACK,
    BrokerProcess,
    cluster_id_of,
    format_log,
    free_ports,
    java,
)
from streamflow.testing.kafka_readiness import stages

START_TIMEOUT_S: Final = 90.0
FENCE_TIMEOUT_S: Final = 15.0
PORT_ATTEMPTS_MAX: Final = 3


class KafkaBroker:
    """One local broker, also its own controller, whose data outlives `stop` and `kill` until `close`.

    The ports are chosen at the first start and kept, so that clients find a restarted broker where
    it was. `directory` (default: a temporary one, which `close` removes) holds data, settings and
    `broker.log`; a directory used before goes on as it was left. `settings` are broker properties
    on top of ours, `heap_mb` is Java's `-Xmx` (default 512). `long_lived` lets Java spend what it takes to become fast (default:
    not, as a test's broker is gone before that pays). `proxied_at` is the HOST:PORT of a proxy of yours: clients that
    come through it, to `behind_proxy`, are told to come back the same way. `client_settings` are librdkafka's options by which
    we ourselves are let in, where the broker asks for more than an address (`kafka_security`).

    It ends when this process does. Children made by a bare `fork` share in that: it then waits for
    the last of them.
    """

    def __init__(
        self,
        *,
        directory: Path | None = None,
        settings: Mapping[str, str] | None = None,
        heap_mb: int = 512,
        long_lived: bool = False,
        proxied_at: str = "",
        client_settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._is_temporary = directory is None
        self.directory = directory or Path(tempfile.mkdtemp(prefix="streamflow-kafka-"))
        self._data = self.directory / "data"
        self._ports_file = self.directory / "ports"
        self._properties_file = self.directory / "server.properties"
        self._settings = dict(settings or {})
        self._heap_mb = heap_mb
        self._long_lived = long_lived
        self._proxied_at = proxied_at
        self._client_settings = client_settings
        self._process = BrokerProcess(
            self.directory / "broker.log", remove=self.directory if self._is_temporary else None
        )

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
        """`HOST:PORT` for clients. The broker must have been started once."""
        return f"{LOOPBACK}:{self._ports()[0]}"

    @property
    def behind_proxy(self) -> str:
        """`HOST:PORT` that the proxy is to connect to. The broker must have been started once."""
        assert self._proxied_at, "the broker was made without a proxy's address"
        return f"{LOOPBACK}:{self._ports()[2]}"

    @property
    def pid(self) -> int:
        """Process id of the broker, which must be running."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the broker's process is alive."""
        return self._process.is_running

    def start(self, *, timeout_s: float = START_TIMEOUT_S) -> None:
        """Returns when the broker serves metadata, transactions and groups, whatever their names.

        Raises:
            KafkaUnavailable: Something is missing, or the broker died or was not ready in time.
        """
        assert not self.is_running, f"Expected no running broker, found process {self.pid}"
        deadline = time.monotonic() + timeout_s
        distribution = kafka_distribution()
        if self._ports_file.exists():
            if self._had_a_life():
                self._fence_former_life(distribution)
            self._run(distribution, deadline)
            return
        # Another process may take a free port before the broker binds it: then choose again.
        for attempt in range(1, PORT_ATTEMPTS_MAX + 1):
            try:
                self._create(distribution)
                self._run(distribution, deadline)
            except KafkaUnavailable as error:
                if "Address already in use" not in str(error) or attempt == PORT_ATTEMPTS_MAX:
                    raise
            else:
                return

    def stop(self) -> None:
        """Shuts the broker down in order (SIGTERM), by force after 20 s. The data stays."""
        self._process.end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the broker as a crash would (SIGKILL). The data stays."""
        self._process.end(signal.SIGKILL)

    def restart(self) -> None:
        """Stops the broker if it runs, and starts it on the same data and ports."""
        self.stop()
        self.start()

    def log_tail(self, *, lines: int = 40) -> str:
        """The last lines that the broker wrote since it was started."""
        return self._process.log_tail(lines=lines)

    def close(self) -> None:
        """Ends the broker and removes its directory, unless that was given."""
        if self._is_temporary:
            self.kill()
            shutil.rmtree(self.directory, ignore_errors=True)
        else:
            self.stop()

    def _create(self, distribution: Distribution) -> None:
        """Lays the directory out anew: ports and a log formatted for a new cluster.

        The ports belong to the data, as the log itself names the controller's address.
        """
        shutil.rmtree(self._data, ignore_errors=True)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._ports_file.write_text(" ".join(map(str, free_ports(3))))
        self._write_properties()
        try:
            format_log(self._java(distribution), self._properties_file, "--standalone")
        except KafkaUnavailable:
            self._ports_file.unlink()
            raise

    def _had_a_life(self) -> bool:
        return (self._data / "__cluster_metadata-0").exists()

    def _fence_former_life(self, distribution: Distribution) -> None:
        """Runs the controller alone until it has fenced the broker that was stopped or killed.

        A lone broker started at once still takes itself for the leader. Its transaction coordinator
        then completes the transactions that were left prepared, and when the controller fences
        the former life in the middle of that, it takes their partitions for deleted: no marker is
        written, and read-committed readers of the partition hang for ever (Kafka 4.3.1, every other
        kill). With other replicas, as in production, the partition has a leader meanwhile.
        """
        self._write_properties(_lone_controller(self._ports()[1]))
        self._launch([*self._java(distribution), "-Dorg.apache.logging.log4j.level=INFO"])
        deadline = time.monotonic() + FENCE_TIMEOUT_S
        # A broker that was killed before it ever served has nothing to fence; the wait then runs out.
        while self.is_running and time.monotonic() < deadline:
            _, _, fencing = self._process.said().partition("Fencing broker 1 ")
            if "fenced=1" in fencing:
                break
            time.sleep(0.02)
        self.stop()

    def _run(self, distribution: Distribution, deadline: float) -> None:
        self._write_properties()
        self._launch(self._java(distribution))
        try:
            for is_ready in self._stages():
                while not is_ready():
                    self._check_alive(deadline)
                    time.sleep(0.02)
        except BaseException:
            self.kill()
            raise

    def _launch(self, java: list[str]) -> None:
        self._process.launch([*java, "kafka.Kafka", str(self._properties_file)])

    def _stages(self) -> Iterator[Callable[[], bool]]:
        settings = {**_BROKER_SETTINGS, **self._settings}
        return stages(
            self.bootstrap,
            self._own_cluster_id,
            transaction_partitions=int(settings["transaction.state.log.num.partitions"]),
            offsets_partitions=int(settings["offsets.topic.num.partitions"]),
            client_settings=self._client_settings,
        )

    def _check_alive(self, deadline: float) -> None:
        if self.is_running and time.monotonic() < deadline:
            return
        found = "it is not ready in time" if self.is_running else "its process has ended"
        raise KafkaUnavailable(
            f"Expected a broker at {self.bootstrap}, but {found}. The end of its log:\n{self.log_tail()}"
        )

    def _write_properties(self, overrides: Mapping[str, str | None] = MappingProxyType({})) -> None:
        """Writes the settings, those of `overrides` last; one that is None is left out."""
        broker, controller, behind = (f"{LOOPBACK}:{port}" for port in self._ports())
        listeners, advertised = f"PLAINTEXT://{broker}", f"PLAINTEXT://{broker}"
        if self._proxied_at:
            listeners += f",PROXIED://{behind}"
            advertised += f",PROXIED://{self._proxied_at}"
        own = {
            "listeners": f"{listeners},CONTROLLER://{controller}",
            "advertised.listeners": advertised,
            "controller.quorum.bootstrap.servers": controller,
            "log.dirs": str(self._data),
        }
        properties = {**_BROKER_SETTINGS, **own, **self._settings, **overrides}
        self._properties_file.write_text(
            "".join(f"{name}={value}\n" for name, value in properties.items() if value is not None)
        )

    def _java(self, distribution: Distribution) -> list[str]:
        return java(distribution, heap_mb=self._heap_mb, long_lived=self._long_lived)

    def _ports(self) -> tuple[int, int, int]:
        assert self._ports_file.exists(), "the broker has no address before its first start"
        port, controller_port, behind_proxy = self._ports_file.read_text().split()
        return int(port), int(controller_port), int(behind_proxy)

    def _own_cluster_id(self) -> str:
        return cluster_id_of(self._data)


_BROKER_SETTINGS: Final[Mapping[str, str]] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # A typo in a topic's name must fail, as on a careful production cluster.
    "auto.create.topics.enable": "false",
    # Before it stops, a lone broker would give its partitions up to nobody, and its transaction coordinator, still at work, would
    # take them for deleted: transactions that end just then never get their markers (as in `_fence_former_life`).
    "controlled.shutdown.enable": "false",
    # One broker holds everything; few partitions of the internal topics load fast.
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    # The first member of a group gets its partitions at once, and sessions may be short.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # The default buffer of the cleaner alone would take a quarter of the heap.
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
}


def _lone_controller(port: int) -> Mapping[str, str | None]:
    """The same node without its broker, quick to see that the broker is gone."""
    return {
        "process.roles": "controller",
        "listeners": f"CONTROLLER://{LOOPBACK}:{port}",
        "advertised.listeners": None,
        "inter.broker.listener.name": None,
        "broker.heartbeat.interval.ms": "100",
        "broker.session.timeout.ms": "500",
    }

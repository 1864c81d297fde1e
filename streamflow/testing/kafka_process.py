"""The operating system's side of a broker: a Java process that ends when this one does, however this one ends."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from streamflow.testing.kafka_distribution import Distribution, KafkaUnavailable

LOOPBACK: Final = "127.0.0.1"
STOP_TIMEOUT_S: Final = 20.0

# The collector and the pause that Kafka's own start script asks for, so that latencies mean something.
_JAVA_OPTIONS: Final = (
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-Djava.awt.headless=true",
    "-Dorg.apache.logging.log4j.level=WARN",
)
# Of the CPU of a broker that lives for minutes, Java's second compiler takes two fifths.
_SHORT_LIVED: Final = "-XX:TieredStopAtLevel=1"

# Its input closes when the last holder of the other end dies; a line on it means that all is well.
_WATCH: Final = 'read -r _ || { kill -KILL "$1"; [ -z "$2" ] || rm -rf -- "$2"; }'


class BrokerProcess:
    """At most one process at a time, which writes ``log_file``; started, signalled and ended.

    ``remove`` is a folder that goes when this process dies without ending the broker.
    """

    def __init__(self, log_file: Path, *, remove: Path | None = None) -> None:
        self._log_file = log_file
        self._remove = remove
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "the broker is not running"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def launch(self, command: Sequence[str]) -> None:
        assert not self.is_running, f"Expected no running broker, found process {self.pid}"
        with self._log_file.open("wb") as log:
            # In a session of its own Ctrl-C does not reach it: we end it, after its clients.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._watcher = _watch(self.pid, remove=self._remove)

    def pause(self) -> None:
        """Stops it where it is (SIGSTOP): its connections stay, and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def end(self, how: signal.Signals) -> None:
        """Ends it by this signal, by force after 20 s. Nothing happens where none runs."""
        process, self._process = self._process, None
        watcher, self._watcher = self._watcher, None
        if process is not None:
            process.send_signal(how)
            # A paused one hears nothing else but SIGKILL.
            process.send_signal(signal.SIGCONT)
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if watcher is not None:
            watcher.communicate(b"dismissed\n")

    def said(self) -> str:
        """What it wrote since it was launched."""
        return self._log_file.read_text(errors="replace")

    def log_tail(self, *, lines: int = 40) -> str:
        return "\n".join(self.said().splitlines()[-lines:])


def java(distribution: Distribution, *, heap_mb: int, long_lived: bool = False) -> list[str]:
    """The beginning of a command line; a main class follows."""
    options = [f"-Xmx{heap_mb}m", *_JAVA_OPTIONS, *([] if long_lived else [_SHORT_LIVED])]
    return [distribution.java, *options, "-cp", distribution.classpath]


def format_log(command: Sequence[str], properties_file: Path, *options: str) -> str:
    """Lays out the log folders that the settings name, for a new cluster; its id, unless one is among ``options``.

    Raises:
        KafkaUnavailable: Kafka's own tool would not.
    """
    cluster_id = _new_cluster_id()
    tool = [*command, "kafka.tools.StorageTool", "format", *options]
    if "--cluster-id" not in options:
        tool += ["--cluster-id", cluster_id]
    tool += ["--config", str(properties_file)]
    done = subprocess.run(tool, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise KafkaUnavailable(
            f"Expected a formatted log, but StorageTool ended with {done.returncode}:\n"
            f"{done.stdout}{done.stderr}"
        )
    return cluster_id


def cluster_id_of(log_folder: Path) -> str:
    lines = (log_folder / "meta.properties").read_text().splitlines()
    return next(line.removeprefix("cluster.id=") for line in lines if "cluster.id=" in line)


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that were free a moment ago, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]


def _watch(pid: int, *, remove: Path | None) -> subprocess.Popen[bytes]:
    """Kills the broker if this process dies without ending it; a pipe tells, so `kill -9` is seen too."""
    return subprocess.Popen(
        ["sh", "-c", _WATCH, "streamflow-broker-watch", str(pid), str(remove or "")],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )


def _new_cluster_id() -> str:
    """22 characters, as Kafka makes them; not beginning with a dash, which would look like an option."""
    encoded = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return encoded.replace("-", "_")

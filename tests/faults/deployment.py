"""A deployment under test: a queue on a real broker, its processes as the operating system sees them, and an outsider.

Knows how to start, kill, pause and stop; what must hold afterwards is `checker`'s.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from streamflow import topology, wiring
from streamflow.config import state_folder
from tests.faults import orders, stores
from tests.faults.checker import Verdict, judge, owners, witnessed
from tests.faults.outsider import Outsider
from tests.faults.raw import Entry, History, Topic, entry_of

ROOT = Path(__file__).resolve().parents[2]
QUEUE = "orders"
PARTITIONS = 4
END_TIMEOUT_S = 30
STARTING_KILLS = 0.25
"""The share of kills that hit a process while it starts."""


def say(what: str) -> None:
    """Shown with the output of a failed test, beside the processes' own logs."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    sys.stdout.write(f"{now} {what}\n")


class Place(Protocol):
    """Where processes are started: what all of one test's share."""

    bootstrap: str
    namespace: str
    folder: Path
    nodes: list[Node]


class Node:
    """One process, started again and again under one name. ``machine`` is where its disk is: another one for a
    namesake elsewhere."""

    def __init__(
        self, deployment: Place, name: str, role: str, *options: str, machine: str = ""
    ) -> None:
        self.name = name
        self.role = role
        self.state_dir = deployment.folder / f"state-{name}{machine}"
        self.witness = deployment.folder / f"witness-{name}{machine}.jsonl"
        self.log = deployment.folder / f"{name}{machine}-{len(deployment.nodes)}.log"
        self.starts = 0
        self.ended_in_order = False
        self._command = [
            *(sys.executable, "-m", "tests.faults.node", role),
            *("--kafka", deployment.bootstrap, "--namespace", deployment.namespace),
            *("--queue", QUEUE, "--name", name, "--state-dir", str(self.state_dir)),
            *options,
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._witnessed = 0
        self._logged = 0

    @property
    def has_witnessed(self) -> bool:
        """Whether an activity has begun here since the last start."""
        return self._witness_bytes() > self._witnessed

    def _witness_bytes(self) -> int:
        return self.witness.stat().st_size if self.witness.exists() else 0

    def _log_bytes(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} is not running"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, *options: str) -> Self:
        assert not self.running, f"{self.name} is running"
        self.starts += 1
        self._witnessed = self._witness_bytes()
        self._logged = self._log_bytes()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, *options],
                cwd=ROOT,
                env={**os.environ, "WITNESS": str(self.witness)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def kill(self) -> None:
        """As the kernel does it to one that uses too much memory."""
        self.send(signal.SIGKILL)
        self.wait()

    def stop(self) -> None:
        """As Kubernetes does it."""
        if self.running:
            self.send(signal.SIGTERM)
            assert self.wait() == 0, f"{self.name} did not end in order:\n{self.tail()}"
            self.ended_in_order = True

    def replace(self) -> bool:
        """As Kubernetes replaces a pod: one that has not ended in order within its grace is killed. Whether it had."""
        self.send(signal.SIGTERM)
        assert self._process is not None
        try:
            code = self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            say(f"{self.name} does not end:\n{self.tail(8)}")
            self.kill()
            in_order = False
        else:
            # Before Python is up to listening for it, the signal ends it as any program.
            in_order = code == 0
            unheard = code == -signal.SIGTERM and not self._spoke_since_start()
            assert in_order or unheard, f"{self.name} ended with {code}:\n{self.tail()}"
        self.start()
        return in_order

    def _spoke_since_start(self) -> bool:
        return self._log_bytes() > self._logged

    def send(self, how: signal.Signals) -> None:
        assert self.running, f"{self.name} ended by itself:\n{self.tail()}"
        os.kill(self.pid, how)

    def wait(self, timeout_s: float = END_TIMEOUT_S) -> int:
        """The exit code."""
        assert self._process is not None
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end:\n{self.tail()}") from None

    def forget_state(self) -> None:
        """Its disk is gone, as a pod's is that has no volume."""
        assert not self.running
        shutil.rmtree(self.state_dir, ignore_errors=True)

    def tail(self, lines: int = 30) -> str:
        return "\n".join(self.said().splitlines()[-lines:])

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def close(self) -> None:
        if self.running and self._process is not None:
            self._process.kill()
            self._process.wait()


class Deployment:
    """The queue ``orders`` of a namespace of its own."""

    def __init__(self, bootstrap: str, namespace: str, folder: Path, *, seed: int) -> None:
        self.bootstrap = bootstrap
        self.namespace = namespace
        self.folder = folder
        self.random = random.Random(seed)
        self.numbers: dict[str, int] = {}
        self.nodes: list[Node] = []
        log = wiring.open_log(bootstrap)
        topology.ensure_queue(
            log, namespace, QUEUE, kind="workflow", partitions=PARTITIONS, create=True
        )
        log.close()
        self.outsider = Outsider(bootstrap, topology.inbox_topic(namespace, QUEUE))
        self.history = History(bootstrap, topology.history_topic(namespace, QUEUE))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for node in self.nodes:
            node.close()
        self.history.close()
        if error is not None:
            self.tell()

    def tell(self) -> None:
        """What its processes said last."""
        for node in self.nodes:
            sys.stderr.write(f"---- {node.name}\n{node.tail(60)}\n")

    # -- processes --------------------------------------------------------------------------------------------------

    def processor(self, name: str, *options: str, machine: str = "") -> Node:
        return self._node(Node(self, name, "processor", *options, machine=machine))

    def worker(self, name: str, *options: str, machine: str = "") -> Node:
        return self._node(Node(self, name, "worker", *options, machine=machine))

    def both(self, name: str, *options: str, machine: str = "") -> Node:
        return self._node(Node(self, name, "both", *options, machine=machine))

    def _node(self, node: Node) -> Node:
        self.nodes.append(node)
        return node

    # -- orders -----------------------------------------------------------------------------------------------------

    def order(self, count: int) -> list[str]:
        """So many new orders, without the driver's signals."""
        placed: list[str] = []
        for _ in range(count):
            number = len(self.numbers)
            order = f"order-{number}"
            self.numbers[order] = number
            self.outsider.start(order, "Order", number)
            placed.append(order)
        return placed

    def drive(self, placed: list[str], *, which: int | None = None) -> None:
        """The driver's signals for these orders, or one of them only, in any order of orders."""
        for order in self.random.sample(placed, len(placed)):
            said = orders.signals(self.numbers[order])
            for name in said if which is None else said[which : which + 1]:
                self.outsider.signal(order, name)

    def storm(
        self,
        victims: list[Node],
        *,
        count: int,
        kills: int,
        forget: float = 0.0,
        one_of_them: bool = False,
    ) -> None:
        """Orders and signals in shares, and in each share a kill of every victim at a moment of chance.

        Most moments lie within a second after the victims were seen at work, the others while they start.
        ``forget`` is how likely a victim loses its disk as well. With ``one_of_them`` chance picks a single victim
        each time.
        """
        everyone = victims
        unpicked: list[str] = []
        undelivered: list[str] = []
        for done in range(1, kills + 1):
            self.drive(undelivered, which=1)
            self.drive(unpicked, which=0)
            undelivered, unpicked = unpicked, self.order(count * done // kills - len(self.numbers))
            if one_of_them:
                victims = [self.random.choice(everyone)]
            if self.random.random() < STARTING_KILLS:
                self.history.follow(self.random.uniform(0, 1.5))
            else:
                self.see_at_work(victims)
                self.history.follow(self.random.uniform(0, 0.8))
            self.kill_and_restart(victims, forget=forget)
            say(f"kill {done} of {' and '.join(victim.name for victim in victims)}")
        self.drive([*unpicked, *undelivered], which=1)
        self.drive(unpicked, which=0)
        self.outsider.flush()

    def kill_and_restart(self, victims: list[Node], *, forget: float = 0.0) -> None:
        for victim in victims:
            victim.send(signal.SIGKILL)
        for victim in victims:
            victim.wait()
            if self.random.random() < forget:
                victim.forget_state()
            victim.start()

    def see_at_work(self, nodes: list[Node], *, timeout_s: float = 30) -> None:
        """Returns when each of these has left a trace outside itself since it was started."""
        waiting = [node for node in nodes if node.role != "worker"]
        known = len(self.history.entries)
        deadline = time.monotonic() + timeout_s
        while (waiting and len(self.history.entries) == known) or not all(
            node.has_witnessed for node in nodes if node.role == "worker"
        ):
            assert time.monotonic() < deadline, f"no sign of {[node.name for node in nodes]}"
            self.history.follow(0.05)

    def own(self, owner: str, *, timeout_s: float = 30) -> None:
        """Returns when this processor has written to the history after now; orders keep coming meanwhile."""
        known = len(self.history.entries)
        deadline = time.monotonic() + timeout_s
        while owner not in owners(self.history.entries[known:]).values():
            assert time.monotonic() < deadline, f"{owner} owns nothing"
            self.drive(self.order(PARTITIONS))
            self.history.follow(0.2)

    def read_anew(self) -> list[Entry]:
        """What is in the history topic now, compaction done so far."""
        topic = topology.history_topic(self.namespace, QUEUE)
        with Topic(self.bootstrap, topic) as found:
            return [entry_of(message) for message in found.rest()]

    # -- the end ----------------------------------------------------------------------------------------------------

    def finish(self, *, timeout_s: float = 60, besides: Collection[str] = ()) -> Verdict:
        """Waits for every order's end, stops everything in order, and judges what is left in the topics.

        ``besides`` are workflows that are no orders.
        """
        began = time.monotonic()
        self.outsider.flush()
        self.history.follow_until_closed(len(self.numbers) + len(besides), timeout_s=timeout_s)
        waited = time.monotonic() - began
        for node in self.nodes:
            node.stop()
        verdict = self.judge(besides)
        verdict.enforce()
        starts = sum(node.starts for node in self.nodes)
        sys.stdout.write(
            f"\n{len(self.numbers)} orders, {starts} starts of {len(self.nodes)} processes, {verdict.events} events, "
            f"{verdict.executions} executions ({verdict.reruns} again before their end was recorded), "
            f"{verdict.rows} rows live as rebuilt, all ended {waited:.1f} s after the last fault\n"
        )
        return verdict

    def judge(self, besides: Collection[str] = ()) -> Verdict:
        self.history.read_to_end()
        entries = self.history.entries
        verdict = judge(
            entries, self.numbers, witnessed(node.witness for node in self.nodes), besides=besides
        )
        for partition, owner in owners(entries).items():
            live = stores.live(self.store_folder(owner), partition, self.folder)
            verdict.rows += len(live)
            for difference in stores.differences(live, stores.rebuilt(entries, partition)):
                verdict.wrong.append(
                    f"partition {partition} of {owner}, live and rebuilt: {difference}"
                )
        return verdict

    def store_folder(self, owner: str) -> Path:
        """Where the stores of the processor lie that had this name last."""
        node = max(
            (node for node in self.nodes if node.name == owner),
            key=lambda node: node.ended_in_order,
        )
        return state_folder(self.namespace, QUEUE, owner, root=node.state_dir)

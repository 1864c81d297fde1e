"""What is done to a deployment: kills, pauses, restarts and network troubles of chance, all from one seed, each written down.

Three hands strike at once: one at processors and workers, one at brokers, one at the network. A broker is struck only when every
copy is in sync, as nobody loses two of three machines at once and keeps what he was promised.
"""

from __future__ import annotations

import json
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from streamflow.testing.kafka_cluster import KafkaCluster
from streamflow.testing.kafka_network import Kind, Trouble
from tests.faults.deployment import Node, say

AWAY_S: Final = (7.0, 11.0)
"""Longer than a group waits for a member: another takes its partitions over."""
PAUSE_S: Final = (0.3, 12.0)
"""Around the limits of a transaction (10 s) and of a session (6 s)."""
BETWEEN_S: Final = (0.3, 2.7)
"""Besides the time until work gets done again: some ten blows a minute."""
CALM_S: Final = (5.5, 8.0)
BROKER_PAUSE_S: Final = (0.5, 8.0)
STALL_S: Final = 20.0
"""Where nothing gets done for so long, that is no shelter from the next blow."""
IN_SYNC_S: Final = 300.0
"""How long copies may take to catch up: minutes where the machine is busy with other things."""
TROUBLE_S: Final = (0.2, 5.0)
LONG_TROUBLE_S: Final = (5.0, 13.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """One fault: ``until_ms`` is when the victim was started, resumed or reachable again."""

    what: str
    whom: str
    began_ms: float
    until_ms: float
    pid: int = 0


class Blows:
    """Strikes from `begin` to `end`; afterwards everything runs and nothing is in trouble."""

    def __init__(
        self,
        cluster: KafkaCluster,
        processors: Sequence[Node],
        workers: Sequence[Node],
        *,
        seed: int,
        file: Path,
        progress: Callable[[], int],
        rest: float,
    ) -> None:
        """``progress`` grows while work gets done: processes are struck again only then, or after `STALL_S`. Brokers and
        the network are left alone ``rest`` times as long as in the short run."""
        self._rest = rest
        self._cluster = cluster
        self._progress = progress
        self._processors = processors
        self._workers = workers
        self._seed = seed
        self._file = file.open("w", encoding="utf-8")
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._calm = threading.Event()
        self.struck: list[Blow] = []
        self.failed: list[BaseException] = []
        hands = {
            "processes": self._at_processes,
            "brokers": self._at_brokers,
            "network": self._at_network,
        }
        self._threads = [
            threading.Thread(target=self._hand, args=(name, strike), daemon=True)
            for name, strike in hands.items()
        ]

    def begin(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Returns when the last blow is over and mended. Raises what a hand failed with."""
        self.stop()
        for error in self.failed:
            raise error

    def stop(self) -> None:
        """As `end`, but says nothing."""
        self._over.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        self._file.close()

    def calm_down(self) -> None:
        """From now on only processes are killed, one after the other: how soon each is back can be seen then."""
        self._calm.set()

    @property
    def wait(self) -> Callable[[float], bool]:
        """Waits so long, or until it is all over; whether it is."""
        return self._over.wait

    def _hand(self, name: str, strike: Callable[[random.Random], None]) -> None:
        chance = random.Random(f"{self._seed}-{name}")
        try:
            while not self._over.is_set():
                strike(chance)
        except BaseException as error:  # the main thread raises it
            self.failed.append(error)
            self._over.set()

    def _note(self, what: str, whom: str, began_ms: float, *, pid: int = 0) -> None:
        blow = Blow(what=what, whom=whom, began_ms=began_ms, until_ms=_now_ms(), pid=pid)
        with self._lock:
            self.struck.append(blow)
            self._file.write(json.dumps(asdict(blow)) + "\n")
            self._file.flush()
        say(f"{what} of {whom} for {blow.until_ms - began_ms:.0f} ms")

    # -- processes --------------------------------------------------------------------------------------------------

    def _at_processes(self, chance: random.Random) -> None:
        is_calm = self._calm.is_set()
        if self.wait(chance.uniform(*CALM_S) if is_calm else chance.uniform(*BETWEEN_S)):
            return
        self._start_the_fallen()
        is_worker = not is_calm and chance.random() < 0.2
        victim = chance.choice(self._workers if is_worker else self._processors)
        weights = (70, 30, 0, 0) if is_calm else (65, 12, 13, 10)
        what = chance.choices(("kill", "away", "pause", "restart"), weights)[0]
        began_ms, pid = _now_ms(), victim.pid
        match what:
            case "kill":
                victim.kill()
                if chance.random() < 0.1:
                    victim.forget_state()
                victim.start()
            case "away":
                victim.kill()
                self.wait(chance.uniform(*AWAY_S))
                victim.start()
            case "pause":
                victim.send(signal.SIGSTOP)
                self.wait(chance.uniform(*PAUSE_S))
                victim.send(signal.SIGCONT)
            case _:
                if not victim.replace():
                    what = "restart by force"
        self._note(what, victim.name, began_ms, pid=pid)
        self._see_work()

    def _see_work(self) -> None:
        """On a machine that is slow, processes that are killed as they start would never do anything that can be judged."""
        known, until_s = self._progress(), time.monotonic() + STALL_S
        while self._progress() == known and time.monotonic() < until_s and not self.wait(0.1):
            pass

    def _start_the_fallen(self) -> None:
        """As a supervisor does; each is written down, for it should have a reason."""
        for node in (*self._processors, *self._workers):
            if not node.running:
                began_ms = _now_ms()
                say(f"{node.name} has ended by itself:\n{node.tail(8)}")
                node.start()
                self._note("ended by itself", node.name, began_ms)

    # -- brokers ----------------------------------------------------------------------------------------------------

    def _at_brokers(self, chance: random.Random) -> None:
        if self.wait(self._rest * chance.uniform(2, 9)) or self._calm.is_set():
            return
        broker = self._cluster.brokers[chance.choice(sorted(self._cluster.brokers))]
        what = chance.choices(("broker kill", "broker pause", "broker restart"), (55, 25, 20))[0]
        began_ms = _now_ms()
        match what:
            case "broker kill":
                broker.kill()
                self.wait(chance.uniform(0.2, 7))
                broker.start()
            case "broker pause":
                broker.pause()
                self.wait(chance.uniform(*BROKER_PAUSE_S))
                broker.resume()
            case _:
                broker.stop()
                broker.start()
        self._cluster.wait_until_in_sync(timeout_s=IN_SYNC_S)
        self._note(what, str(broker.number), began_ms)

    # -- network ----------------------------------------------------------------------------------------------------

    def _at_network(self, chance: random.Random) -> None:
        if self.wait(self._rest * chance.uniform(1, 7)) or self._calm.is_set():
            return
        kind = chance.choice(tuple(Kind))
        number = chance.choice(sorted(self._cluster.brokers))
        client = chance.choice([*(n.name for n in (*self._processors, *self._workers)), "driver"])
        long = chance.random() < 0.2
        match chance.choices(("client", "pair", "broker", "copies"), (45, 25, 15, 15))[0]:
            case "client":
                trouble, whom = Trouble(kind, client=client, delay_ms=_delay(kind, chance)), client
            case "pair":
                link = f"clients-{number}"
                trouble = Trouble(kind, link=link, client=client, delay_ms=_delay(kind, chance))
                whom = f"{client} and broker {number}"
            case "broker":
                link = f"clients-{number}"
                trouble = Trouble(kind, link=link, delay_ms=_delay(kind, chance))
                whom = f"clients and broker {number}"
            case _:
                link = f"brokers-{number}"
                trouble = Trouble(kind, link=link, delay_ms=_delay(kind, chance))
                whom, long = f"copies from broker {number}", False
        began_ms = _now_ms()
        with self._cluster.network.trouble(trouble):
            self.wait(chance.uniform(*(LONG_TROUBLE_S if long else TROUBLE_S)))
        self._note(f"network {kind.value}", whom, began_ms)


def load(file: Path) -> list[Blow]:
    with file.open(encoding="utf-8") as lines:
        return [Blow(**json.loads(line)) for line in lines]


def told(struck: Sequence[Blow], names: Mapping[str, str]) -> str:
    """How many of each, in these words."""
    parts: list[str] = []
    for what, plural in names.items():
        count = sum(blow.what.startswith(what) for blow in struck)
        if count:
            parts.append(f"{count:,} {plural}")
    return ", ".join(parts)


def _delay(kind: Kind, chance: random.Random) -> int:
    return chance.randint(20, 400) if kind is Kind.DELAY else 0


def _now_ms() -> float:
    return time.time_ns() / 1e6

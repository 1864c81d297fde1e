"""One run of the proof on three brokers: a deployment, its users and its blows, for so long; then the verdict.

    python -m tests.reliability.cluster.run --seconds 900 --seed 1 --out DIR

The folder keeps everything that the verdict rests on (`judging`), and the processes' logs.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from streamflow import topology, wiring
from streamflow.testing.kafka_cluster import KafkaCluster
from tests.faults.deployment import QUEUE, ROOT, Node
from tests.reliability.cluster import records
from tests.reliability.cluster.blows import Blows
from tests.reliability.cluster.judging import BLOWS, EXECUTIONS, HISTORY, TOLD, Verdict, judge
from tests.reliability.cluster.log_judge import Wrong
from tests.saying import say

PARTITIONS: Final = 6
WARM_UP_S: Final = 240.0
"""Within so long the first transfer must have ended; blows begin then."""
CALM_SHARE: Final = 0.2
"""So much of the time, at the end, nothing is struck but processes, so that figures of their recovery mean something."""
SETTLE_S: Final = 240.0
"""After the last blow, everything that was begun must have ended within so long."""
REST: Final = 3.0
"""More than fifty brokers are killed in an hour all the same, and work gets done in between."""
PROGRAM: Final = "--module=tests.reliability.cluster.programs"


class Run:
    """Satisfies `tests.faults.deployment.Place`."""

    def __init__(self, cluster: KafkaCluster, folder: Path, namespace: str, *, seed: int) -> None:
        self.bootstrap = cluster.bootstrap
        self.namespace = namespace
        self.folder = folder
        self.nodes: list[Node] = []
        self._cluster = cluster
        self._seed = seed
        folder.mkdir(parents=True, exist_ok=True)
        log = wiring.open_log(cluster.direct)
        topology.ensure_queue(
            log, namespace, QUEUE, kind="workflow", partitions=PARTITIONS, create=True
        )
        log.close()

    def __call__(
        self,
        seconds: float,
        *,
        rate: float,
        processors: int = 3,
        workers: int = 2,
        rest: float = REST,
        calm: float = CALM_SHARE,
    ) -> Verdict:
        """Strikes for ``seconds`` while ``rate`` transfers a second are ordered, and judges what is left. ``rest`` is how much
        longer than in a run of seconds brokers and network are left alone between two blows; ``calm`` the share of the time in which
        nothing is struck but processes."""
        begun = [self._node(f"processor-{n}", "processor") for n in range(1, processors + 1)]
        busy = [self._node(f"worker-{n}", "worker") for n in range(1, workers + 1)]
        blows = Blows(
            self._cluster,
            begun,
            busy,
            seed=self._seed,
            file=self.folder / BLOWS,
            progress=self._done,
            rest=rest,
        )
        wrong: list[Wrong] = []
        try:
            driver = self._driver(rate)
            try:
                self._warm_up(driver)
                blows.begin()
                blows.wait(seconds * (1 - calm))
                blows.calm_down()
                blows.wait(seconds * calm)
                blows.end()
                driver.terminate()
                self._settle(driver, wrong)
            finally:
                driver.kill()
                driver.wait()
            self._stop()
        finally:
            blows.stop()
            for node in self.nodes:
                node.close()
        self._save()
        verdict = judge(self.folder)
        verdict.wrong[:0] = wrong
        return verdict

    def _stop(self) -> None:
        """In order where they do so in time; what they leave behind is judged either way."""
        for node in self.nodes:
            try:
                node.stop()
            except AssertionError as slow:
                say(str(slow))

    def _node(self, name: str, role: str) -> Node:
        node = Node(self, name, role, PROGRAM)
        self.nodes.append(node)
        return node.start()

    def _driver(self, rate: float) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.reliability.cluster.driver"]
        command += ["--kafka", self.bootstrap, "--namespace", self.namespace]
        command += ["--rate", str(rate), "--seed", str(self._seed)]
        command += ["--out", str(self.folder / TOLD)]
        with (self.folder / "driver.log").open("wb") as log:
            return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def _done(self) -> int:
        """How many transfers have ended, as the driver says twice a second."""
        with (self.folder / "driver.log").open("rb") as log:
            log.seek(max(0, log.seek(0, 2) - 100))
            words = log.read().split()
        return int(words[-1]) if words and words[-1].isdigit() else 0

    def _warm_up(self, driver: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + WARM_UP_S
        file = self.folder / TOLD
        while not file.exists() or '"transfer"' not in file.read_text(encoding="utf-8"):
            assert driver.poll() is None, (self.folder / "driver.log").read_text()
            assert time.monotonic() < deadline, f"no transfer has ended within {WARM_UP_S:.0f} s"
            time.sleep(0.2)

    def _settle(self, driver: subprocess.Popen[bytes], wrong: list[Wrong]) -> None:
        """Waits for the driver, who waits for everything that it began; what ended by itself meanwhile runs again."""
        deadline = time.monotonic() + SETTLE_S
        while driver.poll() is None and time.monotonic() < deadline:
            for node in self.nodes:
                if not node.running:
                    say(f"{node.name} has ended by itself:\n{node.tail(8)}")
                    node.start()
            time.sleep(0.2)
        said = (self.folder / "driver.log").read_text(errors="replace").splitlines()[-3:]
        if driver.returncode is None:
            wrong.append(Wrong("lost", f"after {SETTLE_S:.0f} s not everything has ended: {said}"))
        elif driver.returncode:
            wrong.append(Wrong("lost", f"the driver ended with {driver.returncode}: {said}"))

    def _save(self) -> None:
        direct, namespace = self._cluster.direct, self.namespace
        records.save(direct, topology.history_topic(namespace, QUEUE), self.folder / HISTORY)
        records.save(direct, topology.executions_topic(namespace), self.folder / EXECUTIONS)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=900.0, help="of blows (default 900)")
    parser.add_argument("--rate", type=float, default=30.0, help="transfers a second (default 30)")
    parser.add_argument(
        "--calm",
        type=float,
        default=CALM_SHARE,
        help="share in which only processes are struck (default 0.2)",
    )
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    say(f"seed {options.seed}")
    with KafkaCluster(directory=options.out / "kafka") as cluster:
        run = Run(cluster, options.out, "proof", seed=options.seed)
        verdict = run(options.seconds, rate=options.rate, calm=options.calm)
    say(verdict.text())
    for one in verdict.wrong[:50]:
        say(f"    {one.kind}: {one.text}")
    return 1 if verdict.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

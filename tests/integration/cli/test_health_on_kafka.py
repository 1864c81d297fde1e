"""What an orchestrator sees of `streamflow worker` on a real broker: probes, metrics, halves of the work, and its end."""

from __future__ import annotations

import asyncio
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from streamflow.client import Client
from streamflow.kafka.options import KafkaOptions
from tests.integration.cli.processes import PATIENCE_S, Running, Shell
from tests.integration.cli.shop import QUEUE, Greet
from tests.integration.cli.test_on_kafka import APP, prepared

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

PARTITIONS = 2


@pytest.fixture
def shop(shell: Shell, tmp_path: Path, namespace: str, kafka_bootstrap: str) -> Shell:
    prepared(shell, tmp_path, namespace, kafka_bootstrap)
    words = ["-n", namespace, "-q", QUEUE, "--partitions", str(PARTITIONS), "--dev"]
    done = shell.run("topology", "apply", *words)
    assert done.returncode == 0, done.stderr
    return shell


class Pod:
    """A worker with probes on a port of its own."""

    def __init__(self, shop: Shell, name: str, *words: str) -> None:
        self.running: Running = shop.start(
            *("worker", APP, "--name", name, "--state-dir", str(shop.home / name)),
            *("--health-address", "127.0.0.1:0", *words),
        )
        line = self.running.line_with("health_served")
        self._port = int(line.split('"port": ')[1].split(",")[0].rstrip("}"))

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}") as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while (found := self.get("/readyz"))[0] != 200:
            assert time.monotonic() < deadline, found
            time.sleep(0.1)

    def metric(self, name: str) -> int:
        lines = self.get("/metrics")[1].splitlines()
        return sum(int(float(line.split()[-1])) for line in lines if line.startswith(f"{name}{{"))


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


async def _greet(bootstrap: str, namespace: str) -> str:
    async with await Client.connect(bootstrap, namespace=namespace) as client:
        return await client.execute_workflow(
            Greet.run, "Moon", id="greeting", task_queue=QUEUE, start_signal="finish"
        )


def test_pods_that_share_the_work_are_ready_and_say_so(
    shop: Shell, namespace: str, kafka_bootstrap: str
) -> None:
    """One steps workflows and one runs activities: together they end a workflow, and each counts its own part."""
    steps = Pod(shop, "steps-0", "--only", "workflows")
    tasks = Pod(shop, "tasks-0", "--only", "activities")
    steps.until_ready()
    tasks.until_ready()

    assert asyncio.run(_greet(kafka_bootstrap, namespace)) == "Hello, Moon!"

    assert steps.get("/livez") == (200, "ok\n")
    assert steps.metric("streamflow_partitions_active") == PARTITIONS
    assert steps.metric("streamflow_transactions_total") > 0
    assert steps.metric("streamflow_workflow_completed_total") == 1
    assert steps.metric("streamflow_activity_execution_latency_seconds_count") == 0
    assert tasks.metric("streamflow_activity_execution_latency_seconds_count") == 1
    for pod in (steps, tasks):
        assert pod.running.stop() == 0, pod.running.output
        assert "Traceback" not in pod.running.output


def test_a_pod_that_has_no_partition_is_ready_too(shop: Shell) -> None:
    """A roll-out goes on though there are more pods than partitions; the surplus waits for one of the others to end."""
    pods = [Pod(shop, f"pod-{number}", "--only", "workflows") for number in range(PARTITIONS + 1)]

    for pod in pods:
        pod.until_ready()

    _until(lambda: sorted(pod.metric("streamflow_partitions") for pod in pods) == [0, 1, 1])
    # Who has just been given a partition is ready again when it is restored.
    _until(lambda: all(pod.get("/readyz")[0] == 200 for pod in pods))


def test_who_is_told_to_stop_leaves_its_partitions_to_the_others_at_once(shop: Shell) -> None:
    """Not when its session is over, though it is a static member: it leaves its group."""
    first, second = (Pod(shop, f"pod-{number}", "--only", "workflows") for number in range(2))
    for pod in (first, second):
        pod.until_ready()
    _until(
        lambda: [pod.metric("streamflow_partitions_active") for pod in (first, second)] == [1, 1]
    )

    told = time.monotonic()
    first.running.process.terminate()
    _until(lambda: second.metric("streamflow_partitions_active") == PARTITIONS)

    assert time.monotonic() - told < KafkaOptions(bootstrap="").session_timeout_ms / 1_000
    assert first.running.wait() == 0, first.running.output


def test_probes_that_cannot_be_are_refused(shop: Shell) -> None:
    """Several processes have no one health, an address has a port, and half of an App may be nothing."""
    for words, said in {
        ("--health-address", "127.0.0.1:0", "--processes", "2"): "Expected one process",
        ("--health-address", "everywhere"): "HOST:PORT",
        ("--only", "some"): "Invalid value",
    }.items():
        done = shop.run("worker", APP, *words)
        assert done.returncode == 2, done.stderr
        assert said in done.stderr

"""The commands that an operator of Kafka uses, as processes against a real broker."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from streamflow import topology
from streamflow.client import Client
from streamflow.kafka import KafkaLog
from streamflow.ports import TopicSpec
from tests.integration.cli.processes import PATIENCE_S, Running, Shell
from tests.integration.cli.shop import QUEUE, Greet

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

APP = "served_shop:app"


def _module(folder: Path, namespace: str) -> None:
    """The Apps in a namespace of the test's own."""
    text = Path(__file__).with_name("shop.py").read_text()
    (folder / "served_shop.py").write_text(
        text.replace(
            "app = App(\n    QUEUE,", f"app = App(\n    QUEUE,\n    namespace={namespace!r},"
        )
    )


@pytest.fixture
def shop(shell: Shell, tmp_path: Path, namespace: str, kafka_bootstrap: str) -> Shell:
    """A shell in whose environment the broker is known, and the App of the test's own namespace."""
    return prepared(shell, tmp_path, namespace, kafka_bootstrap)


def prepared(shell: Shell, folder: Path, namespace: str, bootstrap: str) -> Shell:
    _module(folder, namespace)
    shell.environment |= {
        "PYTHONPATH": str(folder),
        "STREAMFLOW_ADDRESS": bootstrap,
        "STREAMFLOW_NAMESPACE": namespace,
    }
    return shell


def _apply(shell: Shell, namespace: str) -> None:
    words = ["topology", "apply", "-n", namespace, "-q", QUEUE, "--partitions", "4", "--dev"]
    done = shell.run(*words)
    assert done.returncode == 0, done.stderr


# -- topology -----------------------------------------------------------------------------------------------------


def test_a_plan_is_shown_made_and_then_empty(shop: Shell, namespace: str) -> None:
    """`plan` changes nothing, `apply` does what it showed, and another plan keeps everything."""
    words = ["-n", namespace, "-q", QUEUE, "--dev"]
    planned = shop.run("topology", "plan", *words, "--partitions", "4")
    assert planned.returncode == 0, planned.stderr
    assert f"+ create {namespace}.{QUEUE}.history (4 partitions, 1 replicas, compact)" in (
        planned.stdout
    )

    as_data = json.loads(shop.run("topology", "plan", *words, "-o", "json").stdout)
    assert f"{namespace}.{QUEUE}.history" in {one["spec"]["name"] for one in as_data["creates"]}

    applied = shop.run("topology", "apply", *words, "--partitions", "4")
    assert applied.returncode == 0, applied.stderr
    assert applied.stdout == f"{planned.stdout}Done.\n"

    again = shop.run("topology", "plan", *words)
    assert again.returncode == 0
    assert {line.split()[0] for line in again.stdout.splitlines()} == {"="}


def test_unsafe_settings_are_refused_and_nothing_is_changed(
    shop: Shell, namespace: str, kafka_bootstrap: str
) -> None:
    """One copy without --dev, another partition count, and a foreign topic of the name: each is refused."""
    one_copy = shop.run("topology", "apply", "-n", namespace, "--replication-factor", "1")
    assert one_copy.returncode == 1
    assert "at least 3 replicas" in one_copy.stdout
    assert "Nothing was changed" in one_copy.stderr

    _apply(shop, namespace)
    more = ["-n", namespace, "-q", QUEUE, "--partitions", "8", "--dev"]
    refused = shop.run("topology", "apply", *more)
    assert refused.returncode == 1
    assert "Expected 8 partitions, found 4" in refused.stdout

    log = KafkaLog.connect(kafka_bootstrap)
    try:
        foreign = TopicSpec(
            name=topology.history_topic(namespace, "other"),
            partitions=12,
            config={"cleanup.policy": "delete", "retention.ms": "1000"},
        )
        log.create_topics([foreign])
        words = ["topology", "apply", "-n", namespace, "-q", "other", "--dev"]
        unsafe = shop.run(*words)
        assert unsafe.returncode == 1, unsafe.stdout
        assert "! refuse" in unsafe.stdout
        assert foreign.name in unsafe.stdout
        assert topology.inbox_topic(namespace, "other") not in log.topics()
    finally:
        log.close()


def test_a_worker_on_a_missing_queue_is_told_the_command(shop: Shell) -> None:
    """Nothing is made behind an operator's back."""
    done = shop.run("worker", APP)

    assert done.returncode == 1 or done.returncode == 3
    assert "streamflow topology apply" in done.stderr
    assert "Traceback" not in done.stderr


# -- worker -------------------------------------------------------------------------------------------------------


def _worker(shop: Shell, tmp_path: Path, bootstrap: str, *words: str) -> Running:
    return shop.start(
        "worker", APP, "--kafka", bootstrap, "--state-dir", str(tmp_path / "w"), *words
    )


def _two_workers(shop: Shell, tmp_path: Path, bootstrap: str, *words: str) -> Running:
    """One parent of two processes, both of them started."""
    worker = _worker(shop, tmp_path, bootstrap, "--processes", "2", *words)
    worker.line_with("worker_started")
    worker.line_with("worker_started")
    return worker


async def _orders(bootstrap: str, namespace: str, prefix: str, count: int) -> None:
    async with await Client.connect(bootstrap, namespace=namespace) as client:
        ends = await asyncio.gather(
            *(
                client.execute_workflow(
                    Greet.run, "Moon", id=f"{prefix}-{n}", task_queue=QUEUE, start_signal="finish"
                )
                for n in range(count)
            )
        )
    assert ends == ["Hello, Moon!"] * count


def _children(worker: Running) -> list[psutil.Process]:
    return psutil.Process(worker.process.pid).children()


def test_two_processes_serve_one_queue_and_stop_in_order(
    shop: Shell, namespace: str, kafka_bootstrap: str, tmp_path: Path
) -> None:
    """Both own partitions; commands find Kafka by the environment; SIGTERM to the parent ends all three with 0."""
    _apply(shop, namespace)
    worker = _two_workers(shop, tmp_path, kafka_bootstrap)
    worker.line_with("partition_restored")

    _until_both_have_partitions(shop)
    asyncio.run(_orders(kafka_bootstrap, namespace, "order", 20))
    described = shop.run("workflow", "describe", "order-0", "-q", QUEUE, "-o", "json")
    assert described.returncode == 0, described.stderr
    assert json.loads(described.stdout)["status"] == "completed"
    _serving_is_shown(shop)
    children = _children(worker)
    assert len(children) == 2

    code = worker.stop()
    assert code == 0, worker.output
    assert "Traceback" not in worker.output
    assert not [child for child in children if child.is_running()]
    begun = {line for line in worker.output.splitlines() if "partition_restored" in line}
    assert len(begun) >= 4


def _until_both_have_partitions(shop: Shell) -> None:
    """The first to come has all of them until it has handed half of them over."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        done = shop.run("task-queue", "list", "-o", "json")
        if done.returncode == 0 and json.loads(done.stdout)[0]["processors"] == 2:
            return
        assert time.monotonic() < deadline, done
        time.sleep(0.2)


def _serving_is_shown(shop: Shell) -> None:
    """`task-queue` and `worker` say who has which partition, and that nothing is left to be read."""

    def shown(*words: str) -> Any:
        done = shop.run(*words, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    [listed] = shown("task-queue", "list")
    assert (listed["queue"], listed["partitions"], listed["processors"]) == (QUEUE, 4, 2)
    assert listed["running_workflows"] == 0
    described = shown("task-queue", "describe", QUEUE)
    inbox = [share for share in described["shares"] if share["role"] == "processor"]
    assert [share["partition"] for share in inbox] == [0, 1, 2, 3]
    assert all(share["instance"] for share in inbox)
    instances = {row["instance"] for row in shown("worker", "list")}
    assert instances >= {share["instance"] for share in inbox}
    [one, *_] = instances
    held = shown("worker", "describe", one)
    assert {row["queue"] for row in held} == {QUEUE}
    nobody = shop.run("worker", "describe", "nobody")
    assert nobody.returncode == 3
    assert one in nobody.stderr


def test_when_a_child_dies_the_parent_ends_and_says_so(
    shop: Shell, namespace: str, kafka_bootstrap: str, tmp_path: Path
) -> None:
    """Whoever runs the parent learns of it and starts it again; meanwhile nothing half-alive stays behind."""
    _apply(shop, namespace)
    worker = _two_workers(shop, tmp_path, kafka_bootstrap, "--name", "pod-7")
    victim, other = _children(worker)

    os.kill(victim.pid, signal.SIGKILL)

    assert worker.wait() == 1
    assert "ended with -9: the others were stopped" in worker.output
    assert not other.is_running()
    again = _worker(shop, tmp_path, kafka_bootstrap, "--processes", "2", "--name", "pod-7")
    again.line_with("worker_started")
    asyncio.run(_orders(kafka_bootstrap, namespace, "after", 4))
    assert again.stop() == 0


def test_when_the_parent_is_killed_its_children_stop_in_order(
    shop: Shell, namespace: str, kafka_bootstrap: str, tmp_path: Path
) -> None:
    """Nothing serves on that nobody would ever stop."""
    _apply(shop, namespace)
    worker = _two_workers(shop, tmp_path, kafka_bootstrap)

    # It returns when the output has ended, which the children have as well.
    assert worker.stop(signal.SIGKILL) == -signal.SIGKILL
    assert worker.output.count("worker_stopped") == 2, worker.output

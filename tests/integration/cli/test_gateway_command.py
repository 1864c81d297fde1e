"""``streamflow gateway`` as a process."""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path

import httpx
import pytest

from streamflow.client import Client
from tests.integration.cli.processes import PATIENCE_S, Running, Shell
from tests.integration.cli.shop import QUEUE, Greet

pytestmark = pytest.mark.timeout(240)


def _gateway(shell: Shell, *words: str) -> tuple[Running, str]:
    """It, and the address that it says."""
    running = shell.start("gateway", "--port", "0", *words)
    return running, running.line_with("streamflow gateway at").split()[3]


def _ready(address: str) -> httpx.Response:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = httpx.get(f"{address}/readyz", timeout=10)
        if answer.status_code == 200 or time.monotonic() > deadline:
            return answer
        time.sleep(0.1)


def test_it_serves_a_log_answers_probes_and_stops_in_order(shell: Shell, tmp_path: Path) -> None:
    """SIGTERM is no error."""
    running, address = _gateway(shell, "--target", f"embedded:{tmp_path}/log")

    assert _ready(address).json() == {"ready": True, "missing": {}}
    assert "streamflow_gateway_requests_total" in httpx.get(f"{address}/metrics").text
    page = httpx.get(address, follow_redirects=True)
    assert page.url.path == "/ui/default/workflows"
    listed = shell.run("workflow", "list", "--address", address, "-o", "json")
    assert (listed.returncode, json.loads(listed.stdout)) == (0, []), listed.stderr
    assert running.stop() == 0
    assert "Traceback" not in running.output


def test_an_address_that_others_reach_is_refused_without_a_login(
    shell: Shell, tmp_path: Path
) -> None:
    """Unless it is said to be meant."""
    words = ["--target", f"embedded:{tmp_path}/log", "--host", "0.0.0.0"]
    done = shell.run("gateway", *words)
    assert done.returncode == 2
    assert "--insecure" in done.stderr

    running, address = _gateway(shell, *words, "--insecure")
    assert httpx.get(f"{address.replace('0.0.0.0', '127.0.0.1')}/livez").status_code == 200
    assert running.stop() == 0


def test_options_come_from_flags_the_environment_and_the_profile(
    shell: Shell, tmp_path: Path
) -> None:
    """In this order; what a profile's table does not know is refused."""
    file = tmp_path / "streamflow.toml"
    file.write_text(
        f'[profile.default]\naddress = "embedded:{tmp_path}/log"\nnamespace = "shop"\n'
        '[profile.default.gateway]\nhost = "192.0.2.1"\npublic_url = "https://flows.example/sf"\ninsecure = true\n'
    )
    shell.environment |= {
        "STREAMFLOW_CONFIG_FILE": str(file),
        "STREAMFLOW_GATEWAY_HOST": "127.0.0.1",
    }
    running, address = _gateway(shell)
    assert address == "https://flows.example/sf"
    assert "(shop)" in "".join(running.printed)
    assert running.stop() == 0

    file.write_text(file.read_text() + 'colour = "red"\n')
    done = shell.run("gateway")
    assert done.returncode == 2
    assert re.search("Expected .*public_url.* found colour", done.stderr)


@pytest.mark.kafka
def test_clients_reach_workers_on_kafka_through_it(
    shell: Shell, tmp_path: Path, namespace: str, kafka_bootstrap: str
) -> None:
    """Started over HTTP, run by a worker beside it, found in its list."""
    text = Path(__file__).with_name("shop.py").read_text()
    with_namespace = text.replace("    QUEUE,", f"    QUEUE,\n    namespace={namespace!r},", 1)
    (tmp_path / "served_shop.py").write_text(with_namespace)
    shell.environment |= {"PYTHONPATH": str(tmp_path), "STREAMFLOW_ADDRESS": kafka_bootstrap}
    words = ["topology", "apply", "-n", namespace, "-q", QUEUE, "--partitions", "2", "--dev"]
    assert shell.run(*words).returncode == 0
    worker = shell.start("worker", "served_shop:app", "--state-dir", str(tmp_path / "w"))
    running, address = _gateway(shell, "-n", namespace)
    worker.line_with("partition_restored")

    async def greet() -> tuple[str, int]:
        async with await Client.connect(address, namespace=namespace) as client:
            said = await client.execute_workflow(
                Greet.run, "Moon", id="greet-1", task_queue=QUEUE, start_signal="finish"
            )
            found = await client.count_workflows("ExecutionStatus = 'Completed'")
            return said, found.count

    assert asyncio.run(greet()) == ("Hello, Moon!", 1)
    assert _ready(address).status_code == 200
    assert running.stop() == 0, running.output
    assert worker.stop() == 0

"""Sets a case up: which log, which processes, and the client that asks. Ends every process that it began."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from benchmarks.workload import QUEUE, Order, Plan, step
from streamflow.client import Client
from streamflow.worker import Worker

ORDINARY = Plan()


class Node:
    """A worker process that can be killed and begun again on the same folder."""

    def __init__(
        self,
        target: str,
        role: str,
        folder: Path,
        *,
        name: str = "",
        env: dict[str, str] | None = None,
    ) -> None:
        """``name`` is the instance's and its folder's; default: the role."""
        name = name or role
        self._command = [
            sys.executable,
            "-m",
            "benchmarks.node",
            target,
            role,
            name,
            str(folder / name),
        ]
        self._env = {**os.environ, **(env or {})}
        # A process is measured as it is deployed: with its modules compiled, whatever this shell says.
        self._env.pop("PYTHONDONTWRITEBYTECODE", None)
        self.log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns when the worker says that it is ready."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=subprocess.PIPE, stderr=log, env=self._env
            )
        assert self._process.stdout is not None
        lines = iter(self._process.stdout.readline, b"")
        if not any(line.startswith(b"READY") for line in lines):
            raise RuntimeError(
                f"Expected the worker to be ready, found:\n{self.log.read_text()[-2000:]}"
            )

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(20)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None


@contextlib.asynccontextmanager
async def kafka(
    bootstrap: str,
    roles: Sequence[str] = ("processor", "activities"),
    plan: Plan = ORDINARY,
    *,
    env: dict[str, str] | None = None,
) -> AsyncIterator[tuple[Client, dict[str, Node], Path]]:
    """A fresh namespace on the broker, its worker processes, and a client in this process."""
    namespace = f"bench-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory(prefix="streamflow-bench-") as name:
        folder = Path(name)
        variables = {"STREAMFLOW_BENCH_NAMESPACE": namespace, **(env or {})}
        nodes = {role: Node(bootstrap, role, folder, env=variables) for role in roles}
        client = await Client.connect(bootstrap, namespace=namespace, create_topics=True)
        try:
            for node in nodes.values():
                node.start()
            await warm(client, plan)
            yield client, nodes, folder
        finally:
            for node in nodes.values():
                node.stop()
            await client.close()


@contextlib.asynccontextmanager
async def in_process(target: str, plan: Plan = ORDINARY) -> AsyncIterator[Client]:
    """Client, processor and activities in this process: the embedded log or the one in memory."""
    client = await Client.connect(target, create_topics=True)
    with tempfile.TemporaryDirectory(prefix="streamflow-bench-") as name:
        worker = Worker(
            client,
            task_queue=QUEUE,
            workflows=[Order],
            activities=[step],
            name="bench",
            state_dir=name,
        )
        async with worker:
            await warm(client, plan)
            yield client
    await client.close()


async def warm(client: Client, plan: Plan) -> None:
    """A few orders first: connections, metadata, compiled code."""
    await asyncio.gather(*[run_one(client, f"warm-{number}", plan) for number in range(20)])


async def run_one(client: Client, order: str, plan: Plan) -> None:
    result = await client.execute_workflow(
        Order.run, args=[order, plan], id=order, task_queue=QUEUE
    )
    assert result["done"] is True, result

"""A worker process: ``python -m benchmarks.node TARGET ROLE NAME STATE_DIR``. Prints READY once it has joined, and ends on SIGTERM."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from benchmarks.workload import PARTITIONS, QUEUE, WORKFLOWS, step
from streamflow import observability
from streamflow.client import Client
from streamflow.worker import Worker

ROLES = {
    "processor": {"workflows": WORKFLOWS, "activities": [step], "no_remote_activities": True},
    "activities": {"workflows": [], "activities": [step]},
    "both": {"workflows": WORKFLOWS, "activities": [step]},
}


async def serve(target: str, role: str, name: str, state_dir: str) -> None:
    namespace = os.environ.get("STREAMFLOW_BENCH_NAMESPACE", "default")
    if level := os.environ.get("STREAMFLOW_BENCH_LOG"):
        observability.configure(level=level, json=True)
    client = await Client.connect(target, namespace=namespace, create_topics=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Worker(
        client,
        task_queue=QUEUE,
        name=name,
        state_dir=state_dir,
        partitions=PARTITIONS,
        standby=int(os.environ.get("STREAMFLOW_BENCH_STANDBY", "0")),
        **ROLES[role],
    ):  # type: ignore[arg-type]
        print("READY", flush=True)
        await stop.wait()
    await client.close()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))

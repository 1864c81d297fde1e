"""Workflows that wait for months: memory of the processor, disk of its state, and how soon one wakes."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import psutil

from benchmarks import stage
from benchmarks.bench import Bench
from benchmarks.figures import Figure, Row, latency_figures
from benchmarks.workload import QUEUE, Order, Plan
from streamflow.client import Client


async def case(bench: Bench) -> list[Row]:
    count = 2_000 if bench.quick else 100_000
    async with stage.kafka(bench.bootstrap) as (client, nodes, folder):
        pid = nodes["processor"].pid
        memory, disk = _memory(pid), _disk(folder)
        began = time.perf_counter()
        await _start(client, count)
        rate = count / (time.perf_counter() - began)
        grown, filled = _memory(pid) - memory, _disk(folder) - disk
        woken = [await _wake(client, f"d-{n}") for n in range(0, count, max(1, count // 50))]
    figures = {
        "starts/s": Figure.of([rate]),
        "processor MB grown": Figure.of([grown / 2**20]),
        "state KB a workflow": Figure.of([filled / count / 1024]),
        **latency_figures([woken], "wake "),
    }
    return [Row(f"{count} dormant workflows", figures, "no memory beyond the LRU")]


async def _start(client: Client, count: int) -> None:
    room = asyncio.Semaphore(200)

    async def one(number: int) -> None:
        async with room:
            order = f"d-{number}"
            plan = Plan(steps=0, wait=True)
            await client.start_workflow(Order.run, args=[order, plan], id=order, task_queue=QUEUE)

    await asyncio.gather(*[one(number) for number in range(count)])


async def _wake(client: Client, order: str) -> float:
    handle = client.get_workflow_handle(order)
    began = time.perf_counter()
    await handle.signal("go")
    await handle.result()
    return time.perf_counter() - began


def _memory(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)


def _disk(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())

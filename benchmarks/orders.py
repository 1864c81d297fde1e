"""Latency, throughput and signal round trip of the order workflow, on one log, with ordinary or with local activities."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass

from benchmarks.figures import Figure, latency_figures
from benchmarks.stage import run_one
from benchmarks.workload import QUEUE, Order, Plan
from streamflow.client import Client


@dataclass(frozen=True)
class Effort:
    """How much is run. Repeats are of each measurement."""

    repeats: int = 3
    one_by_one: int = 200
    many: int = 2_000
    floor_many: int = 6_000
    """Of the floor, which is three to four times as fast: some three seconds, as for the engine's."""
    in_flight: int = 100
    signals: int = 100


QUICK = Effort(repeats=1, one_by_one=50, many=200, floor_many=600, signals=30)


async def measure(client: Client, plan: Plan, effort: Effort) -> dict[str, Figure]:
    tag = uuid.uuid4().hex[:6]
    latencies: list[list[float]] = []
    rates: list[float] = []
    for repeat in range(effort.repeats):
        latencies.append(await _latencies(client, f"{tag}l{repeat}", plan, effort.one_by_one))
        rates.append(
            await _throughput(client, f"{tag}t{repeat}", plan, effort.many, effort.in_flight)
        )
    return {**latency_figures(latencies), "orders/s": Figure.of(rates)}


async def signal_to_result(client: Client, effort: Effort) -> dict[str, Figure]:
    """The workflow waits, the caller awaits its result: from sending the signal to having the result."""
    tag = uuid.uuid4().hex[:6]
    repeats = [
        await _signals(client, f"{tag}s{repeat}", effort.signals)
        for repeat in range(effort.repeats)
    ]
    return latency_figures(repeats, "signal ")


async def _latencies(client: Client, tag: str, plan: Plan, count: int) -> list[float]:
    seconds: list[float] = []
    for number in range(count):
        began = time.perf_counter()
        await run_one(client, f"{tag}-{number}", plan)
        seconds.append(time.perf_counter() - began)
    return seconds


async def _throughput(client: Client, tag: str, plan: Plan, count: int, in_flight: int) -> float:
    room = asyncio.Semaphore(in_flight)

    async def one(number: int) -> None:
        async with room:
            await run_one(client, f"{tag}-{number}", plan)

    began = time.perf_counter()
    await asyncio.gather(*[one(number) for number in range(count)])
    return count / (time.perf_counter() - began)


async def _signals(client: Client, tag: str, count: int) -> list[float]:
    seconds: list[float] = []
    for number in range(count):
        order = f"{tag}-{number}"
        handle = await client.start_workflow(
            Order.run, args=[order, Plan(steps=0, wait=True)], id=order, task_queue=QUEUE
        )
        result = asyncio.ensure_future(handle.result())
        await asyncio.sleep(0.03)  # the run reaches its wait, and the caller its own
        began = time.perf_counter()
        await handle.signal(Order.go)
        await result
        seconds.append(time.perf_counter() - began)
    return seconds

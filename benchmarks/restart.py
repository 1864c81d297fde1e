"""The same process again: how long partitions stand still when one is killed and a supervisor starts it at once.

One processor owns every partition of a queue with a long history. It is killed and started again; starts that are sent to each
partition at that moment are answered once it steps again. All of it counts, from the kill on: Python, imports and connections too.

    warm    it finds its own store
    cold    its disk is empty, and it reads the history
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import time

from benchmarks import stage
from benchmarks.bench import Bench
from benchmarks.figures import Figure, Row, percentile
from benchmarks.restore import write_histories
from benchmarks.takeover import probe
from benchmarks.workload import PARTITIONS, Plan

CALM_S = 2.0
"""Between two kills: what the last one left to do is done."""


async def case(bench: Bench) -> list[Row]:
    kills = {"warm": 2, "cold": 1} if bench.quick else {"warm": 25, "cold": 5}
    runs = 1_000 if bench.quick else 16_000
    return [await _restarts(bench, kind, kills[kind], runs) for kind in kills]


async def _restarts(bench: Bench, kind: str, kills: int, runs: int) -> Row:
    up: list[float] = []
    stepped: list[float] = []
    async with stage.kafka(bench.bootstrap, ["processor"], Plan(steps=0)) as (
        client,
        nodes,
        folder,
    ):
        processor = nodes["processor"]
        await asyncio.to_thread(processor.stop)
        events = await asyncio.to_thread(write_histories, client.log, client.namespace, runs)
        await asyncio.to_thread(processor.start)
        for _ in range(kills):
            await asyncio.gather(*[probe(client, number) for number in range(PARTITIONS)])
            await asyncio.sleep(CALM_S)
            killed = time.perf_counter()
            await asyncio.to_thread(processor.stop, signal.SIGKILL)
            if kind == "cold":
                shutil.rmtree(folder / "processor")
            asked = [asyncio.ensure_future(probe(client, n)) for n in range(PARTITIONS)]
            late = time.perf_counter() - killed
            await asyncio.to_thread(processor.start)
            up.append(time.perf_counter() - killed)
            stepped += [late + waited for waited in await asyncio.gather(*asked)]
    limit = 1 if kind == "warm" else 10
    p99 = percentile(stepped, 0.99)
    figures = {
        "process up p50 s": Figure.of([percentile(up, 0.5)]),
        "stepped p50 s": Figure.of([percentile(stepped, 0.5)]),
        "p90 s": Figure.of([percentile(stepped, 0.9)]),
        "p99 s": Figure.of([p99]),
    }
    return Row(
        f"restart, {kind}, {len(stepped)} partitions, {events} events",
        figures,
        f"stepped p99 <= {limit} s",
        p99 <= limit,
    )

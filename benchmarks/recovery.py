"""``kill -9`` of the processor with orders of 20 activities in flight; restarted at once on its own disk."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

from benchmarks import stage
from benchmarks.bench import Bench
from benchmarks.figures import Figure, Row
from benchmarks.workload import QUEUE, WITNESS, Order, Plan
from streamflow.client import Client

STEPS = 20


async def case(bench: Bench) -> list[Row]:
    count = 100 if bench.quick else 1_000
    witness = bench.folder / "witness"
    witness.touch()
    async with stage.kafka(bench.bootstrap, env={WITNESS: str(witness)}) as (client, nodes, _):
        before = len(_lines(witness))
        await _start(client, count)
        while len(_lines(witness)) - before < count * STEPS // 2:  # noqa: ASYNC110 - a file tells no one
            await asyncio.sleep(0.05)
        nodes["processor"].stop(signal.SIGKILL)
        await asyncio.sleep(1)
        restarted = time.time()
        await asyncio.to_thread(nodes["processor"].start)
        up = time.time() - restarted
        await asyncio.gather(*[client.get_workflow_handle(f"r-{n}").result() for n in range(count)])
        done = time.time() - restarted
    lines = [line for line in _lines(witness) if line[0].startswith("r-")]
    after = [at for _, _, at in lines if at > restarted]
    first = min(after) - restarted if after else 0.0
    redone = len(lines) - len({(order, step) for order, step, _ in lines})
    figures = {
        "first step s": Figure.of([first]),
        "all done s": Figure.of([done]),
        "process up s": Figure.of([up]),
        "steps left": Figure.of([len(after)]),
        "steps run again": Figure.of([redone]),
    }
    return [Row(f"kill -9, {count} orders of {STEPS}", figures, "stepping within 1 s", first <= 1)]


async def _start(client: Client, count: int) -> None:
    room = asyncio.Semaphore(100)

    async def one(number: int) -> None:
        async with room:
            order = f"r-{number}"
            plan = Plan(steps=STEPS)
            await client.start_workflow(Order.run, args=[order, plan], id=order, task_queue=QUEUE)

    await asyncio.gather(*[one(number) for number in range(count)])


def _lines(path: Path) -> list[tuple[str, str, float]]:
    lines = [line.split() for line in path.read_text().splitlines()]
    return [(line[0], line[1], float(line[2])) for line in lines if len(line) == 3]

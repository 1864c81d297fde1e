"""The *order* workflow of every case: some activities in sequence, each returning about 200 bytes; then, if asked, a wait
for a signal with a 30-day timer beside it."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from datetime import timedelta

from streamflow import activity, workflow

QUEUE = "orders"
PARTITIONS = int(os.environ.get("STREAMFLOW_BENCH_PARTITIONS", "4"))
"""Of every topic, the floor's and the engine's."""

WITNESS = "STREAMFLOW_BENCH_WITNESS"
"""Environment variable: a file to which each activity appends a line as it runs (recovery only)."""

_witness: dict[str, int] = {}


@dataclass(frozen=True)
class Plan:
    steps: int = 3
    local: bool = False
    wait: bool = False


@activity.defn
async def step(order: str, number: int) -> dict[str, object]:
    path = os.environ.get(WITNESS)
    if path:
        fd = _witness.get(path)
        if fd is None:
            fd = _witness[path] = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(fd, f"{order} {number} {time.time():.6f}\n".encode())
    return {"order_id": order, "step": number, "status": "ok", "amount": 1999, "pad": "x" * 120}


@workflow.defn
class Order:
    def __init__(self) -> None:
        self.woken = False

    @workflow.signal
    def go(self) -> None:
        self.woken = True

    @workflow.run
    async def run(self, order: str, plan: Plan) -> dict[str, object]:
        limit = timedelta(seconds=10)
        for number in range(plan.steps):
            if plan.local:
                await workflow.execute_local_activity(
                    step, args=[order, number], start_to_close_timeout=limit
                )
            else:
                await workflow.execute_activity(
                    step, args=[order, number], start_to_close_timeout=limit
                )
        if plan.wait:
            try:
                await workflow.wait_condition(lambda: self.woken, timeout=timedelta(days=30))
            except TimeoutError:
                return {"done": False, "order_id": order}
        return {"done": True, "order_id": order}


@workflow.defn
class FanOut:
    """So many activities at once."""

    @workflow.run
    async def run(self, count: int) -> int:
        limit = timedelta(minutes=10)
        acts = [
            workflow.execute_activity(step, args=["fan", number], start_to_close_timeout=limit)
            for number in range(count)
        ]
        return len(await asyncio.gather(*acts))


@workflow.defn
class Alarm:
    """Waits for a moment."""

    @workflow.run
    async def run(self, at_s: float) -> None:
        await workflow.sleep(max(0.001, at_s - workflow.time()))


WORKFLOWS = [Order, FanOut, Alarm]

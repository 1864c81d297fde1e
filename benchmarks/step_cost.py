"""Python CPU of one step in the processor: its thread's time over the activations it made, with the real store.

The log is the one in memory, so that nothing waits; what it costs itself (its commits and polls) is taken off. The profile goes to
a file.
"""

from __future__ import annotations

import asyncio
import cProfile
import io
import pstats
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from benchmarks.bench import Bench
from benchmarks.figures import Figure, Row
from benchmarks.stage import run_one
from benchmarks.workload import QUEUE, Order, Plan, step
from streamflow.client import Client
from streamflow.converter import DataConverter
from streamflow.coroutine.definition import definition_of
from streamflow.ports import Log
from streamflow.processor import Processor, ProcessorOptions
from streamflow.rocksdb import RocksStores
from streamflow.topology import ensure_queue
from streamflow.worker import Worker

PARTITIONS = 4
PROFILE = Path("bench-profile.txt")


class Outside:
    """An object whose named methods' CPU time is counted apart."""

    def __init__(self, inner: Any, meter: Outside | None, *names: str) -> None:
        self._inner = inner
        self._meter = meter or self
        self._names = frozenset(names)
        self.cpu_s = 0.0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._counted(found) if name in self._names else found

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            began = time.thread_time()
            try:
                return call(*args, **kwargs)
            finally:
                self._meter.cpu_s += time.thread_time() - began

        return counted


class OutsideLog(Outside):
    """A log whose transactors and sources are counted apart."""

    def transactor(self, name: str) -> Any:
        return OutsideTransactor(self._inner.transactor(name), self, "open")

    def source(self, **options: Any) -> Any:
        return Outside(self._inner.source(**options), self, "poll", "start_reading")


class OutsideTransactor(Outside):
    def commit(self, records: Any, offsets: Any, source: Any) -> None:
        self._counted(self._inner.commit)(records, offsets, source._inner)


class Metered:
    """A machine whose turns are timed on its own thread."""

    def __init__(self, machine: Processor, profile: cProfile.Profile | None = None) -> None:
        self._machine = machine
        self._profile = profile
        self.cpu_s = 0.0

    def open(self) -> None:
        self._machine.open()

    def turn(self) -> int | None:
        began = time.thread_time()
        if self._profile:
            self._profile.enable()
        try:
            return self._machine.turn()
        finally:
            if self._profile:
                self._profile.disable()
            self.cpu_s += time.thread_time() - began

    def close(self) -> None:
        self._machine.close()


async def case(bench: Bench) -> list[Row]:
    count = 200 if bench.quick else 1_000
    costs = [
        await _measure(bench.folder / f"steps-{n}", count) for n in range(bench.effort.repeats)
    ]
    profile = cProfile.Profile()
    await _measure(bench.folder / "steps-profiled", count, profile)
    _write(profile)
    figure = Figure.of(costs)
    return [
        Row(
            "processor, CPU per step",
            {"us": figure},
            "<= 200 us",
            figure.median <= 200,
            f"profile in {PROFILE}",
        )
    ]


async def _measure(folder: Path, count: int, profile: cProfile.Profile | None = None) -> float:
    """Microseconds of the processor's thread for each activation."""
    client = await Client.connect(f"memory:{folder.name}")
    ensure_queue(client.log, "default", QUEUE, kind="workflow", partitions=PARTITIONS, create=True)
    outside = OutsideLog(client.log, None)
    processor = Processor(
        cast(Log, outside),
        RocksStores(folder),
        {"Order": definition_of(Order)},
        DataConverter.default,
        ProcessorOptions(queue=QUEUE, name="metered", partitions=PARTITIONS),
    )
    metered = Metered(processor, profile)
    running = client.log.drive(metered, name="metered")
    async with Worker(client, task_queue=QUEUE, activities=[step], name="activities"):
        await run_one(client, "warm", Plan())
        before, metered.cpu_s, outside.cpu_s = processor.counters.activations, 0.0, 0.0
        room = asyncio.Semaphore(100)

        async def one(number: int) -> None:
            async with room:
                await run_one(client, f"s-{number}", Plan())

        await asyncio.gather(*[one(number) for number in range(count)])
        cost = (metered.cpu_s - outside.cpu_s) / (processor.counters.activations - before)
    running.stop()
    await running.wait()
    await client.close()
    return cost * 1e6


def _write(profile: cProfile.Profile) -> None:
    text = io.StringIO()
    pstats.Stats(profile, stream=text).sort_stats("tottime").print_stats(60)
    PROFILE.write_text(text.getvalue())

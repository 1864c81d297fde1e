"""The cases of the table, each with the target that it is held against."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from benchmarks import (
    dormant,
    long_history,
    orders,
    pressure,
    recovery,
    restart,
    restore,
    stage,
    step_cost,
    takeover,
    visibility,
)
from benchmarks.bench import Bench
from benchmarks.figures import Figure, Row
from benchmarks.workload import Plan

Case = Callable[[Bench], Coroutine[Any, Any, list[Row]]]


async def floor(bench: Bench) -> list[Row]:
    return [Row("kafka floor (no engine)", bench.floor_figures())]


async def kafka_ordinary(bench: Bench) -> list[Row]:
    async with stage.kafka(bench.bootstrap) as (client, _, _):
        figures = await orders.measure(client, Plan(), bench.effort)
        signals = await orders.signal_to_result(client, bench.effort)
    base = bench.floor_figures()
    ratios = {
        name: figures[name].median / base[name].median for name in ("p50 ms", "p99 ms", "orders/s")
    }
    met = ratios["p50 ms"] <= 1.5 and ratios["p99 ms"] <= 2 and ratios["orders/s"] >= 0.4
    notes = ", ".join(f"{name} {ratio:.2f} x floor" for name, ratio in ratios.items())
    return [
        Row(
            "kafka, ordinary activities",
            figures,
            "p50 <= 1.5 x floor, p99 <= 2 x floor, orders/s >= 0.4 x floor",
            met,
            notes,
        ),
        Row(
            "kafka, signal to result", signals, "p50 <= 9 ms", signals["signal p50 ms"].median <= 9
        ),
    ]


async def kafka_local(bench: Bench) -> list[Row]:
    async with stage.kafka(bench.bootstrap, ["processor"], Plan(local=True)) as (client, _, _):
        figures = await orders.measure(client, Plan(local=True), bench.effort)
    return [_row("kafka, local activities", figures, p50_ms=10, rate=500)]


async def embedded_ordinary(bench: Bench) -> list[Row]:
    async with stage.in_process(f"embedded:{bench.folder / 'ordinary'}") as client:
        figures = await orders.measure(client, Plan(), bench.effort)
        signals = await orders.signal_to_result(client, bench.effort)
    return [
        _row("embedded, ordinary activities", figures, p50_ms=5, rate=500),
        Row(
            "embedded, signal to result",
            signals,
            "p50 <= 2 ms",
            signals["signal p50 ms"].median <= 2,
        ),
    ]


async def embedded_local(bench: Bench) -> list[Row]:
    async with stage.in_process(f"embedded:{bench.folder / 'local'}") as client:
        figures = await orders.measure(client, Plan(local=True), bench.effort)
    return [_row("embedded, local activities", figures, p50_ms=3, rate=1000)]


async def memory_ordinary(bench: Bench) -> list[Row]:
    async with stage.in_process("memory:bench-ordinary") as client:
        return [
            Row("memory, ordinary activities", await orders.measure(client, Plan(), bench.effort))
        ]


async def memory_local(bench: Bench) -> list[Row]:
    async with stage.in_process("memory:bench-local") as client:
        figures = await orders.measure(client, Plan(local=True), bench.effort)
    return [Row("memory, local activities", figures)]


def _row(case: str, figures: dict[str, Figure], *, p50_ms: float, rate: float) -> Row:
    met = figures["p50 ms"].median <= p50_ms and figures["orders/s"].median >= rate
    return Row(case, figures, f"p50 <= {p50_ms:g} ms, orders/s >= {rate:g}", met)


CASES: dict[str, Case] = {
    "floor": floor,
    "kafka-ordinary": kafka_ordinary,
    "kafka-local": kafka_local,
    "embedded-ordinary": embedded_ordinary,
    "embedded-local": embedded_local,
    "memory-ordinary": memory_ordinary,
    "memory-local": memory_local,
    "step-cost": step_cost.case,
    "restore": restore.case,
    "dormant": dormant.case,
    "recovery": recovery.case,
    "restart": restart.case,
    "takeover": takeover.case,
    "long-history": long_history.case,
    "fan-out": pressure.fan_out,
    "timers": pressure.timers,
    "burst": pressure.burst,
    "lists-sqlite": visibility.sqlite,
    "lists-postgres": visibility.on_postgres,
}

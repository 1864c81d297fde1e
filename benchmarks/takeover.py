"""Another process takes over, and a rolling restart: how long a partition stands still.

Two processors share a queue with a long history. One is killed; starts that were sent to its partitions at that moment are
answered by the other. *Group* is the time until the group gave the partition to it (the session, 6 s, and a rebalance),
*take-over* from then until it is restored and read, *total* from the kill to the first result.

    warm    it stood by for the partition
    cold    it has nothing of it, and reads the history
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks import restore, stage
from benchmarks.bench import Bench
from benchmarks.figures import Figure, Row, percentile
from benchmarks.workload import PARTITIONS, QUEUE, Plan
from streamflow.client import Client
from streamflow.topology import partition_for, processor_group

NAMES = ("a", "b")
SETTLE_S = 90.0
PROBE_EVERY_S = 0.1
FOLLOWING_S = 7.0
"""A process looks every 5 s whom to follow."""


async def case(bench: Bench) -> list[Row]:
    kills = 1 if bench.quick else 6
    runs = 1_000 if bench.quick else 16_000
    rows = [await _take_over(bench, kind, kills, runs) for kind in ("warm", "cold")]
    rounds = 1 if bench.quick else 3
    return [*rows, await _roll(bench, rounds, runs)]


@dataclass
class Seen:
    """Seconds, of each partition that was taken over."""

    group: list[float] = field(default_factory=list[float])
    taken: list[float] = field(default_factory=list[float])
    total: list[float] = field(default_factory=list[float])


class Pair:
    """Two processors that log what they do, each with a folder of its own."""

    def __init__(self, bench: Bench, client: Client, folder: Path, standby: int) -> None:
        self.client = client
        self.folder = folder
        env = {
            "STREAMFLOW_BENCH_NAMESPACE": client.namespace,
            "STREAMFLOW_BENCH_STANDBY": str(standby),
            "STREAMFLOW_BENCH_LOG": "info",
        }
        self.nodes = {
            name: stage.Node(bench.bootstrap, "processor", folder, name=name, env=env)
            for name in NAMES
        }
        self.standby = standby

    async def start(self, name: str) -> None:
        await asyncio.to_thread(self.nodes[name].start)

    async def stop(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        await asyncio.to_thread(self.nodes[name].stop, how)

    def forget(self, name: str) -> None:
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def said(self, name: str, event: str, since: float) -> list[dict[str, Any]]:
        """What it logged of this event, with ``at`` in seconds since the epoch."""
        found: list[dict[str, Any]] = []
        for line in self.nodes[name].log.read_text(errors="replace").splitlines():
            if f'"{event}"' in line:
                said: dict[str, Any] = json.loads(line)
                said["at"] = datetime.fromisoformat(said["timestamp"]).timestamp()
                if said["at"] >= since:
                    found.append(said)
        return found

    async def owners(self) -> dict[int, str]:
        group = processor_group(self.client.namespace, QUEUE)
        owners = await asyncio.to_thread(self.client.log.owners, group)
        return {partition.partition: name for partition, name in owners.items()}

    async def settled(self, since: float) -> dict[int, str]:
        """Who owns what, once both own something, all of it is restored, and standbys are as far as they can be."""
        deadline = time.monotonic() + SETTLE_S
        while time.monotonic() < deadline:
            owners = await self.owners()
            restored = {
                (line["partition"], name)
                for name in NAMES
                for line in self.said(name, "partition_restored", since)
            }
            ready = {
                (line["partition"], name)
                for name in NAMES
                for line in self.said(name, "standby_ready", since)
            }
            wanted = {
                (n, other) for n, owner in owners.items() for other in NAMES if other != owner
            }
            balanced = len(owners) == PARTITIONS and len(set(owners.values())) == len(NAMES)
            if (
                balanced
                and restored >= set(owners.items())
                and (not self.standby or ready >= wanted)
            ):
                return owners
            await asyncio.sleep(0.25)
        raise RuntimeError(f"Expected both to share the partitions, found {await self.owners()}")


async def probe(client: Client, number: int) -> float:
    """Seconds until a run that is started now in this partition has ended."""
    began = time.perf_counter()
    await stage.run_one(client, _id_in(number), Plan(steps=0))
    return time.perf_counter() - began


def _id_in(number: int) -> str:
    while True:
        name = f"probe-{uuid.uuid4().hex[:12]}"
        if partition_for(name, PARTITIONS) == number:
            return name


async def _take_over(bench: Bench, kind: str, kills: int, runs: int) -> Row:
    seen = Seen()
    async with _pair(bench, f"takeover-{kind}", 1 if kind == "warm" else 0) as pair:
        client = pair.client
        events = await asyncio.to_thread(
            restore.write_histories, client.log, client.namespace, runs
        )
        for _ in range(kills):
            since = time.time()
            for name in NAMES:
                await pair.start(name)
            owners = await pair.settled(since)
            lost = [number for number, owner in owners.items() if owner == NAMES[0]]
            killed = time.time()
            await pair.stop(NAMES[0], signal.SIGKILL)
            seen.total += await asyncio.gather(*[probe(pair.client, number) for number in lost])
            _note(pair, seen, lost, killed)
            await pair.stop(NAMES[1])
            if kind == "cold":
                for name in NAMES:
                    pair.forget(name)
    limit = 3 if kind == "warm" else 10
    p99 = percentile(seen.taken, 0.99)
    figures = {
        "group p50 s": Figure.of([percentile(seen.group, 0.5)]),
        "take-over p50 s": Figure.of([percentile(seen.taken, 0.5)]),
        "take-over p99 s": Figure.of([p99]),
        "total p99 s": Figure.of([percentile(seen.total, 0.99)]),
    }
    return Row(
        f"take-over, {kind}, {len(seen.taken)} partitions, {events} events",
        figures,
        f"take-over p99 <= {limit} s",
        p99 <= limit,
    )


def _note(pair: Pair, seen: Seen, lost: list[int], killed: float) -> None:
    heir = NAMES[1]
    given = min(line["at"] for line in pair.said(heir, "partitions_assigned", killed))
    restored = {
        line["partition"]: line["at"] for line in pair.said(heir, "partition_restored", killed)
    }
    for number in lost:
        seen.group.append(given - killed)
        seen.taken.append(restored[number] - given)


async def _roll(bench: Bench, rounds: int, runs: int) -> Row:
    """Each in turn is stopped and started again, as in a deployment, while starts keep coming to every partition."""
    waits: list[float] = []
    async with _pair(bench, "rolling", 1) as pair:
        client = pair.client
        await asyncio.to_thread(restore.write_histories, client.log, client.namespace, runs)
        since = time.time()
        for name in NAMES:
            await pair.start(name)
        await pair.settled(since)
        for _ in range(rounds):
            for name in NAMES:
                rolling = asyncio.ensure_future(_restart(pair, name, since))
                everywhere = range(PARTITIONS)
                waits += await asyncio.gather(*[_longest(pair, n, rolling) for n in everywhere])
    figures = {
        "stands still p50 s": Figure.of([percentile(waits, 0.5)]),
        "at most s": Figure.of([max(waits)]),
    }
    return Row(f"rolling restart, warm, each partition {len(waits) // PARTITIONS} times", figures)


async def _restart(pair: Pair, name: str, since: float) -> None:
    """Until the group has come to rest, so that the way back is measured as well, and standbys follow again."""
    await pair.stop(name)
    await pair.start(name)
    await pair.settled(since)
    await asyncio.sleep(FOLLOWING_S)


async def _longest(pair: Pair, number: int, rolling: asyncio.Future[None]) -> float:
    """Of starts every 100 ms until the restart is over: how long the one took that had to wait longest."""
    probes: list[asyncio.Future[float]] = []
    while not rolling.done():
        probes.append(asyncio.ensure_future(probe(pair.client, number)))
        await asyncio.sleep(PROBE_EVERY_S)
    return max(await asyncio.gather(*probes))


@asynccontextmanager
async def _pair(bench: Bench, folder: str, standby: int) -> AsyncIterator[Pair]:
    path = bench.folder / folder
    path.mkdir(parents=True, exist_ok=True)
    namespace = f"bench-{uuid.uuid4().hex[:8]}"
    client = await Client.connect(bench.bootstrap, namespace=namespace, create_topics=True)
    pair = Pair(bench, client, path, standby)
    try:
        yield pair
    finally:
        for name in NAMES:
            await pair.stop(name)
        await client.close()

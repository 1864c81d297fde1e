"""Back-pressure on Kafka: one run of 20,000 activities, 20,000 timers in one second, a burst of 100,000 starts.

Beside each, *bystanders*: orders with local activities, one after the other, on the same single partition. How slow they become
is what the others pay; the processor's memory is sampled meanwhile. All on two cores: the broker, the worker and the client take
their part of them, and of the bystanders' time.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import psutil

from benchmarks import stage
from benchmarks.bench import Bench
from benchmarks.figures import Figure, Row, percentile
from benchmarks.workload import QUEUE, Alarm, FanOut, Plan
from streamflow.client import Client
from streamflow.model.commands import Envelope, StartWorkflow
from streamflow.model.ids import MessageId, WorkflowId
from streamflow.model.options import Status
from streamflow.model.payload import Payload
from streamflow.ports import Log, LogError, TopicPartition
from streamflow.topology import executions_topic, inbox_topic
from streamflow.wire.entities import decode_summary
from streamflow.wire.inbox import to_inbox

T = TypeVar("T")
ALONE = {"STREAMFLOW_BENCH_PARTITIONS": "1"}
"""Everything on one partition, so that nobody can be out of the way."""
SENT_AT_ONCE = 2_000
LOCAL = Plan(local=True)


async def fan_out(bench: Bench) -> list[Row]:
    count = 2_000 if bench.quick else 20_000
    async with _stage(bench) as scene:
        before = await scene.bystanders(100)
        began = time.perf_counter()
        result = scene.client.execute_workflow(FanOut.run, count, id=_name("fan"), task_queue=QUEUE)
        during, done = await scene.bystanders_until(result)
        took = time.perf_counter() - began
        assert done == count, done
        rss = scene.memory.peak_grown()
    slower = _median(during) / _median(before)
    figures = {
        "took s": Figure.of([took]),
        **_compared(before, during),
        "processor MB grown": Figure.of([rss]),
    }
    target = "bystanders at most twice as slow"
    return [Row(f"fan-out of {count} activities in one run", figures, target, slower <= 2)]


async def timers(bench: Bench) -> list[Row]:
    count = 2_000 if bench.quick else 20_000
    async with _stage(bench) as scene:
        due_s = time.time() + 10 + count / 400
        await scene.start_many("Alarm", count, due_s)
        before = await scene.bystanders(100)
        late = time.time() - due_s
        if late > 0:
            raise RuntimeError(f"Expected all timers to be set in time, found it {late:.0f} s late")
        await asyncio.sleep(due_s - time.time())
        during, _ = await scene.bystanders_until(scene.closed(count))
        drained = time.time() - due_s
        rss = scene.memory.peak_grown()
    figures = {
        "drained s": Figure.of([drained]),
        **_compared(before, during),
        "processor MB grown": Figure.of([rss]),
    }
    target = "drained in 10 s without holding the partition"
    return [Row(f"{count} timers due in the same second", figures, target, drained <= 10)]


async def burst(bench: Bench) -> list[Row]:
    count = 5_000 if bench.quick else 100_000
    async with _stage(bench) as scene:
        before = await scene.bystanders(100)
        began = time.perf_counter()
        await scene.start_many("Alarm", count, 0.0)
        sent = time.perf_counter() - began
        during, _ = await scene.bystanders_until(scene.closed(count))
        drained = time.perf_counter() - began
        after = await scene.bystanders(100)
        rss = scene.memory.peak_grown()
    figures = {
        "sent s": Figure.of([sent]),
        "all done s": Figure.of([drained]),
        **_compared(before, during),
        "bystanders after p50 ms": Figure.of([_median(after)]),
        "processor MB grown": Figure.of([rss]),
    }
    target = "slower meanwhile; no memory beyond the caches"
    return [Row(f"burst of {count} starts", figures, target, rss <= 200)]


# -- the scene ------------------------------------------------------------------------------------------------------


@dataclass
class Scene:
    client: Client
    memory: Memory
    ends: Ends

    async def bystanders(self, count: int) -> list[float]:
        return [await self._bystander() for _ in range(count)]

    async def bystanders_until(self, done: Awaitable[T]) -> tuple[list[float], T]:
        ending = asyncio.ensure_future(done)
        seconds: list[float] = []
        while not ending.done():
            seconds.append(await self._bystander())
        return seconds, await ending

    async def _bystander(self) -> float:
        await asyncio.sleep(0.02)
        began = time.perf_counter()
        await stage.run_one(self.client, _name("by"), LOCAL)
        return time.perf_counter() - began

    async def start_many(self, workflow: str, count: int, at_s: float) -> None:
        await asyncio.to_thread(
            _send_starts, self.client.log, self.client.namespace, workflow, count, at_s
        )

    async def closed(self, count: int) -> None:
        """Returns when so many alarms have ended."""
        while await asyncio.to_thread(self.ends.count) < count:  # noqa: ASYNC110 - the feed tells no one
            await asyncio.sleep(0.2)


@asynccontextmanager
async def _stage(bench: Bench) -> AsyncIterator[Scene]:
    async with stage.kafka(bench.bootstrap, plan=LOCAL, env=ALONE) as (client, nodes, _):
        memory, ends = Memory(nodes["processor"].pid), Ends(client.log, client.namespace)
        try:
            yield Scene(client, memory, ends)
        finally:
            memory.stop()
            ends.close()


class Memory:
    """The largest resident set of a process, sampled."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._before = self._peak = self._process.memory_info().rss
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def peak_grown(self) -> float:
        """Megabytes above what it was at the beginning."""
        return (self._peak - self._before) / 2**20

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(0.2):
            try:
                self._peak = max(self._peak, self._process.memory_info().rss)
            except psutil.NoSuchProcess:
                return


@dataclass
class Ends:
    """Counts alarms that have ended, by the executions feed."""

    log: Log
    namespace: str
    seen: int = 0
    offsets: dict[TopicPartition, int] = field(default_factory=dict[TopicPartition, int])

    def __post_init__(self) -> None:
        self._reader = self.log.reader()
        topic = executions_topic(self.namespace)
        for number in range(self.log.topics()[topic].partitions):
            partition = TopicPartition(topic, number)
            self.offsets[partition] = self._reader.end_offset(partition)

    def count(self) -> int:
        for partition, offset in self.offsets.items():
            end = self._reader.end_offset(partition)
            for records in self._reader.read(partition, offset, end):
                for record in records:
                    if record.value is not None:
                        summary = decode_summary(record.value)
                        ended = summary.status is not Status.RUNNING
                        self.seen += ended and summary.workflow_type == Alarm.__name__
            self.offsets[partition] = end
        return self.seen

    def close(self) -> None:
        self._reader.close()


def _send_starts(log: Log, namespace: str, workflow: str, count: int, at_s: float) -> None:
    """As fast as the log takes them; nobody waits for an answer."""
    producer, topic, tag = log.producer(), inbox_topic(namespace, QUEUE), _name("many")
    refused: list[LogError] = []

    def sent(error: LogError | None) -> None:
        if error is not None:
            refused.append(error)

    args = (Payload({"encoding": b"json/plain"}, json.dumps(at_s).encode()),)
    for number in range(count):
        name = WorkflowId(f"{tag}-{number}")
        command = StartWorkflow(workflow_id=name, workflow_type=workflow, args=args)
        producer.send(to_inbox(topic, 0, command, Envelope(message_id=MessageId(name))), sent)
        if number % SENT_AT_ONCE == 0:
            producer.flush(30_000)
    producer.flush(60_000)
    producer.close()
    if refused:
        raise RuntimeError(
            f"Expected the log to take {count} starts, found {len(refused)} refused: {refused[0]}"
        )


def _name(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex[:8]}"


def _median(seconds: list[float]) -> float:
    return percentile(seconds, 0.5) * 1000


def _compared(before: list[float], during: list[float]) -> dict[str, Figure]:
    return {
        "bystanders before p50 ms": Figure.of([_median(before)]),
        "p95 ms": Figure.of([percentile(before, 0.95) * 1000]),
        "during p50 ms": Figure.of([_median(during)]),
        "during p95 ms": Figure.of([percentile(during, 0.95) * 1000]),
        "during longest ms": Figure.of([max(during) * 1000]),
        "slower": Figure.of([_median(during) / _median(before)]),
    }

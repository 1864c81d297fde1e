"""Cold restore: an empty folder, a long history on Kafka, until every partition is ready."""

from __future__ import annotations

import asyncio
import time
import uuid

from benchmarks.bench import Bench
from benchmarks.figures import Figure, Row
from benchmarks.workload import QUEUE, Order
from streamflow.client import Client
from streamflow.converter import DataConverter
from streamflow.coroutine.definition import definition_of
from streamflow.model.events import (
    Activated,
    ActivityCompleted,
    ActivityScheduled,
    Event,
    WorkflowCompleted,
    WorkflowStarted,
)
from streamflow.model.ids import Op, RunId, Seq
from streamflow.model.options import ActivityTimeouts, RetryPolicy
from streamflow.model.payload import Payload
from streamflow.ports import Log, OutRecord
from streamflow.processor import Processor, ProcessorOptions
from streamflow.rocksdb import RocksStores
from streamflow.topology import ensure_queue, history_topic, partition_for
from streamflow.wire.events import encode_event, event_code
from streamflow.wire.header import NO_HASH, SF, EntryHeader, entry_hash, pack
from streamflow.wire.keys import EntityKind, event_key

PARTITIONS = 4
BODY = Payload({"encoding": b"json/plain"}, b'{"status":"ok","pad":"' + b"x" * 160 + b'"}')
CLOSED_MS = 1_900_000_000_000


async def case(bench: Bench) -> list[Row]:
    runs = 1_000 if bench.quick else 16_000
    client = await Client.connect(
        bench.bootstrap, namespace=f"bench-{uuid.uuid4().hex[:8]}", create_topics=True
    )
    events = await asyncio.to_thread(write_histories, client.log, client.namespace, runs)
    folders = [bench.folder / f"restore-{repeat}" for repeat in range(bench.effort.repeats)]
    rates = [events / await _restore(client, folder) for folder in folders]
    await client.close()
    figure = Figure.of(rates)
    return [
        Row(
            f"cold restore of {events} events",
            {"events/s": figure},
            ">= 60,000 events/s",
            figure.median >= 60_000,
        )
    ]


def write_histories(log: Log, namespace: str, runs: int) -> int:
    """Orders that have ended, as the engine would have written them; returns how many events they are."""
    ensure_queue(log, namespace, QUEUE, kind="workflow", partitions=PARTITIONS, create=True)
    producer = log.producer()
    topic = history_topic(namespace, QUEUE)
    count = 0
    for number in range(runs):
        workflow_id, run_id = f"order-{number}", RunId(str(uuid.uuid4()))
        partition = partition_for(workflow_id, PARTITIONS)
        previous = NO_HASH
        for seq, event in enumerate(_order(run_id), start=1):
            value = encode_event(workflow_id, run_id, seq, seq // 3, CLOSED_MS, event)
            header = pack(
                EntryHeader(
                    EntityKind.EVENT,
                    event_code(event),
                    run_id,
                    seq,
                    seq // 3,
                    CLOSED_MS,
                    CLOSED_MS,
                    0,
                    previous,
                )
            )
            previous = entry_hash(header, value)
            producer.send(
                OutRecord(
                    topic, partition, event_key(workflow_id, run_id, seq), value, ((SF, header),)
                )
            )
            count += 1
        if number % 500 == 0:
            producer.flush(30_000)
    producer.flush(60_000)
    producer.close()
    return count


def _order(run_id: RunId) -> list[Event]:
    """The history of an order of three activities, as the engine writes it."""
    events: list[Event] = [
        WorkflowStarted(workflow_type="Order", queue=QUEUE, args=(BODY,), first_run_id=run_id)
    ]
    for op in (1, 2, 3):
        events.append(Activated(inputs=(Seq(len(events)),), now_ms=CLOSED_MS, seed=op))
        events.append(
            ActivityScheduled(
                op=Op(op),
                activity_id=str(op),
                activity_type="step",
                queue=QUEUE,
                args=(BODY,),
                timeouts=ActivityTimeouts(start_to_close_ms=10_000),
                retry_policy=RetryPolicy(),
                token=bytes(16),
            )
        )
        events.append(ActivityCompleted(op=Op(op), attempt=1, result=BODY))
    events.append(Activated(inputs=(Seq(len(events)),), now_ms=CLOSED_MS, seed=4))
    events.append(WorkflowCompleted(result=BODY))
    return events


async def _restore(client: Client, folder: object) -> float:
    processor = Processor(
        client.log,
        RocksStores(folder),  # type: ignore[arg-type]  # a Path
        {"Order": definition_of(Order)},
        DataConverter.default,
        ProcessorOptions(
            namespace=client.namespace,
            queue=QUEUE,
            name=uuid.uuid4().hex[:8],
            partitions=PARTITIONS,
        ),
    )
    running = client.log.drive(processor, name="restore")
    while len(processor.partitions) < PARTITIONS:  # noqa: ASYNC110 - the processor has a thread, not an event
        await asyncio.sleep(0.002)
    began = time.perf_counter()
    while not processor.ready:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.002)
    seconds = time.perf_counter() - began
    running.stop()
    await running.wait()
    return seconds

"""The physical floor: the hops of a three-activity order on Kafka with no engine at all. No Avro, no store, no workflow code.

client -> inbox -> [transaction: 2 history + task + offsets] -> worker -> inbox -> ... -> reply
"""

from __future__ import annotations

import multiprocessing
import time
import uuid
from multiprocessing.synchronize import Event
from typing import Any

from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # not in its stubs' list

from benchmarks.workload import PARTITIONS

STEPS = 3
BODY = b"0" + b"x" * 200
RING = 3


class Floor:
    """Two processes (the bare processor, the bare worker) and the client in this one."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._run = f"floor-{uuid.uuid4().hex[:8]}"
        self._stop = multiprocessing.Event()
        self._processes = [
            multiprocessing.Process(
                target=part, args=(bootstrap, self._run, self._stop), daemon=True
            )
            for part in (_processor, _worker)
        ]

    def __enter__(self) -> Floor:
        admin = AdminClient({"bootstrap.servers": self._bootstrap})
        topics = [
            NewTopic(f"{self._run}-{name}", num_partitions=PARTITIONS, replication_factor=1)
            for name in ("inbox", "history", "tasks", "replies")
        ]
        for made in admin.create_topics(topics).values():
            made.result()
        for process in self._processes:
            process.start()
        self._replies = _consumer(self._bootstrap, f"{self._run}-client", f"{self._run}-replies")
        self._producer = Producer(
            {"bootstrap.servers": self._bootstrap, "linger.ms": 0, "enable.idempotence": True}
        )
        self._send("warm")
        self._answers(40.0)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for process in self._processes:
            process.join(20)
        self._replies.close()

    def latencies(self, count: int) -> list[float]:
        """Seconds from start to answer, one at a time."""
        seconds: list[float] = []
        for number in range(count):
            began = time.perf_counter()
            self._send(f"one-{number}")
            self._answers(20.0)
            seconds.append(time.perf_counter() - began)
        return seconds

    def throughput(self, count: int, in_flight: int) -> float:
        """Workflows a second."""
        sent = done = 0
        began = time.perf_counter()
        while done < count:
            while sent < count and sent - done < in_flight:
                self._send(f"many-{sent}")
                sent += 1
            done += self._answers(30.0)
        return count / (time.perf_counter() - began)

    def _send(self, key: str) -> None:
        self._producer.produce(f"{self._run}-inbox", BODY, key=key)
        self._producer.poll(0)

    def _answers(self, wait_s: float) -> int:
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline:
            if found := _ready(self._replies):
                return len(found)
        raise TimeoutError("Expected an answer of the floor's processor, found none")


def _consumer(bootstrap: str, group: str, topic: str) -> Consumer:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 50,
            "fetch.queue.backoff.ms": 1,
        }
    )
    consumer.subscribe([topic])
    return consumer


def _ready(consumer: Consumer) -> list[Message]:
    found = consumer.consume(500, 0.0) or consumer.consume(1, 0.2)
    return [message for message in found if not message.error()]


def _processor(bootstrap: str, run: str, stop: Event) -> None:
    consumer = _consumer(bootstrap, f"{run}-processor", f"{run}-inbox")
    ring = [_transactional(bootstrap, f"{run}-{number}") for number in range(RING)]
    turn = 0
    while not stop.is_set():
        messages = _ready(consumer)
        if messages:
            _transact(ring[turn % RING], consumer, run, messages)
            turn += 1
    consumer.close()


def _transactional(bootstrap: str, name: str) -> Producer:
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "transactional.id": name,
            "linger.ms": 0,
            "retry.backoff.ms": 1,
            "retry.backoff.max.ms": 5,
            "transaction.timeout.ms": 10_000,
        }
    )
    producer.init_transactions(20)
    return producer


def _transact(producer: Producer, consumer: Consumer, run: str, messages: list[Any]) -> None:
    producer.begin_transaction()
    offsets: dict[int, int] = {}
    for message in messages:
        number, partition = int((message.value() or b"")[:1]), message.partition()
        for _ in range(2):
            producer.produce(
                f"{run}-history", message.value(), key=message.key(), partition=partition
            )
        topic = "tasks" if number < STEPS else "replies"
        producer.produce(f"{run}-{topic}", message.value(), key=message.key())
        offsets[partition] = message.offset() + 1
    producer.send_offsets_to_transaction(
        [
            TopicPartition(f"{run}-inbox", partition, offset)
            for partition, offset in offsets.items()
        ],
        consumer.consumer_group_metadata(),
        10,
    )
    producer.commit_transaction(10)


def _worker(bootstrap: str, run: str, stop: Event) -> None:
    consumer = _consumer(bootstrap, f"{run}-worker", f"{run}-tasks")
    producer = Producer(
        {"bootstrap.servers": bootstrap, "linger.ms": 0, "enable.idempotence": True}
    )
    while not stop.is_set():
        for message in _ready(consumer):
            body = message.value() or b""
            value = str(int(body[:1]) + 1).encode() + body[1:]
            producer.produce(f"{run}-inbox", value, key=message.key())
        producer.poll(0)
    consumer.close()

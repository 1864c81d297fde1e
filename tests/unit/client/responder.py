"""Stands where a processor stands: reads every inbox partition of a queue and answers as a test tells it to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streamflow import topology
from streamflow.memory.broker import MemoryBroker
from streamflow.memory.log import MemoryLog
from streamflow.model.answers import Answer
from streamflow.model.commands import Received
from streamflow.ports import Record, TopicPartition
from streamflow.wire.inbox import decode_inbox, reply_record

Answering = Callable[[Received], Answer | None]


class Responder:
    """``seen`` is what arrived, in order. An answer of ``None`` is silence."""

    def __init__(self, broker: MemoryBroker, queue: str, answering: Answering) -> None:
        self.log = MemoryLog(broker, f"responder-{queue}")
        self.seen: list[Received] = []
        self.answering = answering
        entry = topology.ensure_queue(
            self.log, "default", queue, kind="workflow", partitions=2, create=True
        )
        self._producer = self.log.producer()
        topic = topology.inbox_topic("default", queue)
        for partition in range(entry.partitions):
            self.log.tail(TopicPartition(topic, partition), self._take, offset=0)
        self._join(queue, topic)

    def _join(self, queue: str, topic: str) -> None:
        """A member of the processors' group, so that callers find someone alive."""
        group = topology.processor_group("default", queue)
        self._source = self.log.source(
            group=group, topics=[topic], listener=_Indifferent(), instance=f"responder-{queue}"
        )
        self._source.poll(1, 0)

    def _take(self, records: Sequence[Record]) -> None:
        for record in records:
            received = decode_inbox(record)
            self.seen.append(received)
            answer = self.answering(received)
            reply_to = received.envelope.reply_to
            if answer is not None and reply_to is not None:
                self._producer.send(reply_record(reply_to, answer))


class _Indifferent:
    def on_assigned(self, partitions: Sequence[TopicPartition]) -> None: ...

    def on_revoked(self, partitions: Sequence[TopicPartition]) -> None: ...

    def on_lost(self, partitions: Sequence[TopicPartition]) -> None: ...

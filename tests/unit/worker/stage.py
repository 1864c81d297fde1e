"""A poller on the log in memory, and a test that plays the owner of its tasks and reads what it says to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from streamflow import activity
from streamflow.converter import DataConverter
from streamflow.memory.broker import MemoryBroker
from streamflow.memory.log import MemoryLog
from streamflow.memory.simloop import SimLoop, simulate
from streamflow.model.answers import Answer, Confirmed, HeartbeatAck
from streamflow.model.commands import (
    Command,
    ConfirmTasks,
    HeartbeatActivity,
    Received,
    ReportActivity,
    StartActivity,
)
from streamflow.model.options import RetryPolicy
from streamflow.model.tasks import ActivityTask, CancelTask
from streamflow.ports import Committed, OutRecord, Record, TopicPartition, TopicSpec
from streamflow.topology import (
    activities_topic,
    activity_group,
    dead_letters_topic,
    inbox_topic,
    replies_topic,
)
from streamflow.wire.entities import encode
from streamflow.wire.inbox import decode_inbox, reply_record
from streamflow.worker.registry import Registry
from streamflow.worker.running.executor import Executor
from streamflow.worker.taking.limits import PollerOptions
from streamflow.worker.taking.poller import Poller
from tests.unit.worker.tasks import values

T = TypeVar("T")
TASKS = TopicPartition(activities_topic("default", "q"), 0)
INBOX = TopicPartition(inbox_topic("default", "q"), 0)
ONCE = RetryPolicy(maximum_attempts=1)


@activity.defn
async def double(number: int) -> int:
    return 2 * number


@activity.defn
async def sleep(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "slept"


@activity.defn
async def beat(times: int) -> None:
    for number in range(times):
        activity.heartbeat(number)
        await asyncio.sleep(1)


@activity.defn
async def resume() -> Any:
    return activity.info().heartbeat_details[0]


@activity.defn
async def attempt_then_sleep(seconds: float) -> None:
    """Says in a heartbeat which attempt it is, as its code sees it."""
    activity.heartbeat(activity.info().attempt)
    await asyncio.sleep(seconds)


@activity.defn
async def until_cancelled() -> str:
    try:
        await asyncio.sleep(1_000_000)
    except asyncio.CancelledError:
        details = activity.cancellation_details()
        return repr(details)
    raise AssertionError


class WorkerOnStage:
    """A poller with its executor, as one process."""

    def __init__(self, broker: MemoryBroker, name: str, **options: Any) -> None:
        self.log = MemoryLog(broker, name)
        self.log.context().run(self._start, name, options)

    def _start(self, name: str, options: dict[str, Any]) -> None:
        self.executor = Executor(
            Registry([double, sleep, beat, resume, attempt_then_sleep, until_cancelled]),
            DataConverter.default,
            self.log.clock,
            namespace="default",
            slots=options.get("slots", 100),
        )
        said = PollerOptions(namespace="default", queue="q", name=name, identity=name, **options)
        self.poller = Poller(self.log, self.executor, said)
        self.running = self.log.drive(self.poller, name="poller")


class Stage:
    """A queue of few partitions, and the owner of its tasks."""

    def __init__(self, loop: SimLoop, partitions: int) -> None:
        self.broker = MemoryBroker(clock=loop.clock)
        for topic in (
            TASKS.topic,
            INBOX.topic,
            replies_topic("default"),
            dead_letters_topic("default"),
        ):
            count = partitions if topic == TASKS.topic else 1
            self.broker.create_topic(TopicSpec(name=topic, partitions=count))
        self.log = MemoryLog(self.broker, "owner")
        self.received: list[Received] = []
        self.answer: Callable[[Command], Answer | None] = agree
        self.log.tail(INBOX, self._receive)

    def worker(self, name: str = "a", **options: Any) -> WorkerOnStage:
        return WorkerOnStage(self.broker, name, **options)

    def dispatch(self, *tasks: ActivityTask, partition: int = 0) -> None:
        for task in tasks:
            self.broker.append(
                OutRecord(TASKS.topic, partition, task.workflow_id.encode(), encode(task))
            )

    def said(self, kind: type[T]) -> list[T]:
        """All commands of one kind so far."""
        return [r.command for r in self.received if isinstance(r.command, kind)]

    def results(self) -> list[Any]:
        return [
            values.from_payload(report.result)
            for report in self.said(ReportActivity)
            if report.result is not None
        ]

    def committed(self) -> Committed | None:
        group = self.broker.group(activity_group("default", "q"))
        return group.positions.stable([TASKS])[TASKS]

    def push(self, announced: StartActivity, message: CancelTask) -> None:
        assert announced.control is not None
        self.broker.append(reply_record(announced.control, message))

    def _receive(self, records: Sequence[Record]) -> None:
        for record in records:
            received = decode_inbox(record)
            self.received.append(received)
            answer = self.answer(received.command)
            if received.envelope.reply_to is not None and answer is not None:
                self.broker.append(reply_record(received.envelope.reply_to, answer))


def agree(command: Command) -> Answer | None:
    match command:
        case ConfirmTasks(tasks=tasks):
            return Confirmed(pending=(True,) * len(tasks))
        case StartActivity() | HeartbeatActivity():
            return HeartbeatAck(known=True, cancel_requested=False)
        case _:
            return None


def play_scene(scene: Callable[[Stage], Coroutine[Any, Any, T]], *, partitions: int = 1) -> T:
    async def play(loop: SimLoop) -> T:
        return await scene(Stage(loop, partitions))

    return simulate(play)

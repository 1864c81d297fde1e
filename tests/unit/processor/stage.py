"""A queue on a log in memory with one processor that is turned by hand: what is sent, what comes of it, what is kept."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from streamflow.converter import DataConverter
from streamflow.coroutine.definition import definition_of
from streamflow.memory.broker import MemoryBroker
from streamflow.memory.clock import VirtualClock
from streamflow.memory.faults import Faults
from streamflow.memory.log import MemoryLog
from streamflow.memory.objects import MemoryBucket
from streamflow.memory.store import MemoryStores
from streamflow.model.answers import Answer, TakenOver
from streamflow.model.commands import (
    ActivityOutcome,
    Command,
    Envelope,
    LocalActivityEnded,
    ReplyTo,
    ReportActivity,
    StartWorkflow,
    TaskRef,
)
from streamflow.model.events import Event, Recorded
from streamflow.model.failure import Failure
from streamflow.model.ids import MessageId, Op, RunId, WorkflowId
from streamflow.model.payload import Payload
from streamflow.model.tasks import ActivityTask, CancelTask
from streamflow.ports import Record
from streamflow.processor import LocalActivities, Processor, ProcessorOptions
from streamflow.processor.state.partition import Partition
from streamflow.processor.state.rows import Rows
from streamflow.topology import (
    activities_topic,
    dead_letters_topic,
    ensure_queue,
    history_topic,
    inbox_topic,
    partition_for,
    replies_topic,
)
from streamflow.wire.entities import decode_taken_over, decode_task
from streamflow.wire.envelope import EVERYBODY, REQUEST_ID
from streamflow.wire.events import decode_event
from streamflow.wire.header import SF, unpack
from streamflow.wire.inbox import decode_reply, to_inbox
from streamflow.wire.keys import EntityKind, HistoryKey, parse_key

NS = "default"
QUEUE = "q"
TURNS_MAX = 2_000


class Stage:
    def __init__(
        self,
        workflows: Sequence[type[Any]] = (),
        *,
        partitions: int = 1,
        faults: Faults | None = None,
        local: LocalActivities | None = None,
        converter: DataConverter | None = None,
        bucket: MemoryBucket | None = None,
        archive: MemoryBucket | None = None,
        **options: Any,
    ) -> None:
        self.clock = VirtualClock()
        self.broker = MemoryBroker(clock=self.clock, faults=faults)
        self.partitions = partitions
        self.workflows = list(workflows)
        self.local = local
        self.converter = converter or DataConverter.default
        self.options = options
        self.bucket = bucket
        self.archive = archive
        self.stores = MemoryStores()
        self._numbers = itertools.count(1)
        ensure_queue(
            MemoryLog(self.broker, "setup"),
            NS,
            QUEUE,
            kind="workflow",
            partitions=partitions,
            create=True,
        )
        self.log = MemoryLog(self.broker, "p")
        self.processor = self.start()

    # -- the processor --------------------------------------------------------------------------------------------

    def start(self, name: str = "p") -> Processor:
        """A new process of this name, with whatever is on the disk."""
        self.log = MemoryLog(self.broker, name)
        options = ProcessorOptions(
            namespace=NS, queue=QUEUE, name=name, partitions=self.partitions, **self.options
        )
        definitions = [definition_of(cls) for cls in self.workflows]
        self.processor = Processor(
            self.log,
            self.stores,
            {definition.name or "": definition for definition in definitions},
            self.converter,
            options,
            self.local,
            snapshots=None if self.bucket is None else self.bucket.of(self.log),
            archive=None if self.archive is None else self.archive.of(self.log),
        )
        self.processor.open()
        return self.processor

    def another_queue(self, name: str) -> MemoryLog:
        """Makes a queue of workflows beside this one, which nobody serves; the log of who made it."""
        setup = MemoryLog(self.broker, "setup of another queue")
        ensure_queue(setup, NS, name, kind="workflow", partitions=1, create=True)
        return setup

    def restart(self, *, crash: bool = False, disk: str = "kept") -> None:
        """The process ends and comes back under its name."""
        if crash:
            self.log.crash()
            self.stores.crash()
        else:
            self.processor.close()
        if disk == "empty":
            self.stores = MemoryStores()
        self.start()
        self.settle()

    def settle(self) -> None:
        """Turns the processor until there is nothing left to do now."""
        quiet = 0
        for _ in range(TURNS_MAX):
            self.broker.run()
            before = self._done_so_far()
            wait_ms = self.processor.turn()
            quiet = quiet + 1 if wait_ms != 0 and before == self._done_so_far() else 0
            if quiet == 3:
                self.broker.run()
                return
        raise AssertionError(f"Expected rest within {TURNS_MAX} turns")

    def pass_time(self, by_ms: int) -> None:
        """Moves the clock, from one due time to the next, as an idle driver would."""
        end_ms = self.clock.now_ms() + by_ms
        self.settle()
        while self.clock.now_ms() < end_ms:
            wait_ms = self.processor.turn()
            left_ms = end_ms - self.clock.now_ms()
            self.clock.advance(left_ms if wait_ms is None else max(1, min(wait_ms, left_ms)))
            self.settle()

    def _done_so_far(self) -> tuple[int, ...]:
        counters = self.processor.counters
        return counters.transactions, counters.aborted, counters.unknown, counters.restored_entries

    # -- asking ---------------------------------------------------------------------------------------------------

    def send(
        self,
        command: Command,
        *,
        message_id: str = "",
        reply: bool = True,
        partition: int | None = None,
    ) -> str:
        """Puts a command into the inbox; returns the request's number, to look for its answer."""
        request = str(next(self._numbers))
        envelope = Envelope(
            message_id=MessageId(message_id or f"m{request}"),
            reply_to=ReplyTo(replies_topic(NS), 0, request) if reply else None,
        )
        if partition is None:
            partition = partition_for(command.workflow_id, self.partitions)
        self.broker.append(to_inbox(inbox_topic(NS, QUEUE), partition, command, envelope))
        return request

    def ask(self, command: Command, **how: Any) -> Answer:
        """Sends and settles; the one answer."""
        request = self.send(command, **how)
        self.settle()
        [answer] = self.answers(request)
        return answer

    def begin(self, workflow_type: str, workflow_id: str = "w", **fields: Any) -> Answer:
        return self.ask(start(workflow_type, workflow_id, **fields))

    def report(
        self,
        task: ActivityTask,
        outcome: ActivityOutcome = ActivityOutcome.COMPLETED,
        *,
        result: Payload | None = None,
        failure: Failure | None = None,
    ) -> None:
        command = ReportActivity(
            workflow_id=task.workflow_id,
            task=ref(task),
            outcome=outcome,
            result=result,
            failure=failure,
        )
        self.send(command, reply=False)
        self.settle()

    # -- what came of it ------------------------------------------------------------------------------------------

    def answers(self, request: str) -> list[Answer]:
        return [answer for asked, answer in self._replies() if asked == request]  # type: ignore[misc]  # no CancelTask among them

    def cancels(self) -> list[CancelTask]:
        return [answer for _, answer in self._replies() if isinstance(answer, CancelTask)]

    def _replies(self) -> list[tuple[str, Answer | CancelTask]]:
        return [decode_reply(record) for record in self._said() if not _is_for_all(record)]

    def taken_over(self) -> list[TakenOver]:
        """What everyone who listens for answers was told."""
        return [decode_taken_over(r.value or b"") for r in self._said() if _is_for_all(r)]

    def _said(self) -> list[Record]:
        return self.broker.records(replies_topic(NS))

    def tasks(self, queue: str = QUEUE) -> list[ActivityTask]:
        found: list[ActivityTask] = []
        for record in self.broker.records(activities_topic(NS, queue)):
            assert record.value is not None
            found.append(decode_task(record.value))
        return found

    def dead_letters(self) -> list[Record]:
        return self.broker.records(dead_letters_topic(NS))

    def entries(self) -> list[tuple[HistoryKey, Record]]:
        """Every history record with its parsed key, in the order of the log."""
        found: list[tuple[HistoryKey, Record]] = []
        for record in self.broker.records(history_topic(NS, QUEUE)):
            assert record.key is not None
            found.append((parse_key(record.key), record))
        return found

    def recorded(self, workflow_id: str = "w") -> list[Recorded]:
        return [
            decode_event(record.value)
            for key, record in self.entries()
            if key.kind is EntityKind.EVENT
            and key.workflow_id == workflow_id
            and record.value is not None
        ]

    def events(self, workflow_id: str = "w") -> list[Event]:
        return [recorded.event for recorded in self.recorded(workflow_id)]

    def kinds(self, workflow_id: str = "w") -> list[str]:
        return [type(event).__name__ for event in self.events(workflow_id)]

    def of_kind(self, kind: EntityKind) -> list[Record]:
        return [record for key, record in self.entries() if key.kind is kind]

    def partition(self, number: int = 0) -> Partition:
        return self.processor.partitions[number]

    def rows(self, number: int = 0) -> Rows:
        return self.partition(number).rows


def _is_for_all(record: Record) -> bool:
    return dict(record.headers)[REQUEST_ID] == EVERYBODY.encode()


class Hands:
    """Local activities that end when the test says so."""

    def __init__(self) -> None:
        self.begun: list[ActivityTask] = []
        self.cancelled: list[tuple[str, int]] = []
        self._done: Any = None

    def start(self, task: ActivityTask, done: Any) -> None:
        self.start_many([task], done)

    def start_many(self, tasks: list[ActivityTask], done: Any) -> None:
        self.begun += tasks
        self._done = done

    def cancel(self, run_id: RunId, op: Op) -> None:
        self.cancelled.append((run_id, op))

    def end(
        self,
        task: ActivityTask,
        outcome: ActivityOutcome = ActivityOutcome.COMPLETED,
        failure: Failure | None = None,
    ) -> None:
        self._done(
            LocalActivityEnded(
                workflow_id=task.workflow_id,
                run_id=task.run_id,
                op=task.op,
                attempt=task.attempt,
                token=task.token,
                outcome=outcome,
                failure=failure,
            )
        )


def start(workflow_type: str, workflow_id: str = "w", **fields: Any) -> StartWorkflow:
    return StartWorkflow(workflow_id=WorkflowId(workflow_id), workflow_type=workflow_type, **fields)


def ref(task: ActivityTask) -> TaskRef:
    return TaskRef(run_id=task.run_id, op=task.op, attempt=task.attempt, token=task.token)


def payload(value: object) -> Payload:
    [encoded] = DataConverter.default.payload_converter.to_payloads([value])
    return encoded


def header_of(record: Record) -> Any:
    return unpack(dict(record.headers)[SF])

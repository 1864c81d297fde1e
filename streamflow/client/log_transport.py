"""The client's way over a log: commands into inboxes, answers out of one partition of the replies topic.

Threads: the log calls back on threads of its own. Answers are gathered there and handed to the event loop in batches,
one wake-up for as many as have come. Everything else runs on the event loop of the first call.
What to do about a slow answer is `requests`'s; what an answer means to the user is `client`'s and `handle`'s.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from streamflow import topology
from streamflow.client import locate
from streamflow.client.errors import RPCTimeoutOrCancelledError
from streamflow.client.requests import Due, Pending, Requests, Timing, waits_for_result
from streamflow.client.transport import DEADLINE_S, ONLY_DURABLE, EventsPage
from streamflow.model.answers import Answer, HistoryPage
from streamflow.model.commands import Command, Envelope, FetchHistory, ReplyTo, StartWorkflow
from streamflow.model.ids import MessageId, RunId, WorkflowId
from streamflow.model.queues import QueueEntry
from streamflow.ports import (
    LogError,
    Record,
    RecordRefused,
    TopicPartition,
    TopicState,
    Unavailable,
)
from streamflow.service import RPCError, RPCStatusCode
from streamflow.topology.declarations import BROKER_DEFAULT
from streamflow.wire.entities import decode_answer
from streamflow.wire.envelope import REQUEST_ID
from streamflow.wire.errors import Undecodable
from streamflow.wire.events import decode_event
from streamflow.wire.inbox import to_inbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from streamflow.ports import Log, Producer, Tail

T = TypeVar("T")

AGAIN_AFTER_S = 0.2

LIVENESS_FRESH_S = 1.0
"""For so long, what was seen of a queue's processors is believed by all requests that ask."""


class _Route(NamedTuple):
    topic: str
    partitions: int


class LogTransport:
    """Carries commands over a log. Used from one event loop; not thread-safe."""

    def __init__(
        self,
        log: Log,
        namespace: str,
        *,
        create_topics: bool = False,
        timing: Timing | None = None,
        while_waiting: Callable[[], AbstractContextManager[None]] | None = None,
    ) -> None:
        """``while_waiting`` is entered around each wait for a result: there a test's clock may skip ahead."""
        self.log = log
        self.create_topics = create_topics
        self._namespace = namespace
        self._while_waiting = while_waiting
        self._timing = timing or Timing()
        self._requests = Requests(f"{secrets.token_hex(8)}-")
        self._arrived: deque[Record] = deque()
        self._waking = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening: asyncio.Lock | None = None
        self._producer: Producer | None = None
        self._tail: Tail | None = None
        self._replies = TopicPartition("", 0)
        self._queues: dict[str, QueueEntry] = {}
        self._routes: dict[str, _Route] = {}
        self._live: dict[str, tuple[float, frozenset[str]]] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def namespace(self) -> str:
        return self._namespace

    # -- opening and closing ------------------------------------------------------------------------------------

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is not None and self._loop is not loop:
            raise RuntimeError(
                "Expected this client on the event loop that used it first, found another: connect one client per loop"
            )
        if self._closed:
            raise RPCError("Expected an open client, found it closed", RPCStatusCode.CANCELLED)
        self._loop = loop
        self._opening = self._opening or asyncio.Lock()
        async with self._opening:
            if self._tail is None:
                await self._join_replies()

    async def _join_replies(self) -> None:
        """Chooses a partition to be answered on, and listens there before the first request is sent."""
        topic = topology.replies_topic(self._namespace)
        state = await self._blocking(lambda: self._replies_state(topic))
        if state is None:
            raise RPCError(
                f"Expected the topics of namespace {self._namespace!r}, found no {topic}. Create them with a queue: "
                f"{topology.apply_command(self._namespace, 'QUEUE')}",
                RPCStatusCode.FAILED_PRECONDITION,
            )
        self._replies = TopicPartition(topic, random.randrange(state.partitions))
        self._producer = self.log.producer()
        self._tail = await self._blocking(
            lambda: self.log.tail(self._replies, self._deliver), patience_s=DEADLINE_S
        )

    def _replies_state(self, topic: str) -> TopicState | None:
        state = self.log.topics().get(topic)
        if state is None and self.create_topics:
            declared = topology.declare(
                self._namespace, replication_factor=BROKER_DEFAULT, dev=True
            )
            topology.apply(self.log, topology.plan(self.log, declared))
            state = self.log.topics().get(topic)
        return state

    async def close(self) -> None:
        """Requests under way are given up; their commands may still take effect."""
        if self._closed:
            return
        self._closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        for pending in self._requests:
            if not pending.future.done():
                pending.future.set_exception(
                    RPCError("The client was closed", RPCStatusCode.CANCELLED)
                )
        tail, producer = self._tail, self._producer
        if tail is not None:
            await self._blocking(tail.close)
        if producer is not None:
            await self._blocking(producer.close)
        await self._blocking(self.log.close)

    async def _blocking(self, call: Callable[[], T], *, patience_s: float = 0) -> T:
        """Calls that may wait for a broker get a thread; the log in memory never waits and has none.

        With patience, a call that cannot be answered now is made again: new topics have no leader for a moment.
        """
        began = time.monotonic()
        while True:
            try:
                return await asyncio.to_thread(call) if self.log.threaded else call()
            except Unavailable as error:
                if time.monotonic() - began + AGAIN_AFTER_S > patience_s:
                    raise RPCError(str(error), RPCStatusCode.UNAVAILABLE) from error
            except LogError as error:
                raise RPCError(str(error), RPCStatusCode.UNAVAILABLE) from error
            except (topology.QueueMismatch, topology.PlanRefused) as error:
                raise RPCError(str(error), RPCStatusCode.FAILED_PRECONDITION) from error
            await asyncio.sleep(AGAIN_AFTER_S)

    # -- asking -------------------------------------------------------------------------------------------------

    async def ask(
        self,
        queue: str,
        command: Command,
        *,
        deadline_s: float | None = DEADLINE_S,
        message_id: str | None = None,
    ) -> Answer:
        if self._tail is None or self._closed:
            await self.open()
        if not queue:
            queue = await self.find_queue(command.workflow_id, None, deadline_s=deadline_s)
        if queue not in self._routes:
            # Only a start makes a queue: whoever speaks to a workflow on a mistyped one is to hear that it is not there.
            await self._find_route(queue, create=isinstance(command, StartWorkflow))
        loop = self._loop
        assert loop is not None
        now = loop.time()
        if deadline_s is None and not waits_for_result(command):
            deadline_s = DEADLINE_S
        pending = Pending(
            self._requests.next_id(),
            queue,
            command,
            loop.create_future(),
            send_at=now,
            deadline=None if deadline_s is None else now + deadline_s,
            looked_at=now,
        )
        if message_id:
            pending.message_id = message_id
        self._requests.add(pending)
        try:
            self._send(pending, command)
            if self._sweeping is None:
                self._sweep_later()
            if self._while_waiting is not None and pending.waits_for_result:
                with self._while_waiting():
                    return await pending.future
            return await pending.future
        finally:
            self._requests.remove(pending.request_id)

    def _send(self, pending: Pending, command: Command) -> None:
        assert self._loop is not None
        assert self._producer is not None
        pending.sent(self._loop.time(), self._timing)
        route = self._routes[pending.queue]
        envelope = Envelope(
            message_id=MessageId(pending.message_id),
            reply_to=ReplyTo(self._replies.topic, self._replies.partition, pending.request_id),
        )
        partition = topology.partition_for(command.workflow_id, route.partitions)
        record = to_inbox(route.topic, partition, command, envelope)

        def done(error: LogError | None) -> None:
            pending.error = error
            pending.durable = pending.durable or error is None
            if isinstance(error, RecordRefused):
                self._from_thread(lambda: self._refused(pending, error))

        try:
            self._producer.send(record, done)
        except RecordRefused as error:
            self._refused(pending, error)
        except LogError as error:
            # Not now; the sweep sends it again until the deadline.
            pending.error = error

    def _refused(self, pending: Pending, error: RecordRefused) -> None:
        if not pending.future.done():
            pending.future.set_exception(
                RPCError(f"The log refused the command: {error}", RPCStatusCode.INVALID_ARGUMENT)
            )

    def _from_thread(self, call: Callable[[], None]) -> None:
        loop = self._loop
        if loop is None or self._closed:
            return
        try:
            loop.call_soon_threadsafe(call)
        except RuntimeError:
            # The loop has been closed under a client that nobody closed: no caller waits any more.
            self._closed = True

    # -- answers ------------------------------------------------------------------------------------------------

    def _deliver(self, records: Sequence[Record]) -> None:
        """Called on the log's thread."""
        self._arrived.extend(records)
        if not self._waking:
            self._waking = True
            self._from_thread(self._drain)

    def _drain(self) -> None:
        # Cleared first: what arrives from here on wakes the loop again.
        self._waking = False
        arrived = self._arrived
        while arrived:
            self._take(arrived.popleft())

    def _take(self, record: Record) -> None:
        request_id = _request_id(record)
        pending = self._requests.get(request_id)
        if pending is None or pending.future.done():
            return  # another client's on the same partition, a copy, or too late
        try:
            answer = decode_answer(record.value or b"")
        except Undecodable as error:
            pending.future.set_exception(
                RPCError(f"The answer cannot be read: {error}", RPCStatusCode.INTERNAL)
            )
            return
        if pending.accept(answer):
            pending.future.set_result(answer)
        else:
            self._send(pending, pending.command)

    # -- slow answers -------------------------------------------------------------------------------------------

    def _sweep_later(self) -> None:
        assert self._loop is not None
        self._sweeping = self._loop.call_later(self._timing.sweep_s, self._sweep)

    def _sweep(self) -> None:
        assert self._loop is not None
        self._sweeping = None
        now = self._loop.time()
        for pending in self._requests:
            if pending.future.done():
                continue
            match pending.due(now, self._timing):
                case Due.GIVE_UP:
                    pending.deadline = None  # once
                    self._spawn(self._give_up(pending))
                case Due.SEND_AGAIN:
                    self._send(pending, pending.renewed())
                case Due.LOOK:
                    pending.looked_at = now
                    self._spawn(self._settle_if_unheard(pending))
                case None:
                    pass
        if len(self._requests):
            self._sweep_later()

    def _spawn(self, work: object) -> None:
        assert asyncio.iscoroutine(work)
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle_if_unheard(self, pending: Pending) -> None:
        try:
            live = await self.live_members(pending.queue)
        except RPCError:
            return  # the deadline's message will say so
        if not live and not pending.future.done():
            pending.future.set_result(ONLY_DURABLE)

    async def _give_up(self, pending: Pending) -> None:
        live: frozenset[str] | None
        try:
            live = await self.live_members(pending.queue)
        except RPCError:
            live = None
        if pending.future.done():
            return
        if live is not None and not live and pending.durable and pending.settles_when_durable:
            pending.future.set_result(ONLY_DURABLE)
            return
        pending.future.set_exception(
            RPCTimeoutOrCancelledError(_silence(pending, self._routes[pending.queue], live))
        )

    async def live_members(self, queue: str) -> frozenset[str]:
        """Names of the processors of a queue, as their coordinator saw them within the last second."""
        assert self._loop is not None
        seen_at, names = self._live.get(queue, (float("-inf"), frozenset()))
        if self._loop.time() - seen_at <= LIVENESS_FRESH_S:
            return names
        group = topology.processor_group(self._namespace, queue)
        names = await self._blocking(lambda: self.log.live_members(group))
        self._live[queue] = (self._loop.time(), names)
        return names

    # -- queues -------------------------------------------------------------------------------------------------

    async def _find_route(self, queue: str, *, create: bool) -> None:
        entry = self._queues.get(queue)
        if entry is None:
            ensure = self._ensure_queue(queue, create=create and self.create_topics)
            entry = await self._blocking(ensure, patience_s=DEADLINE_S)
            self._queues[queue] = entry
        if entry.kind != "workflow":
            raise RPCError(
                f"Expected a queue for workflows, found {queue!r} to be for activities only",
                RPCStatusCode.INVALID_ARGUMENT,
            )
        self._routes[queue] = _Route(topology.inbox_topic(self._namespace, queue), entry.partitions)

    def _ensure_queue(self, queue: str, *, create: bool) -> Callable[[], QueueEntry]:
        def ensure() -> QueueEntry:
            try:
                return topology.ensure_queue(
                    self.log, self._namespace, queue, kind="workflow", create=create
                )
            except topology.QueueMissing as error:
                raise RPCError(str(error), RPCStatusCode.NOT_FOUND) from error

        return ensure

    async def queues(self) -> Mapping[str, QueueEntry]:
        await self.open()
        found = await self._blocking(lambda: topology.read_queues(self.log, self._namespace))
        self._queues = dict(found)
        return self._queues

    async def find_queue(
        self, workflow_id: str, run_id: str | None, *, deadline_s: float | None = DEADLINE_S
    ) -> str:
        return await locate.find_queue(self, workflow_id, run_id, deadline_s=deadline_s)

    # -- history ------------------------------------------------------------------------------------------------

    async def events(
        self,
        queue: str,
        workflow_id: str,
        run_id: str | None,
        after_seq: int,
        *,
        deadline_s: float | None = DEADLINE_S,
    ) -> EventsPage | Answer:
        fetch = FetchHistory(
            workflow_id=WorkflowId(workflow_id),
            run_id=RunId(run_id) if run_id else None,
            after_seq=after_seq,
        )
        answer = await self.ask(queue, fetch, deadline_s=deadline_s)
        if not isinstance(answer, HistoryPage):
            return answer
        return EventsPage(
            workflow_id=workflow_id,
            run_id=answer.run_id,
            events=tuple(decode_event(value) for _, value in answer.records),
            next_after_seq=answer.next_after_seq,
            more=answer.more,
            closed=answer.closed,
        )


def _request_id(record: Record) -> str:
    for name, value in record.headers:
        if name == REQUEST_ID:
            return value.decode("utf-8", "replace")
    return ""


def _silence(pending: Pending, route: _Route, live: frozenset[str] | None) -> str:
    """What is known of a partition that gave no answer."""
    partition = topology.partition_for(pending.command.workflow_id, route.partitions)
    if live is None:
        owner = "and its processors could not be asked for"
    elif live:
        owner = f"though the queue has live processors ({', '.join(sorted(live))}): its partition may be restoring or busy"
    else:
        owner = "and the queue has no live processor: start a Worker or `streamflow worker` for it"
    text = (
        f"Expected an answer to {type(pending.command).__name__} of workflow {pending.command.workflow_id!r} in time, "
        f"found none from partition {partition} of {route.topic}, {owner}."
    )
    if pending.error is not None:
        text += f" The log's last word: {pending.error}"
    if pending.durable:
        text += " The command is in the log and may still take effect."
    return text

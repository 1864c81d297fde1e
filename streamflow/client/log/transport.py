"""The client's way over a log: commands into inboxes, answers out of one partition of the replies topic.

Everything here runs on the event loop of the first call. Where answers come from is `replies`', what is known of queues is
`queues`', what to do about a slow answer is `requests`'s; what an answer means to the user is `client`'s and `handle`'s.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from streamflow.client.errors import RPCTimeoutOrCancelledError
from streamflow.client.log import declaring, locate, silence
from streamflow.client.log.activity_hosting import ActivityHosting
from streamflow.client.log.executions import Executions
from streamflow.client.log.keeping import Keeping
from streamflow.client.log.patience import blocking
from streamflow.client.log.queues import Queues
from streamflow.client.log.replies import Replies
from streamflow.client.log.requests import (
    Due,
    Pending,
    Requests,
    Timing,
    waits_for_result,
    waits_for_update,
)
from streamflow.client.log.schedule_hosting import ScheduleHosting
from streamflow.client.transport import (
    DEADLINE_S,
    ONLY_DURABLE,
    EventsPage,
    ExecutionsCount,
    ExecutionsPage,
)
from streamflow.model import standalone
from streamflow.model.answers import Answer, HistoryPage
from streamflow.model.commands import (
    Command,
    Envelope,
    FetchHistory,
    ReplyTo,
    StartWorkflow,
    UpdateWithStart,
)
from streamflow.model.ids import MessageId, RunId, WorkflowId
from streamflow.model.queues import QueueEntry
from streamflow.ports import LogError, Record, RecordRefused, TopicPartition
from streamflow.schedules import SCHEDULES_QUEUE
from streamflow.service import RPCError, RPCStatusCode
from streamflow.wire.entities import decode_answer, decode_taken_over
from streamflow.wire.envelope import EVERYBODY
from streamflow.wire.errors import Undecodable
from streamflow.wire.events import decode_event
from streamflow.wire.inbox import to_inbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from streamflow.ports import Log, Producer


ASK_AT_ONCE_MAX = 100
"""Requests that are made again at once when their partition has a new owner ..."""
ASK_PER_S = 1_000
"""... and how fast the others follow."""


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
        visibility: str | None = None,
    ) -> None:
        """``while_waiting`` is entered around each wait for a result: there a test's clock may skip ahead.

        ``visibility`` is where lists are kept, as an SQLAlchemy URL; by default with the log's own local state, if it has
        any, else in memory.
        """
        self.log = log
        self.create_topics = create_topics
        self._namespace = namespace
        self._while_waiting = while_waiting
        self._timing = timing or Timing()
        self._requests = Requests(f"{secrets.token_hex(8)}-")
        self._queues = Queues(log, namespace)
        self._visibility = visibility
        self._executions = Executions(log, namespace, visibility)
        self._schedules = ScheduleHosting(self)
        self._keeping: Keeping | None = None
        self._activities = ActivityHosting(self)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening: asyncio.Lock | None = None
        self._producer: Producer | None = None
        self._replies: Replies | None = None
        self._sweeping: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._owns_log = True

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
            if self._replies is None:
                replies = Replies(self.log, loop, self._take)
                await replies.open(self._namespace, create_topics=self.create_topics)
                self._producer = self.log.producer()
                self._replies = replies

    def sibling(self, namespace: str) -> LogTransport:
        """The same log for another namespace; the log is closed with this one."""
        sibling = LogTransport(
            self.log,
            namespace,
            create_topics=self.create_topics,
            timing=self._timing,
            while_waiting=self._while_waiting,
            visibility=self._visibility,
        )
        sibling._owns_log = False
        if self._keeping is not None:
            sibling.keep_queues()
        return sibling

    def keep_queues(self) -> None:
        """Lets runs be read while no Worker serves their queue. Only for a log within this process."""
        self._keeping = Keeping(self)

    def set_metadata(self, metadata: Mapping[str, str | bytes], api_key: str | None) -> None:
        """Nothing: a log asks who one is when one connects."""

    async def close(self) -> None:
        """Requests under way are given up; their commands may still take effect."""
        if self._closed:
            return
        await self._schedules.stop()
        if self._keeping is not None:
            await self._keeping.stop()
        await self._activities.stop()
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
        if self._replies is not None:
            await self._replies.close()
        await self._executions.close()
        if self._producer is not None:
            await blocking(self.log, self._producer.close)
        if self._owns_log:
            await blocking(self.log, self.log.close)

    # -- asking -------------------------------------------------------------------------------------------------

    async def ask(
        self,
        queue: str,
        command: Command,
        *,
        deadline_s: float | None = DEADLINE_S,
        message_id: str | None = None,
    ) -> Answer:
        if self._replies is None or self._closed:
            await self.open()
        if not queue:
            queue = await self.find_queue(command.workflow_id, None, deadline_s=deadline_s)
        if queue == SCHEDULES_QUEUE:
            await self._schedules.ensure()
        elif queue == standalone.QUEUE:
            await self._activities.ensure(command)
        # Only a start makes a queue: whoever speaks to a workflow on a mistyped one is to hear that it is not there.
        create = self.create_topics and isinstance(command, StartWorkflow | UpdateWithStart)
        route = await self._queues.route(queue, create=create)
        loop = self._loop
        assert loop is not None
        now = loop.time()
        if deadline_s is None and not (waits_for_result(command) or waits_for_update(command)):
            deadline_s = DEADLINE_S
        pending = Pending(
            self._requests.next_id(),
            queue,
            route,
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
            if self._keeping is not None:
                self._keep(self._keeping, pending)
            if self._while_waiting is not None and pending.waits_for_result:
                with self._while_waiting():
                    return await pending.future
            return await pending.future
        finally:
            self._requests.remove(pending.request_id)

    def _keep(self, keeping: Keeping, pending: Pending) -> None:
        command = pending.command
        if isinstance(command, StartWorkflow | UpdateWithStart):
            keeping.remember(command.workflow_id, pending.queue)
        elif keeping.serves(command):
            self._spawn(keeping.look_after(pending))

    def _send(self, pending: Pending, command: Command) -> None:
        assert self._loop is not None
        assert self._producer is not None
        assert self._replies is not None
        pending.sent(self._loop.time(), self._timing)
        route, replies = pending.route, self._replies
        envelope = Envelope(
            message_id=MessageId(pending.message_id),
            reply_to=ReplyTo(replies.place.topic, replies.place.partition, pending.request_id),
        )
        record = to_inbox(route.topic, route.partition_of(command.workflow_id), command, envelope)

        def done(error: LogError | None) -> None:
            pending.error = error
            pending.durable = pending.durable or error is None
            if isinstance(error, RecordRefused):
                replies.on_loop(lambda: self._refused(pending, error))

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

    # -- answers ------------------------------------------------------------------------------------------------

    def _take(self, request_id: str, record: Record) -> None:
        if request_id == EVERYBODY:
            self._ask_new_owner(record)
            return
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

    def _ask_new_owner(self, record: Record) -> None:
        """Who waits for a new owner of its partition asks it now: the old one took its list of waiters along."""
        assert self._loop is not None
        try:
            taken = decode_taken_over(record.value or b"")
        except Undecodable:
            return  # of a later version: the ordinary patience does
        now, asked = self._loop.time(), 0
        for pending in self._requests:
            if pending.future.done() or not pending.is_for(taken):
                continue
            asked += 1
            if asked <= ASK_AT_ONCE_MAX:
                self._send(pending, pending.renewed())
            else:
                pending.send_at = min(pending.send_at, now + asked / ASK_PER_S)

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
        route = pending.route
        inbox = TopicPartition(route.topic, route.partition_of(pending.command.workflow_id))
        known = await silence.look(self.log, self._namespace, pending.queue, inbox)
        if pending.future.done():
            return
        pending.future.set_exception(RPCTimeoutOrCancelledError(silence.told(pending, live, known)))

    # -- queues -------------------------------------------------------------------------------------------------

    async def live_members(self, queue: str) -> frozenset[str]:
        """Names of the processors of a queue, as their coordinator saw them within the last second."""
        return await self._queues.live_members(queue)

    async def queues(self) -> Mapping[str, QueueEntry]:
        await self.open()
        return await self._queues.all()

    async def find_queue(
        self, workflow_id: str, run_id: str | None, *, deadline_s: float | None = DEADLINE_S
    ) -> str:
        keeping = self._keeping
        # A run that is named may be one that went on elsewhere, so it is asked for.
        if keeping is not None and not run_id and (queue := await keeping.find_queue(workflow_id)):
            return queue
        try:
            return await locate.find_queue(self, workflow_id, run_id, deadline_s=deadline_s)
        except RPCError as error:
            if keeping is None or error.status is not RPCStatusCode.UNAVAILABLE:
                raise
            found = await keeping.find_queue(workflow_id, unknown=error)
            assert found is not None
            return found

    # -- schedules ----------------------------------------------------------------------------------------------

    async def prepare_queue(self, queue: str) -> None:
        await self.open()
        await self._queues.route(queue, create=self.create_topics)

    async def resume_schedules(self) -> None:
        if self.create_topics and SCHEDULES_QUEUE in await self.queues():
            await self._schedules.ensure()

    def now_ms(self) -> int:
        return self.log.clock.now_ms()

    # -- lists --------------------------------------------------------------------------------------------------

    async def executions(
        self,
        query: str,
        *,
        page_size: int,
        page_token: str = "",
        deadline_s: float | None = DEADLINE_S,
    ) -> ExecutionsPage:
        await self.open()
        return await self._executions.page(
            query, page_size=page_size, page_token=page_token, deadline_s=deadline_s
        )

    async def count_executions(
        self, query: str, *, deadline_s: float | None = DEADLINE_S
    ) -> ExecutionsCount:
        await self.open()
        return await self._executions.count(query, deadline_s=deadline_s)

    async def search_attributes(self) -> Mapping[str, str]:
        await self.open()
        return await declaring.search_attributes(self.log, self._namespace)

    async def declare_search_attributes(self, wanted: Mapping[str, str]) -> None:
        await self.open()
        await declaring.declare_search_attributes(self.log, self._namespace, wanted)
        self._executions.forget_declared()

    async def forget_search_attributes(self, names: Sequence[str]) -> None:
        await self.open()
        await declaring.forget_search_attributes(self.log, self._namespace, names)
        self._executions.forget_declared()

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
            trouble=answer.trouble,
        )

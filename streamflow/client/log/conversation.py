"""Requests on their way over a log: sent to an inbox, answered through one partition of the replies topic.

Bookkeeping is `requests`', where answers arrive is `replies`'. Here is what is done about them: sent, sent again, given up.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from typing import TYPE_CHECKING

from streamflow.client.errors import RPCTimeoutOrCancelledError
from streamflow.client.log import silence
from streamflow.client.log.asked_once import AskedOnce
from streamflow.client.log.patience import blocking
from streamflow.client.log.replies import Replies
from streamflow.client.log.requests import (
    Due,
    Pending,
    Requests,
    Timing,
    waits_for_result,
    waits_for_update,
)
from streamflow.client.transport import DEADLINE_S, ONLY_DURABLE
from streamflow.model.commands import Command, Envelope, ReplyTo
from streamflow.model.ids import MessageId
from streamflow.ports import LogError, NotGranted, Record, RecordRefused, TopicPartition
from streamflow.service import RPCError, RPCStatusCode
from streamflow.wire.entities import decode_answer, decode_taken_over
from streamflow.wire.envelope import EVERYBODY
from streamflow.wire.errors import Undecodable
from streamflow.wire.inbox import to_inbox

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from contextlib import AbstractContextManager

    from streamflow.client.log.queues import Queues, Route
    from streamflow.model.answers import Answer
    from streamflow.ports import Log, Producer


ASK_AT_ONCE_MAX = 100
"""Requests that are made again at once when their partition has a new owner ..."""
ASK_PER_S = 1_000
"""... and how fast the others follow."""


class Conversation:
    """Of one transport. Belongs to the event loop on which it was opened."""

    def __init__(
        self,
        log: Log,
        namespace: str,
        queues: Queues,
        timing: Timing,
        while_waiting: Callable[[], AbstractContextManager[None]] | None,
    ) -> None:
        self._log = log
        self._namespace = namespace
        self._queues = queues
        self._timing = timing
        self._while_waiting = while_waiting
        self._requests = Requests(f"{secrets.token_hex(8)}-")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening: asyncio.Lock | None = None
        self._producer: Producer | None = None
        self._replies: Replies | None = None
        self._sweeping: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking = AskedOnce[silence.Known | None]()
        self._closed = False

    # -- opening and closing ------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def open_for_requests(self) -> bool:
        return self._replies is not None and not self._closed

    async def open(self, *, create_topics: bool) -> None:
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
                replies = Replies(self._log, loop, self._take)
                await replies.open(self._namespace, create_topics=create_topics)
                self._producer = self._log.producer()
                self._replies = replies

    async def close(self) -> None:
        """Requests under way are given up; their commands may still take effect."""
        self._closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        self._looking.cancel()
        for pending in self._requests:
            if not pending.future.done():
                pending.future.set_exception(_given_up())
        if self._replies is not None:
            await self._replies.close()

    async def close_producer(self) -> None:
        if self._producer is not None:
            await blocking(self._log, self._producer.close)

    # -- asking -------------------------------------------------------------------------------------------------

    def request(
        self,
        queue: str,
        route: Route,
        command: Command,
        *,
        deadline_s: float | None,
        message_id: str | None,
    ) -> Pending:
        """A request under way, not sent yet. Waits for results have no deadline unless they are given one.

        Raises:
            RPCError: CANCELLED: the client was closed while the caller looked for the queue.
        """
        if self._closed:
            raise _given_up()
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
        return pending

    async def answer(self, pending: Pending) -> Answer:
        """Sends the request, and sees to it until it is answered or given up."""
        self._requests.add(pending)
        try:
            self._send(pending, pending.command)
            if self._sweeping is None:
                self._sweep_later()
            if self._while_waiting is not None and pending.waits_for_result:
                with self._while_waiting():
                    return await pending.future
            return await pending.future
        finally:
            self._requests.remove(pending.request_id)

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Runs beside the requests, to be given up with them."""
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

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
            if isinstance(error, RecordRefused | NotGranted):
                replies.on_loop(lambda: self._refused(pending, error))

        try:
            self._producer.send(record, done)
        except (RecordRefused, NotGranted) as error:
            self._refused(pending, error)
        except LogError as error:
            # Not now; the sweep sends it again until the deadline.
            pending.error = error

    def _refused(self, pending: Pending, error: RecordRefused | NotGranted) -> None:
        if pending.future.done():
            return
        forbidden = isinstance(error, NotGranted)
        status = RPCStatusCode.PERMISSION_DENIED if forbidden else RPCStatusCode.INVALID_ARGUMENT
        pending.future.set_exception(RPCError(f"The log refused the command: {error}", status))

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
        unheard: defaultdict[str, list[Pending]] = defaultdict(list)
        for pending in self._requests:
            if pending.future.done():
                continue
            match pending.due(now, self._timing):
                case Due.GIVE_UP:
                    pending.deadline = None  # once
                    self.spawn(self._give_up(pending))
                case Due.SEND_AGAIN:
                    self._send(pending, pending.renewed())
                case Due.LOOK:
                    pending.looked_at = now
                    unheard[pending.queue].append(pending)
                case None:
                    pass
        for queue, requests in unheard.items():
            self.spawn(self._settle_if_unheard(queue, requests))
        if len(self._requests):
            self._sweep_later()

    async def _settle_if_unheard(self, queue: str, requests: Sequence[Pending]) -> None:
        try:
            live = await self._queues.live_members(queue)
        except RPCError:
            return  # the deadline's message will say so
        for pending in requests:
            if not live and not pending.future.done():
                pending.future.set_result(ONLY_DURABLE)

    async def _give_up(self, pending: Pending) -> None:
        live: frozenset[str] | RPCError
        try:
            live = await self._queues.live_members(pending.queue)
        except RPCError as error:
            live = error
        if pending.future.done():
            return
        if live == frozenset() and pending.durable and pending.settles_when_durable:
            pending.future.set_result(ONLY_DURABLE)
            return
        route = pending.route
        inbox = TopicPartition(route.topic, route.partition_of(pending.command.workflow_id))
        known = await self._looking(
            inbox, lambda: silence.look(self._log, self._namespace, pending.queue, inbox)
        )
        if pending.future.done():
            return
        pending.future.set_exception(RPCTimeoutOrCancelledError(silence.told(pending, live, known)))


def _given_up() -> RPCError:
    return RPCError("The client was closed", RPCStatusCode.CANCELLED)

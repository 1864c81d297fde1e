"""The client's way over a log: commands into inboxes, answers out of one partition of the replies topic.

Everything here runs on the event loop of the first call. Requests and their answers are `conversation`'s, what is known of
queues is `queues`'; what an answer means to the user is `client`'s and `handle`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from streamflow import topology
from streamflow.client.errors import NamespaceNotFoundError
from streamflow.client.log import declaring, locate
from streamflow.client.log.activity_hosting import ActivityHosting
from streamflow.client.log.conversation import Conversation
from streamflow.client.log.executions import Executions
from streamflow.client.log.keeping import Keeping
from streamflow.client.log.patience import blocking
from streamflow.client.log.queues import Queues
from streamflow.client.log.requests import (
    Pending,
    Timing,
)
from streamflow.client.log.schedule_hosting import ScheduleHosting
from streamflow.client.transport import (
    DEADLINE_S,
    EventsPage,
    ExecutionsCount,
    ExecutionsPage,
)
from streamflow.model import standalone
from streamflow.model.answers import Answer, HistoryPage
from streamflow.model.commands import (
    Command,
    FetchHistory,
    StartWorkflow,
    UpdateWithStart,
)
from streamflow.model.ids import RunId, WorkflowId
from streamflow.model.queues import QueueEntry
from streamflow.schedules import SCHEDULES_QUEUE
from streamflow.service import RPCError, RPCStatusCode
from streamflow.wire.events import decode_event

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from streamflow.ports import Log


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
        self.makes_namespace = create_topics
        """Whether its namespace is made at first use: that of a connection, where topics are made. Others are registered."""
        self._namespace = namespace
        self._while_waiting = while_waiting
        self._timing = timing or Timing()
        self._queues = Queues(log, namespace)
        self._talk = Conversation(log, namespace, self._queues, self._timing, while_waiting)
        self._visibility = visibility
        self._executions = Executions(log, namespace, visibility)
        self._schedules = ScheduleHosting(self)
        self._keeping: Keeping | None = None
        self._activities = ActivityHosting(self)
        self._owns_log = True

    @property
    def namespace(self) -> str:
        return self._namespace

    # -- opening and closing ------------------------------------------------------------------------------------

    async def open(self) -> None:
        await self._talk.open(create_topics=self.makes_namespace)

    async def require_namespace(self) -> None:
        """Before a Worker of the namespace starts.

        Raises:
            NamespaceNotFoundError: topics are made here on first use, but this namespace is not the connection's own, and
                nobody has made it.
        """
        if not self.create_topics or self.makes_namespace:
            return
        topic = topology.settings_topic(self._namespace)
        log = self.log
        if not await blocking(log, lambda: topology.is_there(log, topic)):
            raise NamespaceNotFoundError(self._namespace)

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
        sibling._owns_log = sibling.makes_namespace = False
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
        if self._talk.closed:
            return
        await self._schedules.stop()
        if self._keeping is not None:
            await self._keeping.stop()
        await self._activities.stop()
        await self._talk.close()
        self._queues.close()
        await self._executions.close()
        await self._talk.close_producer()
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
        if not self._talk.open_for_requests:
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
        pending = self._talk.request(
            queue, route, command, deadline_s=deadline_s, message_id=message_id
        )
        if self._keeping is not None:
            self._keep(self._keeping, pending)
        return await self._talk.answer(pending)

    def _keep(self, keeping: Keeping, pending: Pending) -> None:
        command = pending.command
        if keeping.serves(command, pending.queue):
            # Whoever keeps the queue answers, so being in the log is not answer enough.
            pending.settles_when_durable = False
            self._talk.spawn(keeping.look_after(pending))
        if isinstance(command, StartWorkflow | UpdateWithStart):
            keeping.remember(command.workflow_id, pending.queue)

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

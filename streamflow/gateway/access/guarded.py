"""A namespace's transport as one person may use it: what they may not is refused here, and what they change is noted.

A grant for some workflow types alone holds for workflows whose every retained run of that ID has such a type: an ID says nothing of
the type, and a command may reach any run of it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

import msgspec

from streamflow.client.transport import (
    DEADLINE_S,
    EventsPage,
    ExecutionsCount,
    ExecutionsPage,
    Transport,
)
from streamflow.client.wrapped import WrappedTransport
from streamflow.gateway.access.audit import Attempt, Audit, role_word
from streamflow.gateway.access.filters import among_types, quoted
from streamflow.gateway.access.roles import Principal, Role
from streamflow.model.answers import Answer
from streamflow.model.commands import (
    AwaitResult,
    AwaitUpdate,
    CancelWorkflow,
    Command,
    ControlActivity,
    DescribeWorkflow,
    FetchHistory,
    HeartbeatActivity,
    Locate,
    QueryWorkflow,
    ReportActivity,
    SignalWorkflow,
    StartWorkflow,
    TerminateWorkflow,
    UpdateWithStart,
    UpdateWorkflow,
)
from streamflow.model.control import ControlWorkflow, ResetWorkflow, WorkflowControl
from streamflow.model.queues import QueueEntry
from streamflow.schedules import SCHEDULES_QUEUE
from streamflow.service import RPCError, RPCStatusCode

ON_ANY_QUEUE = f"(TaskQueue = {quoted(SCHEDULES_QUEUE)} OR TaskQueue != {quoted(SCHEDULES_QUEUE)})"
"""Lists leave schedules out unless a filter names their queue; an ID may be a schedule's all the same."""


def role_for(command: Command) -> Role:
    """The least that it takes. Raises `RPCError` for a command that only workers and processors send."""
    match command:
        case (
            QueryWorkflow()
            | DescribeWorkflow()
            | AwaitResult()
            | AwaitUpdate()
            | FetchHistory()
            | Locate()
        ):
            return Role.VIEWER
        case ControlWorkflow(control=WorkflowControl.DELETE):
            return Role.ADMIN
        case (
            StartWorkflow()
            | SignalWorkflow()
            | UpdateWorkflow()
            | UpdateWithStart()
            | CancelWorkflow()
            | TerminateWorkflow()
            | ControlWorkflow()
            | ResetWorkflow()
            | ReportActivity()
            | HeartbeatActivity()
            | ControlActivity()
        ):
            return Role.OPERATOR
        case _:
            raise RPCError(
                f"Expected a command of the public API, found {type(command).__name__}",
                RPCStatusCode.PERMISSION_DENIED,
            )


class GuardedTransport(WrappedTransport):
    """Made for one request."""

    def __init__(self, inner: Transport, principal: Principal, audit: Audit) -> None:
        super().__init__(inner)
        self.principal = principal
        self._audit = audit

    async def ask(
        self,
        queue: str,
        command: Command,
        *,
        deadline_s: float | None = DEADLINE_S,
        message_id: str | None = None,
    ) -> Answer:
        role = role_for(command)
        if role is Role.VIEWER:
            await self._require(role, command.workflow_id, queue)
            return await self.inner.ask(
                queue, command, deadline_s=deadline_s, message_id=message_id
            )
        attempt = Attempt.of(self.principal, self.namespace, command, message_id)
        async with self._audit.noting(attempt, self.inner):
            held = await self._require(role, command.workflow_id, queue, _started_type(command))
            attempt.role = role_word(held)
            answer = await self.inner.ask(
                queue, self._signed(command), deadline_s=deadline_s, message_id=message_id
            )
            attempt.answered(answer)
        return answer

    def _signed(self, command: Command) -> Command:
        """Histories name who asked, whatever the caller calls itself."""
        if not self.principal.name:
            return command
        match command:
            case UpdateWithStart(start=start, update=update):
                signed = msgspec.structs.replace(
                    command, start=self._named(start), update=self._named(update)
                )
                return signed
            case _ if hasattr(command, "identity"):
                return self._named(command)
            case _:
                return command

    def _named(self, command: Command) -> Command:
        return msgspec.structs.replace(command, identity=self.principal.name)

    async def require(self, role: Role, workflow_id: str) -> None:
        """Raises `RPCError` as a command that takes this role, for this workflow, would."""
        await self._require(role, workflow_id)

    async def _require(
        self, role: Role, workflow_id: str, queue: str = "", started: str | None = None
    ) -> Role | None:
        """The role by which it is let through.

        Raises:
            RPCError: PERMISSION_DENIED, or NOT_FOUND for a workflow that was never seen and is not being started.
        """
        namespace = self.namespace
        if self.principal.may(role, namespace):
            return self.principal.role(namespace)
        if self.principal.types(namespace) == frozenset() or queue == SCHEDULES_QUEUE:
            # What schedules start is of every type.
            self.principal.require(role, namespace)
        query = f"WorkflowId = {quoted(workflow_id)} AND {ON_ANY_QUEUE} GROUP BY WorkflowType"
        counted = await self.inner.count_executions(query)
        types = {str(group.values[0]) for group in counted.groups}
        if started is not None:
            types.add(started)
        if not types:
            raise RPCError(
                f"Expected a workflow {workflow_id!r} of a type that is granted, found none",
                RPCStatusCode.NOT_FOUND,
            )
        for one in sorted(types):
            self.principal.require(role, namespace, one)
        return min(found for one in types if (found := self.principal.role(namespace, one)))

    def _require_some(self) -> None:
        if not self.principal.sees(self.namespace):
            self.principal.require(Role.VIEWER, self.namespace)

    # -- reading ------------------------------------------------------------------------------------------------

    async def events(
        self,
        queue: str,
        workflow_id: str,
        run_id: str | None,
        after_seq: int,
        *,
        deadline_s: float | None = DEADLINE_S,
    ) -> EventsPage | Answer:
        await self._require(Role.VIEWER, workflow_id, queue)
        return await self.inner.events(queue, workflow_id, run_id, after_seq, deadline_s=deadline_s)

    async def executions(
        self,
        query: str,
        *,
        page_size: int,
        page_token: str = "",
        deadline_s: float | None = DEADLINE_S,
    ) -> ExecutionsPage:
        return await self.inner.executions(
            self._among(query), page_size=page_size, page_token=page_token, deadline_s=deadline_s
        )

    async def count_executions(
        self, query: str, *, deadline_s: float | None = DEADLINE_S
    ) -> ExecutionsCount:
        return await self.inner.count_executions(self._among(query), deadline_s=deadline_s)

    def _among(self, query: str) -> str:
        """The filter, of runs that may be seen."""
        self._require_some()
        types = self.principal.types(self.namespace)
        return query if types is None else among_types(query, types)

    async def find_queue(
        self, workflow_id: str, run_id: str | None, *, deadline_s: float | None = DEADLINE_S
    ) -> str:
        await self._require(Role.VIEWER, workflow_id)
        return await self.inner.find_queue(workflow_id, run_id, deadline_s=deadline_s)

    async def queues(self) -> Mapping[str, QueueEntry]:
        self._require_some()
        return await self.inner.queues()

    async def search_attributes(self) -> Mapping[str, str]:
        self._require_some()
        return await self.inner.search_attributes()

    # -- the namespace itself -----------------------------------------------------------------------------------

    async def declare_search_attributes(self, wanted: Mapping[str, str]) -> None:
        async with self.noting("DeclareSearchAttributes", Role.ADMIN, names=sorted(wanted)):
            await self.inner.declare_search_attributes(wanted)

    async def forget_search_attributes(self, names: Sequence[str]) -> None:
        async with self.noting("ForgetSearchAttributes", Role.ADMIN, names=sorted(names)):
            await self.inner.forget_search_attributes(names)

    async def prepare_queue(self, queue: str) -> None:
        self.principal.require(Role.OPERATOR, self.namespace)
        await self.inner.prepare_queue(queue)

    @asynccontextmanager
    async def noting(self, action: str, role: Role, **details: object) -> AsyncGenerator[Attempt]:
        """Around what changes something but is no command: refuses who lacks the role, and notes what became of it."""
        held = role_word(self.principal.role(self.namespace))
        attempt = Attempt(self.principal.name, self.namespace, action, held, details=details)
        async with self._audit.noting(attempt, self.inner):
            self.principal.require(role, self.namespace)
            yield attempt

    def sibling(self, namespace: str) -> Transport:
        return GuardedTransport(self.inner.sibling(namespace), self.principal, self._audit)


def require(transport: Transport, role: Role) -> None:
    """Raises `RPCError` where this transport is somebody's who lacks the role in all of its namespace."""
    if isinstance(transport, GuardedTransport):
        transport.principal.require(role, transport.namespace)


def may(transport: Transport, role: Role) -> bool:
    """Whether `require` would let it through."""
    if isinstance(transport, GuardedTransport):
        return transport.principal.may(role, transport.namespace)
    return True


def noting(
    transport: Transport, action: str, role: Role, **details: object
) -> AbstractAsyncContextManager[Attempt | None]:
    """As `GuardedTransport.noting`; of a transport that is nobody's nothing is refused, and nothing noted."""
    if isinstance(transport, GuardedTransport):
        return transport.noting(action, role, **details)
    return nullcontext()


def _started_type(command: Command) -> str | None:
    match command:
        case StartWorkflow(workflow_type=started):
            return started
        case UpdateWithStart(start=start):
            return start.workflow_type
        case _:
            return None

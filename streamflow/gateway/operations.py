"""What each route does: a body becomes a command, the command is asked, its answer is the body that goes back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Protocol
from urllib.parse import unquote

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from streamflow.client.errors import RPCTimeoutOrCancelledError
from streamflow.client.http import api_v1
from streamflow.client.http.api_v1_updates import UpdateBody
from streamflow.client.transport import DEADLINE_S, EventsPage, Transport
from streamflow.gateway import following, idempotency
from streamflow.gateway.access import Audit, GuardedTransport, Principal
from streamflow.gateway.access.identify import principal_of
from streamflow.gateway.following import Streams
from streamflow.gateway.idempotency import Replies, SeenKeys
from streamflow.gateway.requests import (
    BadRequest,
    header_of,
    number_in,
    number_of,
    queue_of,
    read,
    read_body,
    run_id_of,
    wait_s_of,
    workflow_id_of,
)
from streamflow.model.answers import Answer, Done, Rejection, RunResult, UpdateOutcome
from streamflow.model.commands import AwaitResult, AwaitUpdate, Command, DescribeWorkflow, WaitFor
from streamflow.model.ids import RunId
from streamflow.model.options import Status
from streamflow.service import RPCError, RPCStatusCode

Reply = Answer | msgspec.Struct | Response


class WorkflowBody(Protocol):
    """A body that is a command for the workflow of its path."""

    def command(self, workflow_id: str, /) -> Command: ...


class Operations:
    """The namespaces that this gateway serves, and what may be done in them."""

    def __init__(self, transports: Mapping[str, Transport], audit: Audit | None = None) -> None:
        """With ``audit``, each caller may do what grants say, and what is changed is noted."""
        self._transports = transports
        self._audit = audit
        self._streams = Streams()
        self._keys = SeenKeys()
        self._replies = Replies()

    # -- the gateway itself -------------------------------------------------------------------------------------

    async def health(self, request: Request) -> Reply:
        principal = principal_of(request)
        seen = sorted(name for name in self._transports if principal.sees(name))
        return api_v1.HealthBody(status="ok", version=version("streamflow"), namespaces=tuple(seen))

    async def queues(self, request: Request) -> Reply:
        entries = (await self.transport(request).queues()).values()
        return api_v1.QueuesBody(
            queues=tuple(
                api_v1.QueueBody(
                    name=entry.name,
                    partitions=entry.partitions,
                    kind=entry.kind,
                    topics=entry.topics,
                )
                for entry in sorted(entries, key=lambda entry: entry.name)
            )
        )

    # -- workflows ----------------------------------------------------------------------------------------------

    async def start(self, request: Request) -> Reply:
        body = await read(request, api_v1.StartBody)
        command = body.command()
        if command.wait_for is WaitFor.ACCEPTED:
            return await self._ask(request, body.queue, command)
        try:
            return await self._ask(request, body.queue, command, deadline_s=wait_s_of(request))
        except RPCTimeoutOrCancelledError:
            # Not ended yet. A copy of the start, by the same message ID, only names the run.
            accepted = msgspec.structs.replace(command, wait_for=WaitFor.ACCEPTED)
            answer = await self._ask(request, body.queue, accepted)
            return _still_running(answer)

    async def tell(self, request: Request, body: type[WorkflowBody]) -> Reply:
        """What a body of this kind says to the workflow of the path."""
        said = await read(request, body)
        return await self._ask(request, queue_of(request), said.command(workflow_id_of(request)))

    async def describe(self, request: Request) -> Reply:
        command = DescribeWorkflow(workflow_id=workflow_id_of(request), run_id=run_id_of(request))
        return await self._ask(request, queue_of(request), command)

    async def result(self, request: Request) -> Reply:
        command = AwaitResult(workflow_id=workflow_id_of(request), run_id=run_id_of(request))
        try:
            return await self._ask(
                request, queue_of(request), command, deadline_s=wait_s_of(request)
            )
        except RPCTimeoutOrCancelledError:
            return RunResult(run_id=command.run_id or RunId(""), status=Status.RUNNING)

    async def update(self, request: Request) -> Reply:
        body = await read(request, UpdateBody)
        queue = queue_of(request) if body.start is None else body.start.queue
        workflow_id = workflow_id_of(request)
        if body.start is not None and body.start.workflow_id != workflow_id:
            raise BadRequest(
                f"Expected a start of {workflow_id!r}, which the path names, found {body.start.workflow_id!r}"
            )
        command = body.command(workflow_id)
        return await self._ask(request, queue, command, deadline_s=wait_s_of(request))

    async def update_outcome(self, request: Request) -> Reply:
        update_id = unquote(request.path_params["update_id"])
        run_id = run_id_of(request)
        command = AwaitUpdate(
            workflow_id=workflow_id_of(request), run_id=run_id, update_id=update_id
        )
        try:
            return await self._ask(
                request, queue_of(request), command, deadline_s=wait_s_of(request)
            )
        except RPCTimeoutOrCancelledError:
            return UpdateOutcome(run_id=run_id or RunId(""), update_id=update_id, completed=False)

    async def history(self, request: Request) -> Reply:
        transport, workflow_id = self.transport(request), workflow_id_of(request)
        page = await transport.events(
            queue_of(request),
            workflow_id,
            run_id_of(request),
            number_in(request, "after_seq", default=0, most=2**53),
        )
        return api_v1.HistoryBody.of(page) if isinstance(page, EventsPage) else page

    async def events(self, request: Request) -> Reply:
        most = 2**53
        after = number_in(request, "after_seq", default=0, most=most)
        if (last := request.headers.get("last-event-id")) is not None:
            after = number_of("Last-Event-ID", last, most=most)
        found = await self._streams.follow(
            self.transport(request),
            queue_of(request),
            workflow_id_of(request),
            run_id_of(request),
            after,
            follow=request.query_params.get("follow", "true") != "false",
        )
        if isinstance(found, Rejection):
            return found
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(found, media_type=following.MEDIA_TYPE, headers=headers)

    async def queue(self, request: Request) -> Reply:
        found = await self.transport(request).find_queue(
            workflow_id_of(request), run_id_of(request)
        )
        return api_v1.LocatedBody(queue=found)

    # -- lists --------------------------------------------------------------------------------------------------

    async def list(self, request: Request) -> Reply:
        page = await self.transport(request).executions(
            request.query_params.get("query", ""),
            page_size=number_in(request, "page_size", default=100, most=1_000),
            page_token=request.query_params.get("page_token", ""),
        )
        return api_v1.ExecutionsBody(
            executions=page.executions, next_page_token=page.next_page_token
        )

    async def count(self, request: Request) -> Reply:
        found = await self.transport(request).count_executions(
            request.query_params.get("query", "")
        )
        return api_v1.CountBody(
            count=found.count,
            groups=tuple(
                api_v1.CountGroupBody(count=group.count, values=group.values)
                for group in found.groups
            ),
        )

    async def search_attributes(self, request: Request) -> Reply:
        return await self._declared(request)

    async def declare_search_attributes(self, request: Request) -> Reply:
        body = await read(request, api_v1.SearchAttributesBody)
        await self.transport(request).declare_search_attributes(body.search_attributes)
        return await self._declared(request)

    async def forget_search_attributes(self, request: Request) -> Reply:
        body = await read(request, api_v1.ForgetSearchAttributesBody)
        await self.transport(request).forget_search_attributes(body.names)
        return await self._declared(request)

    async def _declared(self, request: Request) -> Reply:
        found = await self.transport(request).search_attributes()
        return api_v1.SearchAttributesBody(search_attributes=found)

    # -- asking -------------------------------------------------------------------------------------------------

    async def _ask(
        self, request: Request, queue: str, command: Command, *, deadline_s: float = DEADLINE_S
    ) -> Reply:
        return await self.transport(request).ask(
            queue, command, deadline_s=deadline_s, message_id=await self.message_id(request)
        )

    async def once(self, request: Request, work: Callable[[], Awaitable[Reply]]) -> Reply:
        """Does what is no command, so that no log knows it by its message: the same request again has the first's answer."""
        message_id = await self.message_id(request)
        if message_id is None:
            return await work()
        who = principal_of(request).name
        return await self._replies.once(f"{who}\n{request.scope['path']}\n{message_id}", work)

    async def message_id(self, request: Request) -> str | None:
        """What the caller calls its message, so that it can be sent again."""
        named = header_of(request, api_v1.MESSAGE_ID_HEADER, api_v1.MESSAGE_ID_CHARS_MAX)
        key = header_of(request, idempotency.HEADER, idempotency.KEY_CHARS_MAX)
        if key is None or request.method != "POST":
            return named
        if named is not None:
            raise BadRequest(
                f"Expected {api_v1.MESSAGE_ID_HEADER} or {idempotency.HEADER}, found both"
            )
        # The path too: it names the operation, and keys of two workflows are two.
        operation = request.scope["path"]
        found = idempotency.message_id(principal_of(request).name, operation, key)
        self._keys.check(found, key, await read_body(request))
        return found

    def transport(self, request: Request) -> Transport:
        namespace = unquote(request.path_params["namespace"])
        return self._as_seen_by(principal_of(request), namespace)

    def seen(self, request: Request) -> Sequence[Transport]:
        """Those of the namespaces of which the caller may see anything, by name."""
        principal = principal_of(request)
        names = sorted(name for name in self._transports if principal.sees(name))
        return [self._as_seen_by(principal, name) for name in names]

    def _as_seen_by(self, principal: Principal, namespace: str) -> Transport:
        transport = self._transports.get(namespace)
        if transport is None:
            seen = sorted(name for name in self._transports if principal.sees(name))
            raise RPCError(
                f"Expected one of the namespaces {', '.join(seen)}, found {namespace!r}",
                RPCStatusCode.NOT_FOUND,
            )
        if self._audit is None:
            return transport
        return GuardedTransport(transport, principal, self._audit)


def _still_running(answer: Reply) -> Reply:
    match answer:
        case Done(run_id=run_id):
            return RunResult(run_id=run_id, status=Status.RUNNING)
        case Rejection():
            return answer
        case _:
            raise AssertionError(f"Expected Done or a refusal, found {answer!r}")

"""What each route does: a body becomes a command, the command is asked, its answer is the body that goes back."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Protocol, TypeVar
from urllib.parse import unquote

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from streamflow.client.calls.address import run_id_or_none
from streamflow.client.errors import RPCTimeoutOrCancelledError
from streamflow.client.http import api_v1
from streamflow.client.http.api_v1_updates import UpdateBody
from streamflow.client.transport import DEADLINE_S, EventsPage, Transport
from streamflow.gateway import following, idempotency
from streamflow.gateway.access import Audit, GuardedTransport
from streamflow.gateway.access.identify import principal_of
from streamflow.gateway.following import Streams
from streamflow.gateway.idempotency import SeenKeys
from streamflow.model.answers import Answer, Done, Rejection, RunResult, UpdateOutcome
from streamflow.model.commands import AwaitResult, AwaitUpdate, Command, DescribeWorkflow, WaitFor
from streamflow.model.ids import RunId, WorkflowId
from streamflow.model.options import Status
from streamflow.service import RPCError, RPCStatusCode

T = TypeVar("T")

Reply = Answer | msgspec.Struct | Response


class WorkflowBody(Protocol):
    """A body that is a command for the workflow of its path."""

    def command(self, workflow_id: str, /) -> Command: ...


class BadRequest(Exception):
    """The request cannot be read; the message says what was expected."""


class Operations:
    """The namespaces that this gateway serves, and what may be done in them."""

    def __init__(self, transports: Mapping[str, Transport], audit: Audit | None = None) -> None:
        """With ``audit``, each caller may do what grants say, and what is changed is noted."""
        self._transports = transports
        self._audit = audit
        self._streams = Streams()
        self._keys = SeenKeys()

    # -- the gateway itself -------------------------------------------------------------------------------------

    async def health(self, request: Request) -> Reply:
        principal = principal_of(request)
        seen = sorted(name for name in self._transports if principal.sees(name))
        return api_v1.HealthBody(status="ok", version=version("streamflow"), namespaces=tuple(seen))

    async def queues(self, request: Request) -> Reply:
        entries = (await self._transport(request).queues()).values()
        return api_v1.QueuesBody(
            queues=tuple(
                api_v1.QueueBody(name=entry.name, partitions=entry.partitions, kind=entry.kind)
                for entry in sorted(entries, key=lambda entry: entry.name)
            )
        )

    # -- workflows ----------------------------------------------------------------------------------------------

    async def start(self, request: Request) -> Reply:
        body = await _read(request, api_v1.StartBody)
        command = body.command()
        if command.wait_for is WaitFor.ACCEPTED:
            return await self._ask(request, body.queue, command)
        try:
            return await self._ask(request, body.queue, command, deadline_s=_wait_s(request))
        except RPCTimeoutOrCancelledError:
            # Not ended yet. A copy of the start, by the same message ID, only names the run.
            accepted = msgspec.structs.replace(command, wait_for=WaitFor.ACCEPTED)
            answer = await self._ask(request, body.queue, accepted)
            return _still_running(answer)

    async def tell(self, request: Request, body: type[WorkflowBody]) -> Reply:
        """What a body of this kind says to the workflow of the path."""
        said = await _read(request, body)
        return await self._ask(request, _queue(request), said.command(_workflow_id(request)))

    async def describe(self, request: Request) -> Reply:
        command = DescribeWorkflow(workflow_id=_workflow_id(request), run_id=_run_id(request))
        return await self._ask(request, _queue(request), command)

    async def result(self, request: Request) -> Reply:
        command = AwaitResult(workflow_id=_workflow_id(request), run_id=_run_id(request))
        try:
            return await self._ask(request, _queue(request), command, deadline_s=_wait_s(request))
        except RPCTimeoutOrCancelledError:
            return RunResult(run_id=command.run_id or RunId(""), status=Status.RUNNING)

    async def update(self, request: Request) -> Reply:
        body = await _read(request, UpdateBody)
        queue = _queue(request) if body.start is None else body.start.queue
        workflow_id = _workflow_id(request)
        if body.start is not None and body.start.workflow_id != workflow_id:
            raise BadRequest(
                f"Expected a start of {workflow_id!r}, which the path names, found {body.start.workflow_id!r}"
            )
        command = body.command(workflow_id)
        return await self._ask(request, queue, command, deadline_s=_wait_s(request))

    async def update_outcome(self, request: Request) -> Reply:
        update_id = unquote(request.path_params["update_id"])
        run_id = _run_id(request)
        command = AwaitUpdate(workflow_id=_workflow_id(request), run_id=run_id, update_id=update_id)
        try:
            return await self._ask(request, _queue(request), command, deadline_s=_wait_s(request))
        except RPCTimeoutOrCancelledError:
            return UpdateOutcome(run_id=run_id or RunId(""), update_id=update_id, completed=False)

    async def history(self, request: Request) -> Reply:
        transport, workflow_id = self._transport(request), _workflow_id(request)
        page = await transport.events(
            _queue(request),
            workflow_id,
            _run_id(request),
            _number(request, "after_seq", default=0, most=2**53),
        )
        return api_v1.HistoryBody.of(page) if isinstance(page, EventsPage) else page

    async def events(self, request: Request) -> Reply:
        most = 2**53
        after = _number(request, "after_seq", default=0, most=most)
        if (last := request.headers.get("last-event-id")) is not None:
            after = number_of("Last-Event-ID", last, most=most)
        found = await self._streams.follow(
            self._transport(request),
            _queue(request),
            _workflow_id(request),
            _run_id(request),
            after,
            follow=request.query_params.get("follow", "true") != "false",
        )
        if isinstance(found, Rejection):
            return found
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(found, media_type=following.MEDIA_TYPE, headers=headers)

    async def queue(self, request: Request) -> Reply:
        found = await self._transport(request).find_queue(_workflow_id(request), _run_id(request))
        return api_v1.LocatedBody(queue=found)

    # -- lists --------------------------------------------------------------------------------------------------

    async def list(self, request: Request) -> Reply:
        page = await self._transport(request).executions(
            request.query_params.get("query", ""),
            page_size=_number(request, "page_size", default=100, most=1_000),
            page_token=request.query_params.get("page_token", ""),
        )
        return api_v1.ExecutionsBody(
            executions=page.executions, next_page_token=page.next_page_token
        )

    async def count(self, request: Request) -> Reply:
        found = await self._transport(request).count_executions(
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
        body = await _read(request, api_v1.SearchAttributesBody)
        await self._transport(request).declare_search_attributes(body.search_attributes)
        return await self._declared(request)

    async def forget_search_attributes(self, request: Request) -> Reply:
        body = await _read(request, api_v1.ForgetSearchAttributesBody)
        await self._transport(request).forget_search_attributes(body.names)
        return await self._declared(request)

    async def _declared(self, request: Request) -> Reply:
        found = await self._transport(request).search_attributes()
        return api_v1.SearchAttributesBody(search_attributes=found)

    # -- asking -------------------------------------------------------------------------------------------------

    async def _ask(
        self, request: Request, queue: str, command: Command, *, deadline_s: float = DEADLINE_S
    ) -> Reply:
        return await self._transport(request).ask(
            queue, command, deadline_s=deadline_s, message_id=await self._message_id(request)
        )

    async def _message_id(self, request: Request) -> str | None:
        """What the caller calls its message, so that it can be sent again."""
        named = _header(request, api_v1.MESSAGE_ID_HEADER, api_v1.MESSAGE_ID_CHARS_MAX)
        key = _header(request, idempotency.HEADER, idempotency.KEY_CHARS_MAX)
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

    def _transport(self, request: Request) -> Transport:
        namespace = unquote(request.path_params["namespace"])
        transport, principal = self._transports.get(namespace), principal_of(request)
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


async def read_body(request: Request) -> bytes:
    """The body, read once; refused before it is read whole when it is too large."""
    known: bytes | None = getattr(request.state, "body", None)
    if known is not None:
        return known
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > api_v1.BODY_BYTES_MAX:
            raise BadRequest(
                f"Expected a body of at most {api_v1.BODY_BYTES_MAX} bytes, found more"
            )
    body = bytes(content)
    request.state.body = body
    return body


async def _read(request: Request, cls: type[T]) -> T:
    content = await read_body(request)
    try:
        return msgspec.json.decode(content or b"{}", type=cls)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(f"Expected a JSON body of {cls.__name__}, found: {error}") from error


def _workflow_id(request: Request) -> WorkflowId:
    return WorkflowId(unquote(request.path_params["workflow_id"]))


def _queue(request: Request) -> str:
    return request.query_params.get("queue", "")


def _run_id(request: Request) -> RunId | None:
    return run_id_or_none(request.query_params.get("run_id"))


def _header(request: Request, name: str, chars_max: int) -> str | None:
    text = request.headers.get(name)
    if text is not None and not 1 <= len(text) <= chars_max:
        raise BadRequest(f"Expected {name} of 1 to {chars_max} characters, found {len(text)}")
    return text


def _wait_s(request: Request) -> float:
    most = int(api_v1.POLL_S * 1000)
    return _number(request, "wait_ms", default=most, most=most) / 1000


def _number(request: Request, name: str, *, default: int, most: int) -> int:
    text = request.query_params.get(name)
    return default if text is None else number_of(name, text, most=most)


def number_of(name: str, text: str, *, most: int) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > most:
        raise BadRequest(f"Expected {name} from 0 to {most}, found {text!r}")
    return int(text)

"""The client's way over a gateway: every command is a request to its public API.

A request that got no answer is made again under the same message ID, which the gateway passes on, so that a copy does
no harm. Waiting for a result is a long poll that is made again until the run has ended.
"""

from __future__ import annotations

import asyncio
import copy
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import msgspec

from streamflow.client.errors import RPCTimeoutOrCancelledError
from streamflow.client.http import api_v1, api_v1_activities
from streamflow.client.http import updates as http_updates
from streamflow.client.http.words import body_of, given, header_value, of_run, quoted, read_answer
from streamflow.client.transport import (
    DEADLINE_S,
    EventsPage,
    ExecutionsCount,
    ExecutionsPage,
)
from streamflow.model.answers import (
    Answer,
    Description,
    Done,
    HeartbeatAck,
    QueryAnswer,
    Rejection,
    RunResult,
)
from streamflow.model.commands import (
    AwaitResult,
    AwaitUpdate,
    CancelWorkflow,
    Command,
    ControlActivity,
    DescribeWorkflow,
    HeartbeatActivity,
    QueryWorkflow,
    ReportActivity,
    SignalWorkflow,
    StartWorkflow,
    TerminateWorkflow,
    UpdateWithStart,
    UpdateWorkflow,
    WaitFor,
)
from streamflow.model.control import ControlWorkflow, ResetWorkflow
from streamflow.model.options import Status
from streamflow.model.queues import QueueEntry
from streamflow.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from ssl import SSLContext

RETRY_FIRST_S = 0.1
RETRY_MAX_S = 2.0
REFUSED_S = 1.0
"""An address at which nobody listens is tried for so long: a gateway that restarts is back by then."""
CONNECTIONS_MAX = 1_000
"""Each result that is waited for holds a connection."""

BodyT = TypeVar("BodyT")


class HttpTransport:
    """Carries commands over HTTP. Used from one event loop."""

    def __init__(
        self,
        base_url: str,
        namespace: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        proxy: str | None = None,
        verify: SSLContext | bool = True,
    ) -> None:
        """``transport`` stands in for the network, for instance an application in this process."""
        self.base_url = base_url.rstrip("/")
        self._namespace = namespace
        self._owns_http = True
        self._metadata: dict[str, str] = {}
        self._http = httpx.AsyncClient(
            base_url=self.base_url,
            transport=transport,
            proxy=proxy,
            verify=verify,
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=20),
            trust_env=False,
        )

    @property
    def namespace(self) -> str:
        return self._namespace

    async def open(self) -> None:
        """Asks whether a gateway is there that serves the namespace."""
        health = await self.get("/health", {}, api_v1.HealthBody, DEADLINE_S)
        if isinstance(health, Rejection) or self._namespace not in health.namespaces:
            served = "" if isinstance(health, Rejection) else ", ".join(health.namespaces)
            raise RPCError(
                f"Expected {self.base_url} to serve namespace {self._namespace!r}, found {served or 'none'}",
                RPCStatusCode.NOT_FOUND,
            )

    async def close(self) -> None:
        if self._owns_http:
            await self._http.aclose()

    def sibling(self, namespace: str) -> HttpTransport:
        """The same gateway for another namespace, over the same connections."""
        sibling = copy.copy(self)
        sibling._namespace = namespace
        sibling._owns_http = False
        return sibling

    def set_metadata(self, metadata: Mapping[str, str | bytes], api_key: str | None) -> None:
        """Headers of every later request; binary ones in base64, and the key as a bearer token unless there is one."""
        self._metadata = {name.lower(): header_value(value) for name, value in metadata.items()}
        if api_key is not None:
            self._metadata.setdefault("authorization", f"Bearer {api_key}")

    # -- asking -------------------------------------------------------------------------------------------------

    async def ask(
        self,
        queue: str,
        command: Command,
        *,
        deadline_s: float | None = DEADLINE_S,
        message_id: str | None = None,
    ) -> Answer:
        named = message_id or secrets.token_hex(16)
        at = self._workflow(command.workflow_id)
        params = {"queue": queue} if queue else {}
        match command:
            case StartWorkflow(wait_for=WaitFor.RESULT):
                return await self._start_for_result(queue, command, deadline_s, named)
            case StartWorkflow():
                body: Any = api_v1.StartBody.of(queue, command)
                return await self.post(self._workflows(), {}, body, Done, deadline_s, named)
            case AwaitResult():
                return await self._await_result(queue, command, deadline_s)
            case SignalWorkflow():
                body = body_of(command, api_v1.SignalBody)
                return await self.post(f"{at}/signal", params, body, Done, deadline_s, named)
            case QueryWorkflow():
                body = body_of(command, api_v1.QueryBody)
                return await self.post(f"{at}/query", params, body, QueryAnswer, deadline_s, named)
            case CancelWorkflow():
                body = body_of(command, api_v1.CancelBody)
                return await self.post(f"{at}/cancel", params, body, Done, deadline_s, named)
            case TerminateWorkflow():
                body = body_of(command, api_v1.TerminateBody)
                return await self.post(f"{at}/terminate", params, body, Done, deadline_s, named)
            case ReportActivity():
                body, path = (
                    body_of(command, api_v1_activities.ReportBody),
                    f"{at}/activities/report",
                )
                return await self.post(path, params, body, Done, deadline_s, named)
            case HeartbeatActivity():
                body, path = (
                    body_of(command, api_v1_activities.HeartbeatBody),
                    f"{at}/activities/heartbeat",
                )
                return await self.post(path, params, body, HeartbeatAck, deadline_s, named)
            case ControlActivity():
                body, path = (
                    body_of(command, api_v1_activities.ControlBody),
                    f"{at}/activities/control",
                )
                return await self.post(path, params, body, Done, deadline_s, named)
            case ControlWorkflow():
                body = body_of(command, api_v1.ControlWorkflowBody)
                return await self.post(f"{at}/control", params, body, Done, deadline_s, named)
            case ResetWorkflow():
                body = body_of(command, api_v1.ResetBody)
                return await self.post(f"{at}/reset", params, body, Done, deadline_s, named)
            case UpdateWorkflow() | UpdateWithStart() | AwaitUpdate():
                return await http_updates.ask(
                    command,
                    at=at,
                    queue=queue,
                    deadline_s=deadline_s,
                    message_id=named,
                    get=self.get,
                    post=self.post,
                )
            case DescribeWorkflow():
                return await self.get(at, params | of_run(command.run_id), Description, deadline_s)
            case _:
                raise RPCError(
                    f"Expected a command of the public API, found {type(command).__name__}",
                    RPCStatusCode.UNIMPLEMENTED,
                )

    async def _start_for_result(
        self, queue: str, command: StartWorkflow, deadline_s: float | None, message_id: str
    ) -> Answer:
        """One request if the run ends within a poll; else the start is answered and the result polled for."""
        until = None if deadline_s is None else time.monotonic() + deadline_s
        body = api_v1.StartBody.of(queue, command)
        answer = await self.post(self._workflows(), {}, body, RunResult, deadline_s, message_id)
        if isinstance(answer, RunResult) and answer.status is Status.RUNNING:
            wait = AwaitResult(workflow_id=command.workflow_id, run_id=answer.run_id or None)
            return await self._await_result(queue, wait, _left(until))
        return answer

    async def _await_result(
        self, queue: str, command: AwaitResult, deadline_s: float | None
    ) -> Answer:
        until = None if deadline_s is None else time.monotonic() + deadline_s
        path = f"{self._workflow(command.workflow_id)}/result"
        left = deadline_s
        while True:
            poll_s = api_v1.POLL_S if left is None else min(api_v1.POLL_S, left)
            params = of_run(command.run_id) | {"wait_ms": str(max(0, int(poll_s * 1000)))}
            if queue:
                params["queue"] = queue
            answer = await self.get(path, params, RunResult, left)
            if isinstance(answer, Rejection) or answer.status is not Status.RUNNING:
                return answer
            left = _left(until)
            if left is not None and left <= 0:
                raise RPCTimeoutOrCancelledError(
                    f"Expected workflow {command.workflow_id!r} to end in time, found it running"
                )

    async def events(
        self,
        queue: str,
        workflow_id: str,
        run_id: str | None,
        after_seq: int,
        *,
        deadline_s: float | None = DEADLINE_S,
    ) -> EventsPage | Answer:
        params = of_run(run_id) | {"after_seq": str(after_seq)}
        if queue:
            params["queue"] = queue
        path = f"{self._workflow(workflow_id)}/history"
        body = await self.get(path, params, api_v1.HistoryBody, deadline_s)
        return body if isinstance(body, Rejection) else body.page()

    async def find_queue(
        self, workflow_id: str, run_id: str | None, *, deadline_s: float | None = DEADLINE_S
    ) -> str:
        path = f"{self._workflow(workflow_id)}/queue"
        found = await self.get(path, of_run(run_id), api_v1.LocatedBody, deadline_s)
        if isinstance(found, Rejection):
            raise RPCError(found.message, RPCStatusCode.NOT_FOUND)
        return found.queue

    async def executions(
        self,
        query: str,
        *,
        page_size: int,
        page_token: str = "",
        deadline_s: float | None = DEADLINE_S,
    ) -> ExecutionsPage:
        params = {"query": query, "page_size": str(page_size), "page_token": page_token}
        page = await self.get(self._workflows(), params, ExecutionsPage, deadline_s)
        return given(page)

    async def count_executions(
        self, query: str, *, deadline_s: float | None = DEADLINE_S
    ) -> ExecutionsCount:
        path = f"/namespaces/{quoted(self._namespace)}/workflow-count"
        return given(await self.get(path, {"query": query}, ExecutionsCount, deadline_s))

    async def search_attributes(self) -> Mapping[str, str]:
        found = await self.get(self._attributes(), {}, api_v1.SearchAttributesBody, DEADLINE_S)
        return given(found).search_attributes

    async def declare_search_attributes(self, wanted: Mapping[str, str]) -> None:
        body = api_v1.SearchAttributesBody(search_attributes=wanted)
        await self.post(self._attributes(), {}, body, api_v1.SearchAttributesBody, DEADLINE_S, "")

    async def forget_search_attributes(self, names: Sequence[str]) -> None:
        body = api_v1.ForgetSearchAttributesBody(names=tuple(names))
        path = f"{self._attributes()}/forget"
        await self.post(path, {}, body, api_v1.SearchAttributesBody, DEADLINE_S, "")

    def _attributes(self) -> str:
        return f"/namespaces/{quoted(self._namespace)}/search-attributes"

    async def prepare_queue(self, queue: str) -> None:
        """Nothing: a gateway's log makes queues when workflows are started on them."""

    async def resume_schedules(self) -> None:
        """Nothing: schedules run where the log is."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    async def queues(self) -> Mapping[str, QueueEntry]:
        path = f"/namespaces/{quoted(self._namespace)}/queues"
        found = await self.get(path, {}, api_v1.QueuesBody, DEADLINE_S)
        assert not isinstance(found, Rejection), found
        return {
            queue.name: QueueEntry(
                name=queue.name,
                partitions=queue.partitions,
                kind="workflow" if queue.kind == "workflow" else "activity",
                topics=queue.topics,
            )
            for queue in found.queues
        }

    # -- requests -----------------------------------------------------------------------------------------------

    def _workflows(self) -> str:
        return f"/namespaces/{quoted(self._namespace)}/workflows"

    def _workflow(self, workflow_id: str) -> str:
        return f"{self._workflows()}/{quoted(workflow_id)}"

    async def get(
        self, path: str, params: Mapping[str, str], cls: type[BodyT], deadline_s: float | None
    ) -> BodyT | Rejection:
        return await self._request("GET", path, params, None, cls, deadline_s)

    async def post(
        self,
        path: str,
        params: Mapping[str, str],
        body: object,
        cls: type[BodyT],
        deadline_s: float | None,
        message_id: str,
    ) -> BodyT | Rejection:
        content = msgspec.json.encode(body)
        return await self._request("POST", path, params, content, cls, deadline_s, message_id)

    async def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        content: bytes | None,
        cls: type[BodyT],
        deadline_s: float | None,
        message_id: str = "",
    ) -> BodyT | Rejection:
        """One request, made again under the same message ID while there is time."""
        until = None if deadline_s is None else time.monotonic() + max(deadline_s, 0.001)
        headers = dict(self._metadata)
        if message_id:
            headers[api_v1.MESSAGE_ID_HEADER] = message_id
        if content is not None:
            headers["content-type"] = "application/json"
        wait_s, began = RETRY_FIRST_S, time.monotonic()
        while True:
            left = _left(until)
            try:
                response = await self._http.request(
                    method,
                    api_v1.PREFIX + path,
                    params=dict(params),
                    content=content,
                    headers=headers,
                    timeout=httpx.Timeout(api_v1.POLL_S + DEADLINE_S if left is None else left + 1),
                )
                return read_answer(response, cls)
            except httpx.TransportError as error:
                give_up = until
                if isinstance(error, httpx.ConnectError):
                    give_up = min(began + REFUSED_S, until or began + REFUSED_S)
                if give_up is not None and time.monotonic() + wait_s > give_up:
                    raise self._unreachable(error) from error
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, RETRY_MAX_S)

    def _unreachable(self, error: httpx.TransportError) -> RPCError:
        if isinstance(error, httpx.TimeoutException):
            return RPCTimeoutOrCancelledError(
                f"Expected an answer from {self.base_url}, found none in time"
            )
        return RPCError(
            f"Expected a gateway at {self.base_url}, found none ({error}): start one with `streamflow dev`",
            RPCStatusCode.UNAVAILABLE,
        )


def _left(until: float | None) -> float | None:
    return None if until is None else until - time.monotonic()

"""What a cluster asks a gateway: does it live, may it be sent requests, and how is it doing.

GET /livez     200 as long as the process answers at all
GET /readyz    200 while the log answers, lists have been read once, and the gateway is not stopping; else 503 with why
GET /metrics   Prometheus' text format
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamflow.client.transport import Transport
from streamflow.observability import get_logger
from streamflow.runtime import Runtime
from streamflow.service import RPCError

PATHS = ("/livez", "/readyz", "/metrics")
PATIENCE_S = 2.0
"""How long `/readyz` waits for a log's answer; Kubernetes gives a probe a second unless it is told otherwise."""
REMEMBERED_S = 1.0
"""An answer about readiness is given again for so long: probes must not become load."""
RETRY_S = 2.0
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

log = get_logger("gateway")


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """The body of `/readyz`: of each namespace what is missing, empty where nothing is."""

    ready: bool
    missing: Mapping[str, str]


class Probes:
    """Knows how far the gateway has come. `warm` runs beside it from the start."""

    def __init__(self, transports: Mapping[str, Transport], runtime: Runtime | None = None) -> None:
        """Without a runtime there is no `/metrics`."""
        self._transports = transports
        self._runtime = runtime
        self._unread = set(transports)
        self._stopping = False
        self._last: tuple[float, Readiness] | None = None

    def stop(self) -> None:
        """From now on the gateway is not ready, so that new requests go elsewhere while it still answers."""
        self._stopping = True
        self._last = None

    async def warm(self) -> None:
        """Reads the lists of every namespace once: the first person to ask must not wait for all retained runs."""
        await asyncio.gather(*(self._warm(name) for name in sorted(self._transports)))

    async def _warm(self, namespace: str) -> None:
        began_s = time.monotonic()
        while True:
            try:
                found = await self._transports[namespace].count_executions("", deadline_s=None)
            except RPCError as error:
                log.warning("lists_not_read", namespace=namespace, error=error.message)
                await asyncio.sleep(RETRY_S)
                continue
            self._unread.discard(namespace)
            took_ms = round((time.monotonic() - began_s) * 1000)
            log.info("lists_read", namespace=namespace, runs=found.count, elapsed_ms=took_ms)
            return

    async def readiness(self) -> Readiness:
        now_s = time.monotonic()
        if self._last is not None and now_s - self._last[0] < REMEMBERED_S:
            return self._last[1]
        found = await asyncio.gather(*(self._missing(name) for name in self._transports))
        missing = {name: what for name, what in zip(self._transports, found, strict=True) if what}
        answer = Readiness(ready=not missing, missing=missing)
        self._last = (now_s, answer)
        return answer

    async def _missing(self, namespace: str) -> str:
        if self._stopping:
            return "the gateway stops"
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._transports[namespace].queues()
        except TimeoutError:
            return f"no answer from the log in {PATIENCE_S} s"
        except RPCError as error:
            return error.message
        return "lists are being read" if namespace in self._unread else ""

    # -- as routes ------------------------------------------------------------------------------------------------

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/livez", self._livez, methods=["GET"]),
            Route("/readyz", self._readyz, methods=["GET"]),
            Route("/metrics", self._metrics, methods=["GET"]),
        ]

    async def _livez(self, _request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def _readyz(self, _request: Request) -> Response:
        found = await self.readiness()
        return Response(
            msgspec.json.encode(found),
            status_code=200 if found.ready else 503,
            media_type="application/json",
        )

    async def _metrics(self, _request: Request) -> Response:
        if self._runtime is None or not self._runtime.has_metrics:
            return PlainTextResponse("Expected a gateway with metrics, found none\n", 404)
        return Response(self._runtime.prometheus_text(), media_type=METRICS_TYPE)


class Counted:
    """Counts and times requests by route, never by path: paths name workflows, and there is no end of them."""

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute], runtime: Runtime) -> None:
        self._app = app
        self._routes = routes
        meter, prefix = runtime.metric_meter, runtime.metric_prefix
        self._requests = meter.create_counter(f"{prefix}gateway_requests", "Requests answered")
        self._latency = meter.create_histogram_timedelta(
            f"{prefix}gateway_request_latency", "From a request to the end of its answer"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s, status = time.monotonic(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = self._route(scope)
            # 499: the caller went before there was an answer.
            self._requests.add(1, {"route": route, "status": str(status or 499)})
            took = timedelta(seconds=time.monotonic() - began_s)
            self._latency.record(took, {"route": route})

    def _route(self, scope: Scope) -> str:
        for route in self._routes:
            match, _ = route.matches(scope)
            if match is Match.FULL:
                path: str = getattr(route, "path", "")
                return f"{scope['method']} {path}"
        return "none"

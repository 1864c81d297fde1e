"""The ASGI application: routes, errors as problems, and guards against pages of other sites.

A browser lets any page send requests to a loopback address. So a request that names an origin is refused unless the
origin is the gateway's own or allowed; and so is a host name that is not expected, which is how a page would get round
that by pointing its own name at this machine.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import urlsplit

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from streamflow.client.errors import STATUS_OF_REASON
from streamflow.client.history.file import HistoryFileError
from streamflow.client.http import api_v1
from streamflow.client.transport import Transport
from streamflow.gateway.openapi import openapi_document
from streamflow.gateway.operations import BadRequest, Operations
from streamflow.gateway.routes import ROUTES, Route
from streamflow.model.answers import Rejection
from streamflow.observability import get_logger
from streamflow.service import RPCError, RPCStatusCode

log = get_logger("gateway")

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


def application(
    transports: Mapping[str, Transport],
    *,
    hosts: Sequence[str] = (),
    origins: Sequence[str] = (),
    extra_routes: Sequence[BaseRoute] = (),
) -> ASGIApp:
    """The API over these namespaces.

    Args:
        hosts: Host names by which it may be addressed, beside the loopback ones.
        origins: Origins (``https://shop.example``) whose pages may call it, beside its own.
        extra_routes: What else this server offers, such as pages.
    """
    operations = Operations(transports)
    document = msgspec.json.encode(openapi_document(ROUTES))

    async def describe_api(_request: Request) -> Response:
        return Response(document, media_type="application/json")

    routes: list[BaseRoute] = [_starlette_route(route, operations) for route in ROUTES]
    routes.append(StarletteRoute(f"{api_v1.PREFIX}/openapi.json", describe_api, methods=["GET"]))
    app = Starlette(
        routes=[*routes, *extra_routes], exception_handlers={HTTPException: _no_such_route}
    )
    return _Guard(app, frozenset(hosts) | LOOPBACK_HOSTS, frozenset(origins))


def _starlette_route(route: Route, operations: Operations) -> StarletteRoute:
    async def endpoint(request: Request) -> Response:
        return await _answer(lambda: route.operation(operations, request))

    return StarletteRoute(
        api_v1.PREFIX + route.path, endpoint, methods=[route.method], name=route.name
    )


async def _answer(operation: Callable[[], Awaitable[object]]) -> Response:
    try:
        answer = await operation()
    except BadRequest as error:
        return problem(RPCStatusCode.INVALID_ARGUMENT, str(error))
    except RPCError as error:
        return problem(error.status, error.message)
    except HistoryFileError as error:
        return problem(RPCStatusCode.INTERNAL, str(error))
    if isinstance(answer, Rejection):
        return _refusal(answer)
    return Response(msgspec.json.encode(answer), media_type="application/json")


def problem(status: RPCStatusCode, detail: str) -> Response:
    """What the gateway or its transport could not do."""
    return _response(
        api_v1.Problem(
            title=status.name.replace("_", " ").capitalize(),
            status=api_v1.HTTP_OF_STATUS.get(status, 500),
            detail=detail,
            code=api_v1.rpc_code(status),
        )
    )


def _refusal(rejection: Rejection) -> Response:
    status = STATUS_OF_REASON[rejection.reason]
    return _response(
        api_v1.Problem(
            title=rejection.reason.value.replace("_", " ").capitalize(),
            status=api_v1.HTTP_OF_STATUS.get(status, 500),
            detail=rejection.message,
            code=rejection.reason.value,
            run_id=rejection.run_id,
            failure=rejection.failure,
        )
    )


def _response(found: api_v1.Problem) -> Response:
    return Response(
        msgspec.json.encode(found), status_code=found.status, media_type=api_v1.PROBLEM_TYPE
    )


async def _no_such_route(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    found = api_v1.Problem(
        title=error.detail,
        status=error.status_code,
        detail=f"Expected a route of {api_v1.PREFIX}/openapi.json: {error.detail}",
        code="rpc_unimplemented",
    )
    return _response(found)


class _Guard:
    """Refuses foreign hosts and origins, and routes on the path as it was sent: a workflow ID may hold a slash."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str], origins: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(headers.get(b"host", ""), headers.get(b"origin"))
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        raw_path = scope.get("raw_path")
        if raw_path:
            scope = dict(scope, path=raw_path.split(b"?", 1)[0].decode("ascii", "replace"))
        await self._app(scope, receive, send)

    def _refusal(self, host: str, origin: str | None) -> Response | None:
        name = _host_name(f"//{host}")
        if name not in self._hosts:
            return problem(
                RPCStatusCode.PERMISSION_DENIED,
                f"Expected to be addressed as {', '.join(sorted(self._hosts))}, found {host!r}: name the host at the start",
            )
        if origin is None or origin in self._origins or urlsplit(origin).netloc == host:
            return None
        return problem(
            RPCStatusCode.PERMISSION_DENIED,
            f"Expected no request from another site's page, found origin {origin!r}",
        )


def _host_name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None

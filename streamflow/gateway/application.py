"""The ASGI application: routes, errors as problems, and what every request passes on its way to them.

guard (hosts, origins, root path) -> counted (metrics) -> identified (who asks) -> router -> operations
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp

from streamflow.client.history.file import HistoryFileError
from streamflow.client.http import api_v1
from streamflow.client.transport import Transport
from streamflow.gateway.access.identify import Access, Identified
from streamflow.gateway.guard import LOOPBACK_HOSTS, Guard
from streamflow.gateway.idempotency import ReusedKey
from streamflow.gateway.openapi import openapi_document
from streamflow.gateway.operations import Operations
from streamflow.gateway.probes import PATHS, Counted, Probes
from streamflow.gateway.problems import problem, refusal, response
from streamflow.gateway.public import PublicAddress
from streamflow.gateway.requests import BadRequest
from streamflow.gateway.routes import ROUTES
from streamflow.gateway.routing import Route
from streamflow.gateway.webhooks import Webhooks
from streamflow.model.answers import Rejection
from streamflow.runtime import Runtime
from streamflow.service import RPCError, RPCStatusCode


def application(
    transports: Mapping[str, Transport],
    *,
    hosts: Sequence[str] = (),
    origins: Sequence[str] = (),
    public: PublicAddress | None = None,
    probes: Probes | None = None,
    runtime: Runtime | None = None,
    access: Access | None = None,
    webhooks: Webhooks | None = None,
    extra_routes: Sequence[BaseRoute] = (),
) -> ASGIApp:
    """The API over these namespaces.

    Args:
        hosts: Host names by which it may be addressed, beside the loopback ones.
        origins: Origins (``https://shop.example``) whose pages may call it, beside its own.
        public: Where browsers find it, if a proxy stands before it.
        probes: What a cluster asks.
        runtime: Where requests are counted.
        access: Who may what. Without it, whoever reaches this may do everything.
        webhooks: What other services may deliver.
        extra_routes: What else this server offers, such as pages.
    """
    operations = Operations(transports, None if access is None else access.audit)
    document = msgspec.json.encode(
        openapi_document(ROUTES, has_login=access is not None, has_webhooks=webhooks is not None)
    )

    async def describe_api(_request: Request) -> Response:
        return Response(document, media_type="application/json")

    routes: list[BaseRoute] = [_starlette_route(route, operations) for route in ROUTES]
    routes.append(StarletteRoute(f"{api_v1.PREFIX}/openapi.json", describe_api, methods=["GET"]))
    if webhooks is not None:
        routes += webhooks.routes(_answer)
    routes += [*extra_routes, *(probes.routes() if probes is not None else ())]
    app: ASGIApp = Starlette(routes=routes, exception_handlers={HTTPException: _no_such_route})
    open_paths = frozenset(PATHS if probes is not None else ())
    if access is not None:
        app = Identified(app, access, open_paths)
    if runtime is not None and runtime.has_metrics:
        app = Counted(app, routes, runtime)
    known = public or PublicAddress("", "", "")
    return Guard(
        app,
        hosts={*hosts, *LOOPBACK_HOSTS, *filter(None, [known.host])},
        origins={*origins, *filter(None, [known.origin])},
        root_path=known.root_path,
        open_paths=open_paths,
    )


def _starlette_route(route: Route, operations: Operations) -> StarletteRoute:
    async def endpoint(request: Request) -> Response:
        return await _answer(lambda: route.operation(operations, request))

    return StarletteRoute(
        api_v1.PREFIX + route.path, endpoint, methods=[route.method], name=route.name
    )


async def _answer(operation: Callable[[], Awaitable[object]]) -> Response:
    try:
        answer = await operation()
    except ReusedKey as error:
        return problem(error.status, error.message, http_status=422)
    except BadRequest as error:
        return problem(RPCStatusCode.INVALID_ARGUMENT, str(error))
    except RPCError as error:
        return problem(error.status, error.message)
    except HistoryFileError as error:
        return problem(RPCStatusCode.INTERNAL, str(error))
    if isinstance(answer, Response):
        return answer
    if isinstance(answer, Rejection):
        return refusal(answer)
    return Response(msgspec.json.encode(answer), media_type="application/json")


async def _no_such_route(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    found = api_v1.Problem(
        title=error.detail,
        status=error.status_code,
        detail=f"Expected a route of {api_v1.PREFIX}/openapi.json: {error.detail}",
        code="rpc_unimplemented",
    )
    return response(found)

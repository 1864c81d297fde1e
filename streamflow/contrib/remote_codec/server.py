"""The codec server: an ASGI application around a codec, with its own idea of who may decode.

POST /encode, /decode                  of the namespace that the header X-Namespace names
POST /{namespace}/encode, /decode      of that namespace
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from streamflow.contrib.remote_codec.words import (
    BODY_BYTES_MAX,
    NAMESPACE_HEADER,
    USER_HEADER,
    PayloadsBody,
)
from streamflow.converter import PayloadCodec
from streamflow.observability import get_logger

log = get_logger("codec")


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks, and for what."""

    namespace: str
    operation: str
    """``encode`` or ``decode``."""
    token: str
    """Of ``Authorization: Bearer``; empty without."""
    user: str
    """Whom a gateway asks for; to be believed only with the gateway's token."""
    headers: Mapping[str, str] = field(repr=False)


Allow = Callable[[Caller], Awaitable[bool]]


def codec_app(
    codecs: Mapping[str, PayloadCodec] | PayloadCodec,
    *,
    allow: Allow,
    origins: Sequence[str] = (),
) -> Starlette:
    """The application.

    Args:
        codecs: One for each namespace, or one for all of them.
        allow: Says of each caller whether they may. There is no default: whoever decodes sees everything.
        origins: Origins whose pages may call it from a browser.
    """

    async def recode(request: Request) -> Response:
        operation = request.path_params["operation"]
        namespace = request.path_params.get("namespace") or request.headers.get(NAMESPACE_HEADER)
        if operation not in ("encode", "decode"):
            return PlainTextResponse("Expected /encode or /decode", 404)
        if not namespace:
            return PlainTextResponse(f"Expected a namespace in {NAMESPACE_HEADER}, found none", 400)
        caller = _caller(request, unquote(namespace), operation)
        if not await allow(caller):
            log.warning(
                "codec_refused", operation=operation, namespace=caller.namespace, user=caller.user
            )
            return PlainTextResponse(f"Expected somebody who may {operation} payloads", 403)
        codec = codecs if isinstance(codecs, PayloadCodec) else codecs.get(caller.namespace)
        if codec is None:
            return PlainTextResponse("Expected a namespace that has a codec here", 404)
        content = bytearray()
        async for chunk in request.stream():
            content += chunk
            if len(content) > BODY_BYTES_MAX:
                return PlainTextResponse(f"Expected at most {BODY_BYTES_MAX} bytes", 413)
        try:
            given = msgspec.json.decode(bytes(content), type=PayloadsBody)
        except (msgspec.DecodeError, RecursionError) as error:
            return PlainTextResponse(f"Expected payloads in JSON, found: {error}", 400)
        try:
            change = codec.encode if operation == "encode" else codec.decode
            changed = await change(given.payloads)
        except (
            Exception
        ) as error:  # the codec is its author's; whoever asks is told as little as that
            log.warning("codec_failed", operation=operation, error=repr(error))
            return PlainTextResponse(
                f"Expected payloads that the codec can {operation}, found {type(error).__name__}",
                400,
            )
        body = msgspec.json.encode(PayloadsBody(payloads=tuple(changed)))
        headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
        return Response(body, media_type="application/json", headers=headers)

    routes = [
        Route("/{operation}", recode, methods=["POST"]),
        Route("/{namespace}/{operation}", recode, methods=["POST"]),
    ]
    middleware: list[Middleware] = []
    if origins:
        middleware.append(
            Middleware(
                CORSMiddleware,
                allow_origins=list(origins),
                allow_methods=["POST"],
                allow_headers=["authorization", "content-type", NAMESPACE_HEADER],
                allow_credentials=True,
            )
        )
    return Starlette(routes=routes, middleware=middleware)


def _caller(request: Request, namespace: str, operation: str) -> Caller:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return Caller(
        namespace=namespace,
        operation=operation,
        token=token.strip() if scheme.lower() == "bearer" else "",
        user=unquote(request.headers.get(USER_HEADER, "")),
        headers=dict(request.headers),
    )

"""Refuses foreign hosts and origins before anything else looks at a request, and finds its path.

A browser lets any page send requests to a loopback address. So a request that names an origin is refused unless the
origin is the gateway's own or allowed; and so is a host name that is not expected, which is how a page would get round
that by pointing its own name at this machine.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from streamflow.gateway.problems import problem
from streamflow.service import RPCStatusCode

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class Guard:
    """Routes on the path as it was sent, because a workflow ID may hold a slash; below a root path with it or without."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Collection[str],
        origins: Collection[str],
        root_path: str = "",
        open_paths: Collection[str] = (),
    ) -> None:
        """``open_paths`` answer under any name: who probes a container addresses it by its IP."""
        self._app = app
        self._hosts = frozenset(hosts)
        self._origins = frozenset(origins)
        self._root = root_path
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = self._path(scope)
        scope = dict(scope, path=path, root_path=self._root)
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if path.removeprefix(self._root) not in self._open_paths:
            refusal = self._refusal(headers.get(b"host", ""), headers.get(b"origin"))
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _path(self, scope: Scope) -> str:
        """With the root path, whether or not a proxy has taken it away."""
        raw: bytes | None = scope.get("raw_path")
        path: str = raw.split(b"?", 1)[0].decode("ascii", "replace") if raw else scope["path"]
        if path.startswith(f"{self._root}/"):
            return path
        return f"{self._root}/" if path == self._root else self._root + path

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

"""Runs the application on a socket, within the caller's event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import uvicorn
from starlette.routing import BaseRoute

from streamflow.client.transport import Transport
from streamflow.gateway.access import Access
from streamflow.gateway.application import application
from streamflow.gateway.probes import Probes
from streamflow.gateway.public import PublicAddress
from streamflow.gateway.webhooks import Webhooks
from streamflow.runtime import Runtime

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8233
STOP_S = 5.0
"""How long open requests are given to end when the gateway stops."""


class Gateway:
    """The API on an address: ``async with Gateway(transports) as gateway: print(gateway.url)``."""

    def __init__(
        self,
        transports: Mapping[str, Transport],
        *,
        host: str = LOOPBACK,
        port: int = 0,
        hosts: Sequence[str] = (),
        origins: Sequence[str] = (),
        public: PublicAddress | None = None,
        probes: Probes | None = None,
        runtime: Runtime | None = None,
        access: Access | None = None,
        webhooks: Webhooks | None = None,
        extra_routes: Sequence[BaseRoute] = (),
    ) -> None:
        """Port 0 takes a free one.

        Without ``access`` there is no login: anything but the loopback address then opens the API to the network.
        """
        self._address = (host, port)
        self._app = application(
            transports,
            hosts=[host, *hosts],
            origins=origins,
            public=public,
            probes=probes,
            runtime=runtime,
            access=access,
            webhooks=webhooks,
            extra_routes=extra_routes,
        )
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        assert self._socket is not None, "Expected a gateway that was started"
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def start(self) -> None:
        """Listens. Raises OSError when the address is taken."""
        self._socket = _listening(*self._address)
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=int(STOP_S),
        )
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))

    async def stop(self) -> None:
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving
        if self._socket is not None:
            self._socket.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()


class _Server(uvicorn.Server):
    """Leaves the process's signals to whoever runs the loop."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    return listening

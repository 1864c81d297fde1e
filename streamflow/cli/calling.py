"""Runs a command's call with a client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from streamflow.cli.address import Connection, connected

if TYPE_CHECKING:
    from streamflow.client import Client


def called(connection: Connection, call: Callable[[Client], Awaitable[int]]) -> int:
    """The exit code of the call, made with a client of this connection."""

    async def connect_and_call() -> int:
        async with connected(connection) as client:
            return await call(client)

    return asyncio.run(connect_and_call())

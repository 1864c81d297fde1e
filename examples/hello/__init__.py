"""One idea a file. Each runs by itself, ``python -m examples.hello.signals``: on the address of ``STREAMFLOW_ADDRESS``,
else on an embedded log in a temporary folder."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable

from streamflow.client import Client

QUEUE = "hello"

Program = Callable[[Client], Awaitable[object]]


def run(program: Program) -> None:
    """Connects, runs the program, and prints what it gives back."""
    asyncio.run(_run(program))


async def _run(program: Program) -> None:
    with tempfile.TemporaryDirectory() as folder:
        address = os.environ.get("STREAMFLOW_ADDRESS", f"embedded:{folder}")
        client = await Client.connect(address, create_topics=True)
        try:
            print(await program(client))
        finally:
            await client.close()

"""A gateway on an embedded log of this process, for commands that are to say the same through it as of the log."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from streamflow.client import Client
from streamflow.client.transport import Transport
from streamflow.gateway import Gateway


@contextmanager
def gateway_on(folder: Path, namespaces: Sequence[str] = ("default",)) -> Iterator[str]:
    """Its address, on a thread of its own: commands run a loop themselves."""
    said: queue.Queue[str | BaseException] = queue.Queue()
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            transports: dict[str, Transport] = {}
            for name in namespaces:
                client = await Client.connect(
                    f"embedded:{folder}", namespace=name, create_topics=False, lazy=True
                )
                transports[name] = (await stack.enter_async_context(client)).transport
            gateway = await stack.enter_async_context(Gateway(transports))
            said.put(gateway.url)
            await ended.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except BaseException as error:
            said.put(error)
        finally:
            loop.close()

    thread = threading.Thread(target=run, name="gateway")
    thread.start()
    try:
        address = said.get(timeout=30)
        if isinstance(address, BaseException):
            raise address
        yield address
    finally:
        if not loop.is_closed():
            loop.call_soon_threadsafe(ended.set)
        thread.join(30)

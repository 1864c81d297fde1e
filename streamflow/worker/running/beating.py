"""An attempt's heartbeats on their way through the payload codec: one at a time, and the latest instead of all.

The codec is asynchronous and `activity.heartbeat` is not, so details are kept until the loop has encoded them. An attempt
that ends waits for its last ones: the next attempt begins where they say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from streamflow.converter import PayloadCodec
from streamflow.model.payload import Payloads
from streamflow.observability import get_logger

_log = get_logger("worker")


class Beats:
    def __init__(
        self,
        codec: PayloadCodec,
        loop: asyncio.AbstractEventLoop,
        tell: Callable[[Payloads], None],
    ) -> None:
        self._codec = codec
        self._loop = loop
        self._tell = tell
        self._latest: Payloads | None = None
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, details: Payloads) -> None:
        """From any thread."""
        self._latest = details
        self._loop.call_soon_threadsafe(self._encode_soon)

    async def settle(self) -> None:
        """Returns when everything that was added is told, or its encoding has failed."""
        async with self._turn:
            details, self._latest = self._latest, None
            if details is None:
                return
            try:
                self._tell(tuple(await self._codec.encode(details)))
            except (
                Exception
            ) as error:  # the user's codec: a heartbeat less must not end the attempt
                _log.warning("heartbeat_not_encoded", error=repr(error))

    def _encode_soon(self) -> None:
        if self._latest is not None:
            task = self._loop.create_task(self.settle())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

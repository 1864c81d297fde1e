"""A run's events as server-sent events: each as it comes, until the run has ended.

    id: 17                      what `Last-Event-ID` says, so that a stream that was cut goes on where it was
    event: activity_completed   the event's type
    data: {...}                 as a page of the history has it

besides them `trouble` (why the run does not move, and an empty object when it moves again), and `end` after the last of a closed run.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

import msgspec

from streamflow.client.http import api_v1
from streamflow.client.transport import EventsPage, Transport
from streamflow.model.answers import Rejection, Trouble
from streamflow.observability import get_logger
from streamflow.service import RPCError, RPCStatusCode

MEDIA_TYPE = "text/event-stream"
LOOK_FIRST_S = 0.2
LOOK_MAX_S = 2.0
"""How often an open run is looked at: often after something came, and less and less while nothing does."""
QUIET_S = 15.0
"""After so long without an event a comment is sent: proxies cut connections that say nothing."""
STREAM_S_MAX = 600.0
"""Then the stream ends, and the reader comes again, with a token that is looked at again."""
STREAMS_MAX = 500
"""At once, of one gateway."""
RETRY_MS = 2_000
"""When a reader comes again, unless it knows better."""

log = get_logger("gateway")


class Streams:
    """Counts what is open."""

    def __init__(self) -> None:
        self._open = 0

    async def follow(
        self,
        transport: Transport,
        queue: str,
        workflow_id: str,
        run_id: str | None,
        after_seq: int,
        *,
        follow: bool,
    ) -> AsyncGenerator[bytes] | Rejection:
        """The stream; or why there is none. Without ``follow`` it ends with what is there.

        Raises:
            RPCError: there are too many streams (RESOURCE_EXHAUSTED), or the first page cannot be had.
        """
        if self._open >= STREAMS_MAX:
            raise RPCError(
                f"Expected at most {STREAMS_MAX} streams at once, found as many: ask again later",
                RPCStatusCode.RESOURCE_EXHAUSTED,
            )
        first = await transport.events(queue, workflow_id, run_id, after_seq)
        if isinstance(first, Rejection):
            return first
        assert isinstance(first, EventsPage), first
        return self._counted(_stream(transport, queue, first, follow))

    async def _counted(self, stream: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        self._open += 1
        try:
            async for part in stream:
                yield part
        finally:
            self._open -= 1
            await stream.aclose()


async def _stream(
    transport: Transport, queue: str, page: EventsPage, follow: bool
) -> AsyncGenerator[bytes]:
    began_s = said_s = time.monotonic()
    trouble: Trouble | None = None
    wait_s = LOOK_FIRST_S
    yield f"retry: {RETRY_MS}\n\n".encode()
    while True:
        for event in api_v1.HistoryBody.of(page).events:
            yield _message(event.type, event, seq=event.seq)
        if page.trouble != trouble:
            trouble = page.trouble
            yield _message("trouble", trouble if trouble is not None else {})
        if page.events:
            said_s, wait_s = time.monotonic(), LOOK_FIRST_S
        if not page.more:
            if page.closed or not follow:
                yield _message("end", {"run_id": page.run_id, "closed": page.closed})
                return
            now_s = time.monotonic()
            if now_s - began_s > STREAM_S_MAX:
                return
            if now_s - said_s > QUIET_S:
                said_s = now_s
                yield b": nothing new\n\n"
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 1.5, LOOK_MAX_S)
        try:
            found = await transport.events(
                queue, page.workflow_id, page.run_id, page.next_after_seq
            )
        except RPCError as error:
            # The reader comes again, and is told then what is wrong, if it still is.
            log.info("stream_cut", workflow_id=page.workflow_id, error=error.message)
            return
        if not isinstance(found, EventsPage):
            return
        page = found


def _message(kind: str, value: object, *, seq: int | None = None) -> bytes:
    """JSON has no line breaks outside of texts, and none unescaped within."""
    named = b"" if seq is None else f"id: {seq}\n".encode()
    return named + f"event: {kind}\ndata: ".encode() + msgspec.json.encode(value) + b"\n\n"

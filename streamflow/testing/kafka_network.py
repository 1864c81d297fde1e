"""The network in front of a test's brokers: a TCP proxy whose connections can be cut, slowed, held back and lost.

    network = Network()
    link = network.link("to-1")            # clients are told this link.address
    link.upstream = "127.0.0.1:9092"
    with network.trouble(Trouble(Kind.HOLD, client="worker")):
        ...                                # what any client "worker..." sends or is sent waits here

Whose connection it is, is read from its first Kafka request, which names the client in plain text (`client.id`; a broker that
replicates is `broker-N-fetcher-...`). One thread serves all links. Not here: what is inside later requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Self

from streamflow.testing.kafka_process import LOOPBACK

CHUNK_BYTES: Final = 65_536
LOOK_AGAIN_S: Final = 0.02
_HEADER_BYTES: Final = 14
"""Of a request up to its client's name: size, API key and version, correlation, the name's length."""


class Kind(Enum):
    """What happens to bytes in trouble."""

    CUT = "cut"
    """Connections end, and new ones are refused."""
    DELAY = "delay"
    """Each piece comes ``delay_ms`` later than it would have."""
    HOLD = "hold"
    """Nothing arrives while the trouble lasts; then everything does, late."""
    LOSE = "lose"
    """A black hole: what is sent is gone, nobody is told, and the connection ends with the trouble."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong, for the connections of a link and of clients whose names begin so; ``""`` is all."""

    kind: Kind
    link: str = ""
    client: str = ""
    delay_ms: int = 0

    def hits(self, link: str, client: str) -> bool:
        return self.link in ("", link) and client.startswith(self.client)


@dataclass(slots=True, eq=False)
class Link:
    """One address that leads to ``upstream``, HOST:PORT, which may be told later and change."""

    name: str
    address: str
    upstream: str = ""


@dataclass(slots=True, eq=False)
class _Connection:
    link: str
    writers: list[asyncio.StreamWriter] = field(default_factory=list[asyncio.StreamWriter])
    client: str = ""
    has_lost: bool = False

    def end(self) -> None:
        for writer in self.writers:
            writer.transport.abort()


class Network:
    """Links, and the troubles that they have now. Ends its thread and every connection at `close`."""

    def __init__(self) -> None:
        self.connections_hit = 0
        self._troubles: tuple[Trouble, ...] = ()
        self._open: set[_Connection] = set()
        self._servers: list[asyncio.Server] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def link(self, name: str) -> Link:
        """A new address of the loopback interface."""
        listening = socket.create_server((LOOPBACK, 0))
        link = Link(name, f"{LOOPBACK}:{listening.getsockname()[1]}")

        async def serve() -> None:
            self._servers.append(
                await asyncio.start_server(
                    lambda reader, writer: self._relay(link, reader, writer), sock=listening
                )
            )

        asyncio.run_coroutine_threadsafe(serve(), self._loop).result()
        return link

    @contextlib.contextmanager
    def trouble(self, trouble: Trouble) -> Generator[None]:
        """As long as the block runs. Troubles add up."""
        self.begin(trouble)
        try:
            yield
        finally:
            self.end(trouble)

    def begin(self, trouble: Trouble) -> None:
        self._troubles += (trouble,)
        asyncio.run_coroutine_threadsafe(self._strike(trouble), self._loop).result()

    def end(self, trouble: Trouble) -> None:
        troubles = list(self._troubles)
        troubles.remove(trouble)
        self._troubles = tuple(troubles)

    def close(self) -> None:
        async def stop() -> None:
            for server in self._servers:
                server.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _strike(self, trouble: Trouble) -> None:
        struck = [each for each in self._open if trouble.hits(each.link, each.client)]
        self.connections_hit += len(struck)
        if trouble.kind is Kind.CUT:
            for each in struck:
                each.end()

    async def _relay(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        # asyncio only does so where a socket knows its protocol, which accepted ones do not: small answers would wait 40 ms.
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(link.name, [writer])
        host, _, port = link.upstream.rpartition(":")
        try:
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
        except OSError:
            connection.end()
            return
        connection.writers.append(far_writer)
        self._open.add(connection)
        try:
            await asyncio.gather(
                self._pump(connection, reader, far_writer, is_asking=True),
                self._pump(connection, far_reader, writer, is_asking=False),
            )
        except OSError:
            pass
        finally:
            self._open.discard(connection)
            connection.end()

    async def _pump(
        self,
        connection: _Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        is_asking: bool,
    ) -> None:
        """Until either side ends, which ends both."""
        while data := await reader.read(CHUNK_BYTES):
            if is_asking and not connection.client:
                connection.client = client_of(data)
            await self._delayed(connection)
            if not connection.has_lost:
                writer.write(data)
                await writer.drain()
        raise ConnectionResetError

    async def _delayed(self, connection: _Connection) -> None:
        """Returns when the bytes in hand may go on, or are to be dropped."""
        waited_ms = 0
        while troubles := [
            each for each in self._troubles if each.hits(connection.link, connection.client)
        ]:
            kinds = {each.kind for each in troubles}
            if Kind.CUT in kinds:
                raise ConnectionResetError
            connection.has_lost |= Kind.LOSE in kinds
            delay_ms = max(each.delay_ms for each in troubles)
            if connection.has_lost or (Kind.HOLD not in kinds and waited_ms >= delay_ms):
                return
            await asyncio.sleep(LOOK_AGAIN_S)
            waited_ms += int(LOOK_AGAIN_S * 1000)
        if connection.has_lost:
            raise ConnectionResetError


def client_of(request: bytes) -> str:
    """Who sends this request, from its header; ``"?"`` where that is not to be read, as under TLS."""
    if len(request) < _HEADER_BYTES:
        return "?"
    [length] = struct.unpack(">h", request[_HEADER_BYTES - 2 : _HEADER_BYTES])
    name = request[_HEADER_BYTES : _HEADER_BYTES + max(0, length)]
    return name.decode("utf-8", "replace") or "?"

"""The proxy before the brokers: bytes pass, wait, vanish or break exactly for those who are to be troubled."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

from streamflow.testing.kafka_network import Kind, Link, Network, Trouble, client_of

PATIENCE_S = 10.0
SHORT_S = 0.3


@pytest.fixture
def network() -> Iterator[Network]:
    with Network() as network:
        yield network


@pytest.fixture
def echo(network: Network) -> Iterator[Link]:
    """A link to a server that sends back what it is sent."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(4_096):
                    connection.sendall(data)
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    link = network.link("echo")
    link.upstream = f"127.0.0.1:{server.getsockname()[1]}"
    yield link
    server.close()


def request(client: str) -> bytes:
    """The beginning of any Kafka request of a client."""
    name = client.encode()
    return struct.pack(">ihhih", 64, 18, 3, 1, len(name)) + name


def opened(link: Link) -> socket.socket:
    host, _, port = link.address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE_S)


@contextmanager
def connect(link: Link, client: str = "someone") -> Generator[socket.socket]:
    """A connection whose owner has said who it is, and was answered."""
    with opened(link) as connection:
        assert answered(connection, request(client))
        yield connection


def answered(connection: socket.socket, data: bytes, *, within_s: float = PATIENCE_S) -> bool:
    connection.settimeout(within_s)
    connection.sendall(data)
    try:
        return connection.recv(4_096) == data
    except TimeoutError:
        return False


def is_over(connection: socket.socket) -> bool:
    connection.settimeout(PATIENCE_S)
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_a_request_names_its_client() -> None:
    assert client_of(request("worker-1")) == "worker-1"
    assert client_of(b"\x16\x03\x01") == "?"


def test_a_cut_ends_what_is_open_and_refuses_what_comes(network: Network, echo: Link) -> None:
    with connect(echo) as connection, network.trouble(Trouble(Kind.CUT)):
        assert is_over(connection)
        with opened(echo) as late:
            late.sendall(request("late"))
            assert is_over(late)

    assert network.connections_hit == 1
    with connect(echo):
        pass


def test_only_the_client_that_is_named_is_troubled(network: Network, echo: Link) -> None:
    with (
        connect(echo, "worker-1") as mine,
        connect(echo, "processor-1") as other,
        network.trouble(Trouble(Kind.CUT, client="worker")),
    ):
        assert is_over(mine)
        assert answered(other, b"still here")


def test_only_the_link_that_is_named_is_troubled(network: Network, echo: Link) -> None:
    with connect(echo) as connection, network.trouble(Trouble(Kind.CUT, link="another")):
        assert answered(connection, b"still here")


def test_what_is_held_arrives_when_the_trouble_is_over(network: Network, echo: Link) -> None:
    """Late, and once: this is how a request outlives the patience of who sent it."""
    with connect(echo) as connection:
        with network.trouble(Trouble(Kind.HOLD)):
            assert not answered(connection, b"held", within_s=SHORT_S)

        connection.settimeout(PATIENCE_S)
        assert connection.recv(4_096) == b"held"


def test_what_is_lost_never_arrives_and_the_connection_ends_afterwards(
    network: Network, echo: Link
) -> None:
    with connect(echo) as connection:
        with network.trouble(Trouble(Kind.LOSE)):
            assert not answered(connection, b"lost", within_s=SHORT_S)
        connection.sendall(b"more")

        assert is_over(connection)
    with connect(echo):
        pass


def test_a_delay_makes_everything_later(network: Network, echo: Link) -> None:
    with connect(echo) as connection, network.trouble(Trouble(Kind.DELAY, delay_ms=200)):
        began = time.monotonic()
        assert answered(connection, b"slow")

        assert time.monotonic() - began >= 0.2

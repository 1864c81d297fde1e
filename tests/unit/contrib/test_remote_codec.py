"""A codec in another process, and the server around it."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import httpx
import pytest

from streamflow.contrib.remote_codec import Caller, RemoteCodec, RemoteCodecError, codec_app
from streamflow.converter import PayloadCodec
from streamflow.model.payload import Payload

pytestmark = pytest.mark.asyncio
PLAIN = Payload({"encoding": b"json/plain", "odd": b"\xff\x00"}, b'"secret"')


class Reversing(PayloadCodec):
    """Stands for one that encrypts."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload({**one.metadata, "by": b"codec"}, one.data[::-1]) for one in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        if any(one.data == b"broken" for one in payloads):
            raise ValueError("the key is 12345")
        kept = [{k: v for k, v in one.metadata.items() if k != "by"} for one in payloads]
        return [Payload(m, one.data[::-1]) for m, one in zip(kept, payloads, strict=True)]


class Server:
    """A codec server, and whom it was asked by."""

    def __init__(self) -> None:
        self.asked: list[Caller] = []
        app = codec_app({"shop": Reversing()}, allow=self._allow, origins=["https://flows.example"])
        self.transport = httpx.ASGITransport(app)

    async def _allow(self, caller: Caller) -> bool:
        self.asked.append(caller)
        return caller.token == "good" and caller.user != "mallory"

    def codec(self, endpoint: str = "http://codec", **headers: str) -> RemoteCodec:
        headers = {"authorization": "Bearer good", **headers}
        return RemoteCodec(endpoint, namespace="shop", headers=headers, transport=self.transport)


async def test_what_is_encoded_there_is_decoded_there() -> None:
    """Bytes and all; the namespace is in a header, or in the address."""
    server = Server()
    for endpoint in ("http://codec", "http://codec/{namespace}"):
        codec = server.codec(endpoint)
        [encoded] = await codec.encode([PLAIN])
        assert encoded.data == b'"terces"'
        assert await codec.decode([encoded]) == [PLAIN]
    assert {(one.namespace, one.operation) for one in server.asked} == {
        ("shop", "encode"),
        ("shop", "decode"),
    }


async def test_bodies_have_the_shape_that_other_tools_know() -> None:
    """Base64 within JSON, so that their codec servers and their pages can be used with ours."""
    async with httpx.AsyncClient(transport=Server().transport, base_url="http://codec") as http:
        encoding = base64.b64encode(b"json/plain").decode()
        answer = await http.post(
            "/decode",
            json={"payloads": [{"metadata": {"encoding": encoding}, "data": "ImVzYyI="}]},
            headers={"x-namespace": "shop", "authorization": "Bearer good"},
        )
        data = base64.b64encode(b'"cse"').decode()
        expected = base64.b64encode(b'"esc"'[::-1]).decode()
        assert data == expected
        assert answer.json() == {
            "payloads": [{"metadata": {"encoding": encoding}, "data": expected}]
        }


async def test_who_may_not_is_refused_and_told_nothing() -> None:
    """Nor does an error of the codec tell what it says."""
    server = Server()
    for codec in (
        server.codec(authorization="Bearer bad"),
        server.codec(**{"x-streamflow-user": "mallory"}),
    ):
        with pytest.raises(RemoteCodecError, match="found 403"):
            await codec.decode([PLAIN])
    with pytest.raises(RemoteCodecError) as failed:
        await server.codec().decode([Payload({}, b"broken")])
    assert "found 400" in str(failed.value)
    assert "12345" not in str(failed.value)
    other = RemoteCodec(
        "http://codec",
        namespace="x",
        headers={"authorization": "Bearer good"},
        transport=server.transport,
    )
    with pytest.raises(RemoteCodecError, match="found 404"):
        await other.decode([PLAIN])


async def test_what_is_no_request_is_refused() -> None:
    """Each with what was expected."""
    good = {"authorization": "Bearer good", "x-namespace": "shop"}
    async with httpx.AsyncClient(transport=Server().transport, base_url="http://codec") as http:
        for path, content, headers, status in (
            ("/decode", b"{}", {"authorization": "Bearer good"}, 400),
            ("/decode", b"[", good, 400),
            ("/decode", b'{"payloads": [{"data": "%"}]}', good, 400),
            ("/decide", b"{}", good, 404),
            ("/decode", b" " * (17 * 1024 * 1024), good, 413),
        ):
            found = await http.post(path, content=content, headers=headers)
            assert found.status_code == status, found.text
            assert found.text.startswith("Expected")


async def test_pages_of_known_origins_may_call_it() -> None:
    """And no others."""
    asks = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-namespace",
    }
    async with httpx.AsyncClient(transport=Server().transport, base_url="http://codec") as http:
        for origin, status in (("https://flows.example", 200), ("https://evil.example", 400)):
            found = await http.options("/decode", headers={"origin": origin, **asks})
            assert found.status_code == status
            allowed = found.headers.get("access-control-allow-origin")
            assert (allowed == origin) is (status == 200)


async def test_an_endpoint_that_is_none_is_refused() -> None:
    """At once; nobody there is said at the first call."""
    with pytest.raises(ValueError, match="Expected a codec endpoint"):
        RemoteCodec("codec.example")
    with pytest.raises(RemoteCodecError, match="Expected an answer from the codec server"):
        await RemoteCodec("http://127.0.0.1:9").decode([PLAIN])

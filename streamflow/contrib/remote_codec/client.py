"""The codec as those see it who have no keys: each call is a request."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

import httpx
import msgspec

from streamflow.contrib.remote_codec.words import BODY_BYTES_MAX, NAMESPACE_HEADER, PayloadsBody
from streamflow.converter import PayloadCodec
from streamflow.model.payload import Payload

TIMEOUT_S = 10.0
_NONE: Mapping[str, str] = {}


class RemoteCodecError(Exception):
    """The codec server refused, or did not answer."""


class RemoteCodec(PayloadCodec):
    """Asks a codec server.

    A connection is made for each call, because a codec may be called from several event loops.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        namespace: str = "default",
        headers: Mapping[str, str] | Callable[[], Mapping[str, str]] = _NONE,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """``{namespace}`` in the endpoint becomes the namespace.

        Args:
            headers: Of every request, such as its ``authorization``; a function is asked each time.
            transport: Stands in for the network.

        Raises:
            ValueError: the endpoint is no address.
        """
        if not endpoint.startswith(("http://", "https://")):
            raise ValueError(
                f"Expected a codec endpoint like https://codec.example/{{namespace}}, found {endpoint!r}"
            )
        self.endpoint = endpoint.replace("{namespace}", quote(namespace, safe="")).rstrip("/")
        self._namespace = namespace
        self._headers = headers
        self._transport = transport
        # Made once: reading the authorities' certificates takes longer than a request.
        self._tls = ssl.create_default_context() if endpoint.startswith("https:") else False

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return await self._ask("encode", payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return await self._ask("decode", payloads)

    async def _ask(self, operation: str, payloads: Sequence[Payload]) -> list[Payload]:
        url = f"{self.endpoint}/{operation}"
        given = self._headers() if callable(self._headers) else self._headers
        headers = {
            **given,
            "content-type": "application/json",
            NAMESPACE_HEADER: self._namespace,
        }
        content = msgspec.json.encode(PayloadsBody(payloads=tuple(payloads)))
        try:
            async with httpx.AsyncClient(
                timeout=TIMEOUT_S,
                transport=self._transport,
                trust_env=False,
                verify=self._tls,
            ) as http:
                answer = await http.post(url, content=content, headers=headers)
        except httpx.HTTPError as error:
            raise RemoteCodecError(
                f"Expected an answer from the codec server at {url}, found: {error!r}"
            ) from error
        if not answer.is_success:
            raise RemoteCodecError(
                f"Expected payloads from the codec server at {url}, found {answer.status_code}: {answer.text[:200]}"
            )
        if len(answer.content) > BODY_BYTES_MAX:
            raise RemoteCodecError(
                f"Expected at most {BODY_BYTES_MAX} bytes from {url}, found more"
            )
        try:
            return list(msgspec.json.decode(answer.content, type=PayloadsBody).payloads)
        except msgspec.DecodeError as error:
            raise RemoteCodecError(f"Expected payloads from {url}, found: {error}") from error

"""What every group of calls needs: the client, and headers as they travel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from streamflow.client.calls.address import Address
from streamflow.client.interceptor import OutboundInterceptor
from streamflow.common import HeaderCodecBehavior, SearchAttributes, TypedSearchAttributes
from streamflow.converter.codec import recode_mapping
from streamflow.model.payload import Payload

if TYPE_CHECKING:
    from streamflow.client.client import Client


class Calls(OutboundInterceptor):
    """A group of calls of one client. There is no next one."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def _address(self, workflow_id: str, run_id: str | None, task_queue: str | None) -> Address:
        return Address(self._client, workflow_id, run_id, task_queue)

    async def _declared(
        self, attributes: TypedSearchAttributes | SearchAttributes | None
    ) -> Mapping[str, str] | None:
        """The namespace's types of search attributes; asked for only where values come without types."""
        if not attributes or isinstance(attributes, TypedSearchAttributes):
            return None
        return await self._client.transport.search_attributes()

    async def _headers(self, headers: Mapping[str, Payload]) -> Mapping[str, Payload]:
        """Encoded only if the client's ``header_codec_behavior`` says so."""
        client = self._client
        codec = client.data_converter.payload_codec
        if not headers or codec is None:
            return headers
        if client.header_codec_behavior is not HeaderCodecBehavior.CODEC:
            return headers
        return await recode_mapping(headers, codec.encode)

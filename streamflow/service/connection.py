"""A connection to one log or gateway, shared by the clients of all its namespaces."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from streamflow.service import above
from streamflow.service.errors import RPCError, RPCStatusCode
from streamflow.service.options import ConnectConfig
from streamflow.service.raw import (
    CloudService,
    HealthService,
    OperatorService,
    TestService,
    WorkflowService,
)

if TYPE_CHECKING:
    from streamflow.client.transport import Transport

_NO_METADATA: Mapping[str, str | bytes] = {}
_SERVICES = ("", "temporal.api.workflowservice.v1.WorkflowService")
"""What `check_health` may be asked for; ported code names the one service that there is."""


class ServiceClient:
    """Made by `Client.connect`, or by `connect` for `Client(service_client, namespace=...)`."""

    @staticmethod
    async def connect(config: ConnectConfig) -> ServiceClient:
        """Connects, unless ``config.lazy``.

        Raises:
            ValueError: the target is none of the known forms, or a setting has no place there.
            RPCError: nobody can be reached there, or the namespace has no topics.
        """
        return await above.connect(config)

    def __init__(self, config: ConnectConfig, transport: Transport) -> None:
        if not config.identity:
            config.identity = f"{os.getpid()}@{socket.gethostname()}"
        self.config = config
        self.workflow_service = WorkflowService(self)
        self.operator_service = OperatorService(self)
        self.cloud_service = CloudService(self)
        self.test_service = TestService(self)
        self.health_service = HealthService(self)
        self._first = transport
        self._transports = {transport.namespace: transport}

    def transport(self, namespace: str | None = None) -> Transport:
        """What carries the commands of a namespace. Default: of the first."""
        if namespace is None:
            return self._first
        found = self._transports.get(namespace)
        if found is None:
            found = self._transports[namespace] = self._first.sibling(namespace)
        return found

    async def check_health(
        self,
        *,
        service: str = "",
        retry: bool = False,
        metadata: Mapping[str, str | bytes] = _NO_METADATA,
        timeout: timedelta | None = None,  # noqa: ASYNC109  # the model's name
    ) -> bool:
        """True if the log, or the gateway, answers; the other arguments are there for ported code.

        Args:
            service: Only that of workflows is known, by no name or its full one.

        Raises:
            RPCError: nobody answers, or the service is not known (NOT_FOUND).
        """
        if service not in _SERVICES:
            raise RPCError(
                f"Expected {' or '.join(map(repr, _SERVICES))} as the service, found {service!r}",
                RPCStatusCode.NOT_FOUND,
            )
        await self._first.open()
        await self._first.queues()
        return True

    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        """Headers of every later call to a gateway. Raises TypeError for a value that does not fit its name."""
        for name, value in metadata.items():
            if name.endswith("-bin") != isinstance(value, bytes):
                raise TypeError(
                    f"Expected bytes for names that end in '-bin' and text for others, found {name!r}: {value!r}"
                )
        self._update(metadata, self.config.api_key)

    def update_api_key(self, api_key: str | None) -> None:
        """The bearer token of every later call to a gateway."""
        self._update(self.config.rpc_metadata, api_key)

    def _update(self, metadata: Mapping[str, str | bytes], api_key: str | None) -> None:
        self.config.rpc_metadata, self.config.api_key = metadata, api_key
        for transport in self._transports.values():
            transport.set_metadata(metadata, api_key)

    async def close(self) -> None:
        """Ends the connection, for every client that uses it."""
        for transport in reversed(self._transports.values()):  # the first one's log is everybody's
            await transport.close()

"""Plugins of a client: each may change its settings, and how it connects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from streamflow.service import ConnectConfig, ServiceClient

if TYPE_CHECKING:
    from streamflow.client.client import ClientConfig

Connect = Callable[[ConnectConfig], Awaitable[ServiceClient]]


class Plugin(ABC):
    """Give it to `Client.connect(plugins=[...])`; the first is asked first, and connects outermost.

    One that is a `streamflow.worker.Plugin` too is used by the Workers of its client: do not name it there again.
    """

    def name(self) -> str:
        """What it is called in messages. Default: its class, with the module."""
        return f"{type(self).__module__}.{type(self).__qualname__}"

    @abstractmethod
    def configure_client(self, config: ClientConfig) -> ClientConfig:
        """The settings to make the client of: those given, changed or not."""

    @abstractmethod
    async def connect_service_client(self, config: ConnectConfig, next: Connect) -> ServiceClient:
        """The connection: usually what ``next`` makes of the settings, changed or not."""

"""Who runs schedules where nobody else does: on demand, in the process of whoever speaks to one.

A log within this process (embedded, memory) has no machine elsewhere that could run them. The host is a Worker, which stands
above whoever asks for it, so it is found by its name.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol, cast

_HOST = "streamflow.worker.hosts.schedule_host"


class Host(Protocol):
    """A running host of schedules."""

    async def stop(self) -> None: ...


async def start_host(client: Any) -> Host:
    """Runs the schedules of the client's namespace until it is stopped."""
    module: Any = import_module(_HOST)
    return cast("Host", await module.start(client))

"""Counts and times a client's calls, where its runtime keeps metrics: an interceptor between the others and `root`."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from streamflow.client.interceptor import OutboundInterceptor
from streamflow.common import MetricMeter
from streamflow.service import RPCError


class Metered(OutboundInterceptor):
    """Every awaited call is a ``request``, with its latency, and a ``request_failure`` if it raises.

    Attributes: ``operation`` is the call's name; a failure also has its ``status_code``.
    """

    def __init__(self, next: OutboundInterceptor, meter: MetricMeter, prefix: str) -> None:
        super().__init__(next)
        self._requests = meter.create_counter(f"{prefix}request", "Calls of clients")
        self._failures = meter.create_counter(f"{prefix}request_failure", "Calls that failed")
        self._latency = meter.create_histogram_timedelta(
            f"{prefix}request_latency", "From a call to its answer"
        )

    async def counted(self, operation: str, call: Awaitable[Any]) -> Any:
        began_s = time.monotonic()
        attributes = {"operation": operation}
        self._requests.add(1, attributes)
        try:
            return await call
        except Exception as error:
            status = error.status.name if isinstance(error, RPCError) else type(error).__name__
            self._failures.add(1, {**attributes, "status_code": status})
            raise
        finally:
            took = timedelta(seconds=time.monotonic() - began_s)
            self._latency.record(took, attributes)


def _counting(name: str) -> Callable[..., Awaitable[Any]]:
    async def call(self: Metered, input: Any) -> Any:
        return await self.counted(name, getattr(self.next, name)(input))

    call.__name__ = name
    return call


for _name, _method in vars(OutboundInterceptor).items():
    if inspect.iscoroutinefunction(_method):
        setattr(Metered, _name, _counting(_name))

"""Workflow code that ends its process at once, beside orders that are well."""

from __future__ import annotations

import ctypes
import os
import signal

from streamflow import workflow
from tests.faults.orders import ACTIVITIES, Order

__all__ = ["ACTIVITIES", "WORKFLOWS"]


@workflow.defn
class Crashes:
    """As a fault in an extension module does it."""

    @workflow.run
    async def run(self) -> str:
        return ctypes.string_at(0).decode()


@workflow.defn
class IsKilled:
    """As the kernel does it to who takes all memory."""

    @workflow.run
    async def run(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


WORKFLOWS = [Order, Crashes, IsKilled]

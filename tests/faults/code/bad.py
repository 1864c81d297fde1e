"""Workflow code with every fault that must not spread, beside orders that are well."""

from __future__ import annotations

import time

from streamflow import workflow
from tests.faults.orders import ACTIVITIES, Order

__all__ = ["ACTIVITIES", "WORKFLOWS"]


@workflow.defn
class Buggy:
    @workflow.run
    async def run(self) -> str:
        prices: dict[str, str] = {}
        return prices["no such key"]


@workflow.defn
class LoopsInPython:
    @workflow.run
    async def run(self) -> str:
        while True:
            pass


@workflow.defn
class LoopsInC:
    @workflow.run
    async def run(self) -> str:
        return str(sum(range(10**14)))


@workflow.defn
class ReadsTheClock:
    @workflow.run
    async def run(self) -> str:
        return str(time.time())


WORKFLOWS = [Order, Buggy, LoopsInPython, LoopsInC, ReadsTheClock]

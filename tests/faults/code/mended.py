"""The next version of `bad`: its faults mended, and a workflow type that was not there before."""

from __future__ import annotations

from streamflow import workflow
from tests.faults.orders import ACTIVITIES, Order

__all__ = ["ACTIVITIES", "WORKFLOWS"]


@workflow.defn
class Buggy:
    @workflow.run
    async def run(self) -> str:
        return "mended"


@workflow.defn
class LoopsInPython:
    @workflow.run
    async def run(self) -> str:
        return "mended"


@workflow.defn
class LoopsInC:
    @workflow.run
    async def run(self) -> str:
        return "mended"


@workflow.defn
class ReadsTheClock:
    @workflow.run
    async def run(self) -> str:
        return str(workflow.time() > 0)


@workflow.defn
class NotYetThere:
    @workflow.run
    async def run(self) -> str:
        return "here"


WORKFLOWS = [Order, Buggy, LoopsInPython, LoopsInC, ReadsTheClock, NotYetThere]

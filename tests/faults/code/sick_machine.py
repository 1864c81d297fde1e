"""Workflow code that is well, on a machine that is sick for a while: the same file, and its steps end the process."""

from __future__ import annotations

import os
from pathlib import Path

from streamflow import workflow
from tests.faults.orders import ACTIVITIES, Order

__all__ = ["ACTIVITIES", "WORKFLOWS"]

SICK = Path(os.environ.get("WITNESS", "witness")).with_name("sick")
"""While this file is there when a process starts. No fault of the code, which does not change."""
_IS_SICK = SICK.exists()


@workflow.defn
class Fragile:
    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        if _IS_SICK:
            sum(range(10**14))
        await workflow.wait_condition(lambda: len(self.heard) == 2)
        return self.heard

    @workflow.signal
    def hear(self, what: str) -> None:
        self.heard.append(what)


WORKFLOWS = [Order, Fragile]

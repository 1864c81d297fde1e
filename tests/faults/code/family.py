"""Parents and children on two queues, which start, signal and await each other."""

from __future__ import annotations

import asyncio
from typing import Any

from streamflow import workflow

__all__ = ["ACTIVITIES", "CHILDREN", "NURSERY", "WORKFLOWS"]

NURSERY = "nursery"
"""The children's queue."""
CHILDREN = 3
ACTIVITIES: list[Any] = []


@workflow.defn
class Family:
    def __init__(self) -> None:
        self.heard: list[int] = []

    @workflow.run
    async def run(self, number: int) -> list[int]:
        children = [
            workflow.execute_child_workflow(
                Child.run,
                args=[number, child],
                id=f"{workflow.info().workflow_id}/{child}",
                task_queue=NURSERY,
            )
            for child in range(CHILDREN)
        ]
        results = await asyncio.gather(*children)
        await workflow.wait_condition(lambda: len(self.heard) >= CHILDREN)
        return [*results, *sorted(self.heard)]

    @workflow.signal
    def hello(self, child: int) -> None:
        self.heard.append(child)


@workflow.defn
class Child:
    @workflow.run
    async def run(self, number: int, child: int) -> int:
        parent = workflow.info().parent
        assert parent is not None
        await workflow.sleep((number * 37 + child * 211) % 900 / 1_000)
        await workflow.get_external_workflow_handle(parent.workflow_id).signal(Family.hello, child)
        return number + child


WORKFLOWS = [Family, Child]

"""Workflows that are sent very much at once, and remember it in its order."""

from __future__ import annotations

from typing import Any

from streamflow import workflow

__all__ = ["ACTIVITIES", "WORKFLOWS"]

ACTIVITIES: list[Any] = []


@workflow.defn
class Flooded:
    def __init__(self) -> None:
        self.heard: list[int] = []

    @workflow.run
    async def run(self, count: int) -> list[int]:
        await workflow.wait_condition(lambda: len(self.heard) >= count)
        return self.heard

    @workflow.signal
    def note(self, number: int) -> None:
        self.heard.append(number)


WORKFLOWS = [Flooded]

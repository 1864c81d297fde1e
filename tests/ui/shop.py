"""The workflows whose pages are tested: one that waits, one that fails, one that is retried, one whose code is broken."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from streamflow import activity, workflow
from streamflow.app import App
from streamflow.common import RetryPolicy
from streamflow.exceptions import ApplicationError

QUEUE = "shop"
LIMIT = timedelta(seconds=30)
NEVER_SOON = RetryPolicy(initial_interval=timedelta(hours=1))


@dataclass
class Parcel:
    """What a workflow is given."""

    to: str
    grams: int = 100


@activity.defn
async def pack(parcel: Parcel) -> str:
    return f"packed {parcel.grams} g for {parcel.to}"


@activity.defn
async def weigh(parcel: Parcel) -> int:
    activity.heartbeat("on the scale")
    await asyncio.sleep(0)
    raise ApplicationError("The scale is broken", type="ScaleBroken")


@activity.defn
async def refuse(text: str) -> None:
    raise ApplicationError(text, non_retryable=True)


@workflow.defn
class Ship:
    """Packs, then waits until it is told that the parcel was handed over."""

    def __init__(self) -> None:
        self.handed_over = False
        self.notes: list[str] = []

    @workflow.run
    async def run(self, parcel: Parcel) -> str:
        packed = await workflow.execute_activity(
            pack, parcel, start_to_close_timeout=LIMIT, summary="into a box"
        )
        try:
            await workflow.wait_condition(
                lambda: self.handed_over,
                timeout=timedelta(days=3),
                timeout_summary="until handed over",
            )
        except TimeoutError:
            return "never handed over"
        return packed

    @workflow.signal
    def hand_over(self) -> None:
        """The carrier has it."""
        self.handed_over = True

    @workflow.signal
    def note(self, text: str) -> None:
        self.notes.append(text)

    @workflow.query
    def remarks(self) -> list[str]:
        """What was noted so far."""
        return self.notes

    @workflow.query
    def remark(self, index: int) -> str:
        return self.notes[index]

    @workflow.update
    def rename(self, to: str) -> str:
        """Another name on the label."""
        self.notes.append(f"to {to}")
        return f"now to {to}"

    @rename.validator
    def check_name(self, to: str) -> None:
        if not to:
            raise ValueError("Expected a name")


@workflow.defn
class Weigh:
    """Tries again and again."""

    @workflow.run
    async def run(self, parcel: Parcel) -> int:
        return await workflow.execute_activity(
            weigh, parcel, start_to_close_timeout=LIMIT, retry_policy=NEVER_SOON
        )


@workflow.defn
class Refuse:
    """Fails with the text that it is given."""

    @workflow.run
    async def run(self, text: str) -> None:
        await workflow.execute_activity(refuse, text, start_to_close_timeout=LIMIT)


@workflow.defn
class Broken:
    """Its code raises what is no failure, so that it waits for better code."""

    @workflow.run
    async def run(self, text: str) -> None:
        raise KeyError(text)


@workflow.defn
class Family:
    """Starts a child and waits for it."""

    @workflow.run
    async def run(self, parcel: Parcel) -> str:
        own = workflow.info().workflow_id
        return await workflow.execute_child_workflow(Ship.run, parcel, id=f"{own}/child")


@workflow.defn
class Echo:
    """Gives back what it is given."""

    @workflow.run
    async def run(self, value: object) -> object:
        return value


app = App(
    QUEUE,
    workflows=[Ship, Weigh, Refuse, Broken, Family, Echo],
    activities=[pack, weigh, refuse],
)

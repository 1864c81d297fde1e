"""Suppliers of workflow slots are told of each step, and hold none back."""

from __future__ import annotations

import asyncio

import pytest

from streamflow import workflow
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import (
    CustomSlotSupplier,
    FixedSizeSlotSupplier,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
    Worker,
    WorkerTuner,
    WorkflowSlotInfo,
)

pytestmark = pytest.mark.asyncio


@workflow.defn
class Napping:
    @workflow.run
    async def run(self) -> str:
        await asyncio.sleep(60)
        return "awake"


class Writing(CustomSlotSupplier):
    """Writes down what it is told; reserves after a moment, or never."""

    def __init__(self, *, gives: bool = True, raises: bool = False) -> None:
        self.gives, self.raises = gives, raises
        self.told: list[str] = []
        self.contexts: list[SlotReserveContext] = []

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        self.contexts.append(ctx)
        if not self.gives:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        self.told.append("reserved")
        return SlotPermit()

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        return None

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        assert isinstance(ctx.slot_info, WorkflowSlotInfo)
        self.told.append(f"used for {ctx.slot_info.workflow_type}")
        if self.raises:
            raise ValueError("of the user's code")

    def release_slot(self, ctx: SlotReleaseContext) -> None:
        self.told.append("released" if ctx.slot_info else "released unused")
        if self.raises:
            raise ValueError("of the user's code")


def tuner_of(supplier: Writing) -> WorkerTuner:
    fixed = FixedSizeSlotSupplier(2)
    return WorkerTuner.create_composite(
        workflow_supplier=supplier,
        activity_supplier=fixed,
        local_activity_supplier=fixed,
        nexus_supplier=fixed,
    )


async def nap(supplier: Writing, environment: WorkflowEnvironment) -> None:
    client, tuner = environment.client, tuner_of(supplier)
    async with (
        Worker(client, task_queue="q", workflows=[Napping], tuner=tuner),
        asyncio.timeout(30),
    ):
        assert await client.execute_workflow(Napping.run, id="w", task_queue="q") == "awake"


STEP = ["reserved", "used for Napping", "released"]


@pytest.mark.parametrize("raises", [False, True])
async def test_each_step_has_a_slot(raises: bool) -> None:
    """And one that was reserved for the next step is given back when the worker ends."""
    supplier = Writing(raises=raises)
    async with await WorkflowEnvironment.start_time_skipping() as environment:
        await nap(supplier, environment)

    assert supplier.told == [*STEP, *STEP, "reserved", "released unused"]
    assert {(ctx.slot_type, ctx.task_queue) for ctx in supplier.contexts} == {("workflow", "q")}


async def test_a_supplier_without_slots_holds_nothing_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is told of nothing, as it gave nothing."""
    monkeypatch.setattr("streamflow.worker.capacity.workflow_slots.END_S", 0.01)
    supplier = Writing(gives=False)
    async with await WorkflowEnvironment.start_time_skipping() as environment:
        await nap(supplier, environment)

    assert supplier.told == []
    assert len(supplier.contexts) == 1


async def test_steps_of_another_thread_are_told_too() -> None:
    """The embedded log's processor has a thread of its own."""
    supplier = Writing()
    async with (
        await WorkflowEnvironment.start_local() as env,
        Worker(env.client, task_queue="q", workflows=[Napping], tuner=tuner_of(supplier)),
    ):
        handle = await env.client.start_workflow(Napping.run, id="w", task_queue="q")
        assert await handle.query("__stack_trace")

    assert supplier.told[:3] == STEP

"""Slots: fixed, by what the machine has left, and by code of the user's own."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from streamflow import activity, workflow
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import (
    ActivitySlotInfo,
    CustomSlotSupplier,
    FixedSizeSlotSupplier,
    LocalActivitySlotInfo,
    ResourceBasedSlotConfig,
    ResourceBasedSlotSupplier,
    ResourceBasedTunerConfig,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
    Worker,
    WorkerTuner,
)
from streamflow.worker.capacity.slots import ResourceSlots

pytestmark = pytest.mark.asyncio
MINUTE = timedelta(minutes=1)
at_once: list[int] = []
running = 0


@activity.defn
async def work(number: int) -> int:
    global running
    running += 1
    at_once.append(running)
    for _ in range(5):
        await asyncio.sleep(0)
    running -= 1
    return number


@workflow.defn
class Spreads:
    @workflow.run
    async def run(self, count: int) -> int:
        ordinary = [
            workflow.execute_activity(work, n, start_to_close_timeout=MINUTE) for n in range(count)
        ]
        local = [
            workflow.execute_local_activity(work, n, start_to_close_timeout=MINUTE)
            for n in range(count)
        ]
        return sum(await asyncio.gather(*ordinary, *local))


async def _spread(count: int, **options: Any) -> int:
    at_once.clear()
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(env.client, task_queue="q", workflows=[Spreads], activities=[work], **options),
    ):
        result: int = await env.client.execute_workflow(Spreads.run, count, id="w", task_queue="q")
    return result


async def test_a_fixed_tuner_bounds_how_many_run_at_once() -> None:
    tuner = WorkerTuner.create_fixed(activity_slots=2, local_activity_slots=1)

    assert await _spread(10, tuner=tuner) == 90
    assert max(at_once) <= 3


async def test_too_few_threads_for_a_tuners_slots_are_warned_of() -> None:
    tuner = WorkerTuner.create_resource_based(target_memory_usage=0.5, target_cpu_usage=0.5)
    async with await WorkflowEnvironment.start_time_skipping() as env:
        with ThreadPoolExecutor(2) as pool, pytest.warns(UserWarning, match="is 500 but .* only 2"):
            Worker(
                env.client, task_queue="q", activities=[work], tuner=tuner, activity_executor=pool
            )


class Counting(CustomSlotSupplier):
    """Gives two slots, and writes down what it is told."""

    def __init__(self) -> None:
        self.free = asyncio.Semaphore(2)
        self.contexts: list[SlotReserveContext] = []
        self.used: list[tuple[type, str]] = []
        self.given: set[SlotPermit] = set()
        self.out_at_once = 0
        self.released = 0

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        self.contexts.append(ctx)
        await self.free.acquire()
        permit = SlotPermit()
        self.given.add(permit)
        self.out_at_once = max(self.out_at_once, len(self.given))
        return permit

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        return None

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        assert ctx.permit in self.given
        assert isinstance(ctx.slot_info, ActivitySlotInfo)
        assert isinstance(ctx.slot_info, LocalActivitySlotInfo)
        self.used.append((type(ctx.slot_info), ctx.slot_info.activity_type))

    def release_slot(self, ctx: SlotReleaseContext) -> None:
        self.given.remove(ctx.permit)
        self.released += 1
        self.free.release()


async def test_a_supplier_of_ones_own_is_asked_told_and_given_back() -> None:
    ordinary, local = Counting(), Counting()
    tuner = WorkerTuner.create_composite(
        workflow_supplier=FixedSizeSlotSupplier(5),
        activity_supplier=ordinary,
        local_activity_supplier=local,
        nexus_supplier=FixedSizeSlotSupplier(5),
    )

    assert await _spread(6, tuner=tuner, identity="me", build_id="1.2") == 30

    for supplier, slot_type in ((ordinary, "activity"), (local, "local-activity")):
        assert len(supplier.used) == 6
        assert supplier.out_at_once <= 2
        # All came back, those too that nobody used in the end.
        assert not supplier.given
        assert supplier.released >= 6
        context = supplier.contexts[0]
        assert (context.slot_type, context.task_queue) == (slot_type, "q")
        assert (context.worker_identity, context.worker_build_id) == ("me", "1.2")
        assert context.is_sticky is False
    assert {name for _, name in ordinary.used} == {"work"}


async def test_a_supplier_that_raises_is_asked_again() -> None:
    class Stumbling(Counting):
        async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
            if not self.contexts:
                self.contexts.append(ctx)
                raise ValueError("not now")
            return await super().reserve_slot(ctx)

        def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
            raise ValueError("never")

    supplier = Stumbling()
    tuner = WorkerTuner.create_composite(
        workflow_supplier=FixedSizeSlotSupplier(5),
        activity_supplier=supplier,
        local_activity_supplier=FixedSizeSlotSupplier(5),
        nexus_supplier=FixedSizeSlotSupplier(5),
    )

    assert await _spread(3, tuner=tuner) == 6


class Machine:
    def __init__(self) -> None:
        self.memory = 0.1
        self.cpu = 0.1

    def memory_usage(self) -> float:
        return self.memory

    def cpu_usage(self) -> float:
        return self.cpu


def _resource_slots(machine: Machine, now: list[float], woken: list[bool]) -> ResourceSlots:
    supplier = ResourceBasedSlotSupplier(
        ResourceBasedSlotConfig(
            minimum_slots=2, maximum_slots=4, ramp_throttle=timedelta(seconds=1)
        ),
        ResourceBasedTunerConfig(target_memory_usage=0.5, target_cpu_usage=0.5),
    )
    return ResourceSlots(
        supplier, lambda: woken.append(True), machine=machine, now_s=lambda: now[0]
    )


async def test_the_minimum_is_given_even_by_a_busy_machine_and_more_by_an_idle_one() -> None:
    machine, now = Machine(), [0.0]
    slots = _resource_slots(machine, now, [])
    machine.cpu = 0.9
    assert slots.take("a") is not None
    second = slots.take("a")
    assert second is not None
    now[0] = 10
    assert slots.take("a") is None

    machine.cpu = 0.2
    assert slots.take("a") is not None
    assert slots.take("a") is None  # too soon after the last one
    now[0] = 11
    assert slots.take("a") is not None
    now[0] = 20
    assert slots.take("a") is None  # the maximum
    slots.give_back("a", second)
    machine.memory = 0.6
    assert slots.take("a") is None
    slots.close()


async def test_a_resource_based_tuner_lets_work_be_done() -> None:
    tuner = WorkerTuner.create_resource_based(target_memory_usage=1.0, target_cpu_usage=1.0)

    assert await _spread(4, tuner=tuner) == 12


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: FixedSizeSlotSupplier(0), "1 or more"),
        (lambda: ResourceBasedTunerConfig(1.5, 0.5), "at most 1"),
        (lambda: WorkerTuner.create_fixed(activity_slots=0), "1 or more"),
    ],
)
async def test_slots_that_nobody_could_give_are_refused(make: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make()

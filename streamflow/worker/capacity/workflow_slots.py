"""Slots of workflows, for suppliers of one's own: each step is told to them, beside the steps and not before.

A processor steps its runs one after the other and waits for nobody, so that no supplier holds a step back. Suppliers of
fixed size, or by the machine's load, have nothing to say here.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from streamflow.observability import get_logger
from streamflow.worker.capacity.slots import LOOK_AGAIN_S, ReserveContext
from streamflow.worker.capacity.tuning import (
    CustomSlotSupplier,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
)

STEPS_MAX = 1_000
"""Steps that wait for a slow supplier; it is not told of those beyond."""
END_S = 1.0
"""How long the steps that wait keep a worker from ending."""
_log = get_logger("worker")


@dataclass
class StepOf:
    """Implements `tuning.WorkflowSlotInfo`."""

    workflow_type: str
    is_sticky: bool = False


class WorkflowSlots:
    """Has one slot reserved for the next step; made and ended on the worker's event loop."""

    def __init__(self, supplier: CustomSlotSupplier, context: ReserveContext) -> None:
        self._supplier = supplier
        self._context = context
        self._steps: asyncio.Queue[StepOf] = asyncio.Queue(STEPS_MAX)
        self._loop = asyncio.get_running_loop()
        self._serving = self._loop.create_task(self._serve())

    def stepped(self, workflow_type: str, _: float) -> None:
        """A step was taken. From any thread."""
        with contextlib.suppress(
            RuntimeError
        ):  # of a loop that is closed: the worker was abandoned
            self._loop.call_soon_threadsafe(self._put, StepOf(workflow_type))

    async def end(self) -> None:
        """After the last step; the slot that nobody used is given back."""
        await asyncio.sleep(0)  # lets in what was put from other threads
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await self._steps.join()
        self._serving.cancel()
        await asyncio.wait([self._serving])

    def _put(self, step: StepOf) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._steps.put_nowait(step)

    async def _serve(self) -> None:
        while True:
            permit = await self._reserve()
            step: StepOf | None = None
            try:
                step = await self._steps.get()
                self._mark_used(step, permit)
            finally:
                self._release(step, permit)
            self._steps.task_done()

    async def _reserve(self) -> SlotPermit:
        while True:
            try:
                return await self._supplier.reserve_slot(self._context)
            except Exception:  # of the user's code, which is asked again
                _log.exception("slot_supplier_failed", call="reserve_slot")
                await asyncio.sleep(LOOK_AGAIN_S)

    def _mark_used(self, step: StepOf, permit: SlotPermit) -> None:
        try:
            self._supplier.mark_slot_used(SlotMarkUsedContext(step, permit))
        except Exception:  # of the user's code, which changes nothing about the slot
            _log.exception("slot_supplier_failed", call="mark_slot_used")

    def _release(self, step: StepOf | None, permit: SlotPermit) -> None:
        try:
            self._supplier.release_slot(SlotReleaseContext(step, permit))
        except Exception:  # of the user's code, which changes nothing about the slot
            _log.exception("slot_supplier_failed", call="release_slot")

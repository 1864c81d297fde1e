"""Slots as an executor uses them: asked for before an attempt begins, given back when it has ended.

Fixed ones are a count. Those by the machine's state look at it when one is wanted beyond the minimum. Those of the user's
code are awaited in a task, one at a time, and kept until an attempt uses them. Everything is on the event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol

from streamflow.common import WorkerDeploymentVersion
from streamflow.observability import get_logger
from streamflow.worker.capacity.tuning import (
    RESOURCE_SLOTS_MAX,
    CustomSlotSupplier,
    FixedSizeSlotSupplier,
    ResourceBasedSlotSupplier,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotSupplier,
)

_log = get_logger("worker")
SlotType = Literal["workflow", "activity", "local-activity"]
LOOK_AGAIN_S = 0.1
"""How soon a machine that was too busy is looked at again, or code that raised is asked again."""
RAMP = timedelta(milliseconds=50)


class Slots(Protocol):
    """Where an executor gets its slots."""

    def take(self, activity_type: str) -> SlotPermit | None:
        """A slot for an attempt that begins now; without one, `Wake` is called when it is worth asking again."""
        ...

    def give_back(self, activity_type: str, permit: SlotPermit) -> None: ...

    def close(self) -> None:
        """No more is taken; slots that nobody used are given back."""
        ...


Wake = Callable[[], None]


@dataclass
class ReserveContext:
    """Implements `tuning.SlotReserveContext`."""

    slot_type: SlotType
    task_queue: str
    worker_identity: str
    worker_build_id: str
    worker_deployment_version: WorkerDeploymentVersion | None = None
    is_sticky: bool = False


@dataclass
class UsedFor:
    """Implements `tuning.ActivitySlotInfo` and `LocalActivitySlotInfo`."""

    activity_type: str


def slots_of(supplier: SlotSupplier, context: ReserveContext, wake: Wake) -> Slots:
    match supplier:
        case FixedSizeSlotSupplier(num_slots):
            return FixedSlots(num_slots)
        case ResourceBasedSlotSupplier():
            return ResourceSlots(supplier, wake)
        case _:
            return CustomSlots(supplier, context, wake)


_PERMIT = SlotPermit()


class FixedSlots:
    """So many at once."""

    __slots__ = ("_left",)

    def __init__(self, count: int) -> None:
        self._left = count

    def take(self, activity_type: str) -> SlotPermit | None:
        if self._left <= 0:
            return None
        self._left -= 1
        return _PERMIT

    def give_back(self, activity_type: str, permit: SlotPermit) -> None:
        self._left += 1

    def close(self) -> None:
        pass


class Machine(Protocol):
    """How busy it is, from 0 to 1."""

    def memory_usage(self) -> float: ...

    def cpu_usage(self) -> float: ...


class ThisMachine:
    """Memory and CPU as the operating system counts them. CPU is since the last time that somebody asked."""

    def __init__(self) -> None:
        import psutil

        self._psutil = psutil
        psutil.cpu_percent(None)

    def memory_usage(self) -> float:
        return float(self._psutil.virtual_memory().percent) / 100

    def cpu_usage(self) -> float:
        return float(self._psutil.cpu_percent(None)) / 100


class ResourceSlots:
    """The minimum always; more while the machine is below its targets, and not too quickly."""

    def __init__(
        self,
        supplier: ResourceBasedSlotSupplier,
        wake: Wake,
        *,
        machine: Machine | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        config = supplier.slot_config
        self._least = 1 if config.minimum_slots is None else config.minimum_slots
        self._most = RESOURCE_SLOTS_MAX if config.maximum_slots is None else config.maximum_slots
        ramp = RAMP if config.ramp_throttle is None else config.ramp_throttle
        self._ramp_s = ramp.total_seconds()
        self._targets = supplier.tuner_config
        self._machine = machine or ThisMachine()
        self._now_s = now_s
        self._wake = wake
        self._used = 0
        self._last_s = float("-inf")
        self._looking_again: asyncio.TimerHandle | None = None
        self._closed = False

    def take(self, activity_type: str) -> SlotPermit | None:
        if self._used >= self._most:
            return None
        if self._used >= self._least:
            wait_s = self._last_s + self._ramp_s - self._now_s()
            if wait_s > 0 or not self._has_room():
                self._look_again(max(wait_s, LOOK_AGAIN_S if wait_s <= 0 else 0.0))
                return None
        self._used += 1
        self._last_s = self._now_s()
        return _PERMIT

    def give_back(self, activity_type: str, permit: SlotPermit) -> None:
        self._used -= 1

    def close(self) -> None:
        self._closed = True
        if self._looking_again is not None:
            self._looking_again.cancel()

    def _has_room(self) -> bool:
        return (
            self._machine.memory_usage() < self._targets.target_memory_usage
            and self._machine.cpu_usage() < self._targets.target_cpu_usage
        )

    def _look_again(self, after_s: float) -> None:
        if self._looking_again is not None or self._closed:
            return

        def look() -> None:
            self._looking_again = None
            self._wake()

        self._looking_again = asyncio.get_running_loop().call_later(after_s, look)


class CustomSlots:
    """Asks the user's code: at once if it can, else in a task that waits for the next slot."""

    def __init__(self, supplier: CustomSlotSupplier, context: ReserveContext, wake: Wake) -> None:
        self._supplier = supplier
        self._context = context
        self._wake = wake
        self._waiting: asyncio.Task[None] | None = None
        self._reserved: list[SlotPermit] = []
        self._closed = False

    def take(self, activity_type: str) -> SlotPermit | None:
        permit = self._reserved.pop() if self._reserved else None
        if permit is None:
            if self._waiting is None and not self._closed:
                self._waiting = asyncio.get_running_loop().create_task(self._reserve())
            return None
        try:
            self._supplier.mark_slot_used(SlotMarkUsedContext(UsedFor(activity_type), permit))
        except Exception:  # of the user's code, which changes nothing about the slot
            _log.exception("slot_supplier_failed", call="mark_slot_used")
        return permit

    def give_back(self, activity_type: str, permit: SlotPermit) -> None:
        self._release(SlotReleaseContext(UsedFor(activity_type), permit))

    def close(self) -> None:
        self._closed = True
        if self._waiting is not None:
            self._waiting.cancel()
        for permit in self._reserved:
            self._release(SlotReleaseContext(None, permit))
        self._reserved.clear()

    async def _reserve(self) -> None:
        permit: SlotPermit | None = None
        while permit is None:
            try:
                permit = await self._supplier.reserve_slot(self._context)
            except Exception:  # of the user's code, which is asked again
                _log.exception("slot_supplier_failed", call="reserve_slot")
                await asyncio.sleep(LOOK_AGAIN_S)
        self._waiting = None
        self._reserved.append(permit)
        self._wake()

    def _release(self, context: SlotReleaseContext) -> None:
        try:
            self._supplier.release_slot(context)
        except Exception:  # of the user's code, which changes nothing about the slot
            _log.exception("slot_supplier_failed", call="release_slot")

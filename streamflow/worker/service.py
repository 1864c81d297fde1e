"""A worker's parts, from the queue to the threads: put on the log in order, watched, and taken down in order.

start:  queue --> instance name --> executor --> processor, poller
stop:   no new tasks --> activities end, or are cancelled after the graceful timeout --> commit, leave the groups
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from streamflow import topology
from streamflow.activity.cancellation import ActivityCancellationDetails
from streamflow.activity.context import Once
from streamflow.common import HeaderCodecBehavior
from streamflow.config import Instance, claim_instance, require_assertions, state_folder
from streamflow.model.queues import QueueEntry
from streamflow.observability import get_logger
from streamflow.ports import Running, Stores
from streamflow.threads import off_the_loop
from streamflow.worker.alarms import Counted, Following
from streamflow.worker.capacity.slots import SlotType, slots_of
from streamflow.worker.capacity.tuning import (
    CustomSlotSupplier,
    FixedSizeSlotSupplier,
    SlotSupplier,
    slots_max,
)
from streamflow.worker.capacity.workflow_slots import WorkflowSlots
from streamflow.worker.conflicts import serving
from streamflow.worker.hosts.collector import collect_less_often
from streamflow.worker.hosts.standalone import Standalone
from streamflow.worker.hosts.yielding import NOBODY, Place, leave, make_room
from streamflow.worker.pulse import Pulses
from streamflow.worker.reaching import StoppedWaiting, once_reached
from streamflow.worker.reporting import Reporting
from streamflow.worker.restores import Restores
from streamflow.worker.running.calling import Caller
from streamflow.worker.running.executor import Executor
from streamflow.worker.setup import Setup, WorkerClient
from streamflow.worker.taking.limits import PollerOptions
from streamflow.worker.taking.poller import Poller
from streamflow.worker.taking.waiting import Rate

if TYPE_CHECKING:
    from pathlib import Path

_log = get_logger("worker")
_T = TypeVar("_T")
_unclaimed_names = itertools.count()

MACHINES_END_S = 45.0
"""How long the processor and the poller have to hand over and close."""

FETCHED_MAX = 500
"""Tasks that are fetched for slots which may or may not be given."""

ABANDON_AFTER_S = 10.0
"""Activities that go on for so long after their cancellation hold up a shutdown no more."""
_SHUTTING_DOWN = ActivityCancellationDetails(worker_shutdown=True)


class Service:
    """One run of a worker, on one event loop."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._log = setup.client.log
        self.pulses = Pulses(self._log)
        self._shutdown = Once()
        self._stopping: asyncio.Event | None = None
        self._part = ExitStack()
        self._place: Place = (self._log.cluster_id, setup.client.namespace, setup.queue)
        self._made_room = False
        self._own_threads: ThreadPoolExecutor | None = None
        self._instance: Instance | None = None
        self._stores: Stores | None = None
        self._caller: Caller | None = None
        self._broken: asyncio.Future[None]
        self._executor: Executor | None = None
        self._local: Executor | None = None
        self._workflow_slots: WorkflowSlots | None = None
        self._poller: Poller | None = None
        self._standalone: Standalone | None = None
        self._processing: Running | None = None
        self._polling: Running | None = None
        self._following: Running | None = None
        self._reporting: Reporting | None = None
        self.restores: Restores | None = None
        """Of its processor; ``None`` before that was made, and without one."""

    @property
    def executor(self) -> Executor | None:
        """What runs the activities; ``None`` before that was made."""
        return self._executor

    async def start(self, stopping: asyncio.Event | None = None) -> None:
        """Raises what keeps a part from starting; `stop` then takes the others down.

        With ``stopping``, a log that is away is waited for until that is set; then `until` returns at once.
        """
        self._stopping = stopping
        self._broken = asyncio.get_running_loop().create_future()
        with suppress(StoppedWaiting):
            await self._start()

    async def _start(self) -> None:
        setup = self._setup
        if setup.definitions:
            require_assertions()
        if setup.definitions and NOBODY not in setup.definitions:
            self._made_room = True
            await make_room(self._place)
        await off_the_loop(self._log, self._take_part)
        await self._reached(setup.client.require_namespace)
        entry = await self._reached(lambda: off_the_loop(self._log, self._ensure_queue))
        name = await off_the_loop(self._log, self._claim_name)
        if setup.registry.has_sync and setup.threads is None and self._log.threaded:
            threads = slots_max(setup.slots)
            threads += slots_max(setup.local_slots) if setup.definitions else 0
            self._own_threads = ThreadPoolExecutor(threads, thread_name_prefix="activity")
        self._caller = Caller(
            setup.threads or self._own_threads,
            setup.shared_state,
            self._shutdown,
            setup.client.data_converter,
        )
        self._executor = self._make_executor(
            setup.slots, "activity", Rate(setup.activities_per_second)
        )
        if setup.definitions:
            await self._start_processor(entry, name)
        if setup.takes_tasks:
            self._start_poller(entry, name)
            self._standalone = Standalone(setup, Service)
            self._standalone.begin()
        _log.info("worker_started", queue=setup.queue, name=name, activities=len(setup.registry))

    async def until(self, stopping: asyncio.Event) -> None:
        """Returns when asked to stop; raises what ended a part before."""
        waits: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(running.wait()) for running in self._machines
        ]
        waits.append(asyncio.ensure_future(asyncio.shield(self._broken)))
        asked = asyncio.ensure_future(stopping.wait())
        try:
            await asyncio.wait([asked, *waits], return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                if wait.done():
                    wait.result()
        finally:
            for future in (asked, *waits):
                future.cancel()
            await asyncio.gather(asked, *waits, return_exceptions=True)

    async def stop(self, graceful_s: float) -> None:
        """Takes everything down, however far it came."""
        self._shutdown.set()
        try:
            if self._polling is not None:
                await self._end_activities(graceful_s)
        finally:
            try:
                await self._take_down()
            finally:
                self._leave()
        _log.info("worker_stopped", queue=self._setup.queue)

    def change_client(self, client: WorkerClient) -> None:
        """What activities are given as their client from now on."""
        for executor in (self._executor, self._local):
            if executor is not None:
                executor.change_client(client)

    # -- parts ----------------------------------------------------------------------------------------------------

    @property
    def _machines(self) -> list[Running]:
        machines = (self._processing, self._polling, self._following)
        return [running for running in machines if running is not None]

    def _take_part(self) -> None:
        """Raises `AppConflict` when others of this process serve the queue with other workflows."""
        setup = self._setup
        types = frozenset(name or "(dynamic)" for name in setup.definitions)
        self._part.enter_context(serving(*self._place, types))

    def _ensure_queue(self) -> QueueEntry:
        setup = self._setup
        entry = topology.ensure_queue(
            self._log,
            setup.client.namespace,
            setup.queue,
            kind="workflow" if setup.definitions else "activity",
            partitions=setup.partitions,
            create=setup.client.create_topics,
        )
        topology.refuse_unsafe(self._log, setup.client.namespace, entry)
        return entry

    def _claim_name(self) -> str:
        """The instance's name: held by a locked file, except on the log in memory, which nobody else can reach."""
        setup = self._setup
        if not self._log.durable:
            return setup.name or f"worker-{next(_unclaimed_names)}"
        self._instance = claim_instance(
            setup.client.namespace, setup.queue, setup.name, root=self._state_root()
        )
        return self._instance.name

    def _state_root(self) -> Path | None:
        """Where state and names are kept: as told, else in the embedded log's folder, else the machine's default."""
        from streamflow import wiring

        return self._setup.state_dir or wiring.state_root(self._log)

    def _break(self, error: BaseException) -> None:
        """Sync activities cannot run any more: the worker ends, for others to take over."""
        if not self._broken.done():
            failed = RuntimeError("Activity worker failed")
            failed.__cause__ = error
            self._broken.set_exception(failed)

    def _make_executor(
        self, supplier: SlotSupplier, slot_type: SlotType, rate: Rate | None = None
    ) -> Executor:
        setup = self._setup
        context = setup.reserve_context(slot_type)
        return Executor(
            setup.registry,
            setup.client.data_converter,
            self._log.clock,
            namespace=setup.client.namespace,
            slots=lambda wake: slots_of(supplier, context, wake),
            client=setup.client,
            caller=self._caller,
            rate=rate,
            on_broken=self._break,
            hold=getattr(self._log, "hold", None),
            worker_shutdown=self._shutdown,
            interceptors=setup.interceptors,
            header_codec=setup.client.header_codec_behavior is HeaderCodecBehavior.CODEC,
        )

    async def _start_processor(self, entry: QueueEntry, name: str) -> None:
        from streamflow import wiring
        from streamflow.worker.processing import processor_of

        setup, folder = self._setup, None
        if self._log.threaded:
            collect_less_often()
        if self._log.durable:
            folder = state_folder(
                setup.client.namespace, setup.queue, name, root=self._state_root()
            )
        self._stores = await self._reached(
            lambda: off_the_loop(
                self._log, lambda: wiring.open_stores(self._log, folder, made_ms=entry.made_ms)
            )
        )
        self._local = self._make_executor(setup.local_slots, "local-activity")
        if isinstance(setup.workflow_slots, CustomSlotSupplier):
            context = setup.reserve_context("workflow")
            self._workflow_slots = WorkflowSlots(setup.workflow_slots, context)
        processor = processor_of(
            setup,
            self._stores,
            entry,
            name=name,
            folder=folder,
            local=self._local,
            workflow_slots=self._workflow_slots,
        )
        counted = Counted(processor, setup) if setup.client.runtime.has_metrics else processor
        self._processing = self.pulses.drive(
            counted, lambda: processor.ready, name=f"processor {setup.queue}"
        )
        if processor.standby is not None:
            following = Following(processor.standby, setup)
            self._following = self._log.drive(following, name=f"standby {setup.queue}")
        self.restores = Restores(self._log, processor)
        if self._log.threaded:
            self._reporting = Reporting(self._log, setup, name, processor)

    def _start_poller(self, entry: QueueEntry, name: str) -> None:
        setup = self._setup
        assert self._executor is not None
        # How many slots there will be is known of fixed ones only; for others no more is fetched than may begin.
        fixed = isinstance(setup.slots, FixedSizeSlotSupplier)
        options = PollerOptions(
            namespace=setup.client.namespace,
            queue=setup.queue,
            name=name,
            identity=setup.identity,
            slots=min(slots_max(setup.slots), FETCHED_MAX),
            prefetch=slots_max(setup.slots) if fixed else 0,
            heartbeat_ms_max=_ms(setup.heartbeat_max),
            heartbeat_ms_default=_ms(setup.heartbeat_default),
            queue_partitions=entry.partitions,
            queue_per_second=setup.queue_activities_per_second,
        )
        poller = self._poller = Poller(self._log, self._executor, options)
        self._polling = self.pulses.drive(
            poller, lambda: poller.ready, name=f"activities {setup.queue}"
        )

    # -- taking down ----------------------------------------------------------------------------------------------

    async def _take_down(self) -> None:
        if self._standalone is not None:
            await self._standalone.end()
        ended = await self._end_machines()
        if self._reporting is not None:
            await self._reporting.end()
        if self._workflow_slots is not None:
            await self._workflow_slots.end()
        if self._local is not None:
            self._local.cancel_all(_SHUTTING_DOWN)
        for executor in (self._executor, self._local):
            if executor is not None:
                executor.close()
        if self._own_threads is not None:
            self._own_threads.shutdown(wait=False, cancel_futures=True)
        # What a machine that did not end may still use stays as it is: the process is about to go.
        if self._stores is not None and ended:
            await off_the_loop(self._log, self._stores.close)

    def _leave(self) -> None:
        """Gives up the name and the place, whatever became of the rest."""
        if self._instance is not None:
            self._instance.release()
        self._part.close()
        if self._made_room:
            leave(self._place)

    async def _end_activities(self, graceful_s: float) -> None:
        assert self._executor is not None
        assert self._poller is not None
        self._executor.begin_no_more()
        self._poller.drain()
        if await self._idle_within(graceful_s):
            return
        self._executor.cancel_all(_SHUTTING_DOWN)
        if not await self._idle_within(ABANDON_AFTER_S):
            abandoned = [attempt.task.activity_type for attempt in self._executor.running]
            _log.warning("activities_abandoned", queue=self._setup.queue, types=abandoned)

    async def _idle_within(self, seconds: float) -> bool:
        assert self._executor is not None
        try:
            await asyncio.wait_for(self._executor.idle(), seconds)
        except TimeoutError:
            return False
        return True

    async def _end_machines(self) -> bool:
        """All at once; what went wrong in one has been raised by `until`, or is logged by its driver.

        Whether all ended: one whose brokers are gone for good may hang in its client library, and must not keep the
        process from ending. Its successor fences it.
        """
        machines = self._machines
        for running in machines:
            running.stop()
        if not machines:
            return True
        ends = [asyncio.ensure_future(running.wait()) for running in machines]
        done, hanging = await asyncio.wait(ends, timeout=MACHINES_END_S)
        for end in done:
            if error := end.exception():
                _log.debug("machine_ended", queue=self._setup.queue, error=repr(error))
        for end in hanging:
            end.cancel()
            _log.error("machine_abandoned", queue=self._setup.queue, after_s=MACHINES_END_S)
        return not hanging

    async def _reached(self, call: Callable[[], Awaitable[_T]]) -> _T:
        if self._stopping is None:
            return await call()
        return await once_reached(call, repr(self._log), stopping=self._stopping)


def _ms(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)

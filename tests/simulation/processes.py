"""The processes of a simulated world: production workers and clients on a log that can crash, pause and be wrong in time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import msgspec

import streamflow.coroutine.instance
import streamflow.memory.log
import streamflow.processor
from streamflow import wiring
from streamflow.client.client import Client
from streamflow.client.log.transport import LogTransport
from streamflow.config import DEFAULT_NAMESPACE
from streamflow.memory.broker import MemoryBroker
from streamflow.memory.log import MemoryLog
from streamflow.memory.objects import MemoryBucket
from streamflow.memory.processes import ProcessCrashed
from streamflow.memory.store import MemoryStores
from streamflow.memory.transactor import MemoryTransactor
from streamflow.ports import Clock, Fenced, LogError, Machine, Running
from streamflow.processor import Processor, ProcessorOptions
from streamflow.worker import Worker
from tests.simulation.plan import Plan
from tests.simulation.programs import Hands, Witness

QUEUE = "q"
Disk = Literal["kept", "empty", "behind", "damaged"]
RESTART_MS = 1_000
"""After so long whoever watches over processes starts one again that ended by itself."""


class StateCare(NamedTuple):
    """What processors do so that losing a disk or an owner costs little."""

    snapshot_every_ms: int = 0
    standby: int = 0


NO_CARE = StateCare()


class WrongClock:
    """A machine whose clock is ahead or behind."""

    def __init__(self, clock: Clock, skew_ms: int) -> None:
        self._clock = clock
        self._skew_ms = skew_ms

    def now_ms(self) -> int:
        return self._clock.now_ms() + self._skew_ms

    def monotonic_ms(self) -> int:
        return self._clock.monotonic_ms()


class _Lagging:
    """A machine whose turns can come late."""

    def __init__(self, machine: Machine, log: SimLog) -> None:
        self._machine = machine
        self._log = log
        self.open = machine.open
        self.close = machine.close

    def turn(self) -> int | None:
        late_ms = self._log.late_until_ms - self._log.clock.monotonic_ms()
        return late_ms if late_ms > 0 else self._machine.turn()


class SimLog(MemoryLog):
    """A process's connection, with the disk and the clock of its machine."""

    def __init__(
        self,
        broker: MemoryBroker,
        name: str,
        stores: MemoryStores,
        *,
        skew_ms: int = 0,
        bucket: MemoryBucket | None = None,
        state: StateCare = NO_CARE,
    ) -> None:
        super().__init__(broker, name)
        self.stores = stores
        self.bucket = bucket or MemoryBucket()
        self.state = state
        self.processors: list[Processor] = []
        self.resumed_ms = 0
        self.late_until_ms = 0
        """Until then its processor takes no turn."""
        self._clock = WrongClock(broker.clock, skew_ms)

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def cluster_id(self) -> str:
        """Its own: what is checked within a process must not meet the other processes that are simulated in this one."""
        return f"{self.process.name} {id(self.process)}"

    def drive(self, machine: Machine, *, name: str) -> Running:
        if name.startswith("processor "):
            machine = _Lagging(machine, self)
        return super().drive(machine, name=name)

    def resume(self) -> None:
        self.resumed_ms = self.broker.clock.monotonic_ms()
        super().resume()

    def undisturbed_ms(self) -> int:
        return self.broker.clock.monotonic_ms() - self.resumed_ms


class Plant(NamedTuple):
    """What a simulation is run with; the defaults are production's, anything else is a planted bug."""

    transactor: type[MemoryTransactor] = MemoryTransactor


@contextmanager
def machines(plant: Plant, plan: Plan) -> Iterator[None]:
    """While entered, a worker finds its machine's disk, what is planted, and the bounds of the plan."""

    def stores_of(log: Any, _folder: object, **_made: object) -> MemoryStores:
        assert isinstance(log, SimLog)
        return log.stores

    def make(log: SimLog, *args: Any, **options: Any) -> Processor:
        if log.state.snapshot_every_ms:
            options["snapshots"] = log.bucket.of(log)
        args = tuple(_small(arg, log.state) for arg in args)
        made = Processor(log, *map(bounded, args), **options)
        log.processors.append(made)
        return made

    def bounded(argument: Any) -> Any:
        if not isinstance(argument, ProcessorOptions):
            return argument
        return msgspec.structs.replace(
            argument,
            records_of_one_max=plan.records_of_one_max,
            turn_records_long=plan.turn_records_long,
            batch_records_max=plan.batch_records_max,
            runs_cached_max=plan.runs_cached_max,
        )

    replaced = (
        (wiring, "open_stores", stores_of),
        (streamflow.processor, "Processor", make),
        (streamflow.memory.log, "MemoryTransactor", plant.transactor),
        (streamflow.coroutine.instance, "ASKED_MAX", plan.asked_max),
    )
    before = [vars(module)[name] for module, name, _ in replaced]
    for module, name, value in replaced:
        vars(module)[name] = value
    try:
        yield
    finally:
        for (module, name, _), value in zip(replaced, before, strict=True):
            vars(module)[name] = value


def _small(argument: Any, state: StateCare) -> Any:
    """A processor's options, for a log that is short and whose processes must agree on what it is called."""
    if not isinstance(argument, ProcessorOptions):
        return argument
    return msgspec.structs.replace(
        argument,
        log_id="simulated",
        snapshot_every_ms=state.snapshot_every_ms,
        snapshot_gain_min=1,
        standby=state.standby,
        standby_look_ms=1_000,
        store_kept_ms=5_000,
    )


class Node:
    """A machine with one worker process, which somebody starts again when it ends."""

    def __init__(
        self,
        broker: MemoryBroker,
        name: str,
        witness: Witness,
        failures: list[str],
        *,
        workflows: Sequence[type] = (),
        queue: str = QUEUE,
        skew_ms: int = 0,
        bucket: MemoryBucket | None = None,
        state: StateCare = NO_CARE,
    ) -> None:
        self.name = name
        self.workflows = workflows
        self.skew_ms = skew_ms
        self._bucket = bucket or MemoryBucket()
        self._state = state
        self.stores = MemoryStores()
        self.log = SimLog(broker, name, self.stores)
        self.had_twin = False
        self._former: list[SimLog] = []
        self._broker = broker
        self._queue = queue
        self._witness = witness
        self._failures = failures
        self._task: asyncio.Task[None] | None = None
        self._worker: Worker | None = None
        self._starts_at_ms = 0
        self._wanted = False
        self.dies_with: Disk = "kept"
        """What its next death does to its disk."""

    @property
    def down(self) -> bool:
        return self._task is None

    def start(self) -> None:
        """A new process of the same name, on the machine's disk."""
        self._wanted = True
        log = SimLog(
            self._broker,
            self.name,
            self.stores,
            skew_ms=self.skew_ms,
            bucket=self._bucket,
            state=self._state,
        )
        self._former.append(self.log)
        self.log = log
        self._task = asyncio.get_running_loop().create_task(self._serve(log), context=log.context())
        self._task.add_done_callback(lambda task: self._ended(log, task))

    def watch(self) -> None:
        """Starts the process again if it is dead and its time has come."""
        now_ms = self._broker.clock.monotonic_ms()
        if self._task is not None and self.log.process.dead:
            self._task = None
            self._lose()
            self._starts_at_ms = max(self._starts_at_ms, now_ms + RESTART_MS)
        if self._wanted and self._task is None and now_ms >= self._starts_at_ms:
            self.start()

    def twin(self) -> None:
        """A second process of the name, beside the first, which has the disk: each joining of one fences the other."""
        self.had_twin = True
        self.stores = MemoryStores()
        self.start()

    def end_twins(self) -> None:
        """Kills every process of this name but the last."""
        for log in self._former:
            log.crash()

    def crash(self, *, down_ms: int = 0) -> None:
        self.log.crash()
        self._starts_at_ms = self._broker.clock.monotonic_ms() + down_ms
        self.watch()

    def _lose(self) -> None:
        """The process is gone, and something may be gone from its disk."""
        self.stores.crash(batches_lost=3 if self.dies_with == "behind" else 0)
        if self.dies_with == "empty":
            self.stores = MemoryStores()
        if self.dies_with == "damaged":
            for name in self.stores.names():
                self.stores.corrupt(name)
            for name in sorted(self._bucket.objects)[-1:]:
                self._bucket.objects[name] = self._bucket.objects[name][:-1]
        self.dies_with = "kept"

    async def shut_down(self) -> None:
        """In good order."""
        self._wanted = False
        task, worker = self._task, self._worker
        if task is None or worker is None or self.log.process.dead:
            return
        stopping = asyncio.get_running_loop().create_task(
            worker.shutdown(), context=self.log.context()
        )
        await asyncio.wait([stopping, task], timeout=60, return_when=asyncio.FIRST_COMPLETED)

    async def _serve(self, log: SimLog) -> None:
        client = Client(LogTransport(log, DEFAULT_NAMESPACE), identity=self.name)
        hands = Hands(
            self._witness, self.name, log.broker.clock.now_ms, undisturbed_ms=log.undisturbed_ms
        )
        self._worker = Worker(
            client,
            task_queue=self._queue,
            workflows=self.workflows,
            activities=[hands.work],
            name=self.name,
        )
        await self._worker.run()

    def _ended(self, log: SimLog, task: asyncio.Task[None]) -> None:
        """The process has ended by itself: with nothing but a word about its log, or something is wrong."""
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, LogError | ProcessCrashed):
            self._failures.append(f"{self.name} ended by {error!r}")
        log.crash()
        if self.log is not log:
            return  # a newer process has the name, and this one has noticed
        if isinstance(error, Fenced) and not self.had_twin:
            self._failures.append(f"{self.name} was fenced by nobody: {error}")
        self._task = None
        self._lose()
        self._starts_at_ms = self._broker.clock.monotonic_ms() + RESTART_MS


class ClientProcess:
    """A process that asks things of workflows."""

    def __init__(self, broker: MemoryBroker, name: str) -> None:
        self.name = name
        self._broker = broker
        self.start()

    def start(self) -> None:
        self.log = SimLog(self._broker, self.name, MemoryStores())
        self.client = Client(LogTransport(self.log, DEFAULT_NAMESPACE), identity=self.name)

    @property
    def dead(self) -> bool:
        return self.log.process.dead

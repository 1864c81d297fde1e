"""One simulated run: a plan carried out on production code, then calm, then everything is brought to its end."""

from __future__ import annotations

import asyncio
import contextvars
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from streamflow import topology
from streamflow.client.errors import (
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from streamflow.common import WorkflowIDReusePolicy
from streamflow.config import DEFAULT_NAMESPACE
from streamflow.exceptions import WorkflowAlreadyStartedError
from streamflow.memory.broker import MemoryBroker, Trace
from streamflow.memory.faults import Faults
from streamflow.memory.log import MemoryLog
from streamflow.memory.processes import PROCESS, ProcessCrashed
from streamflow.memory.simloop import SimLoop, simulate
from streamflow.ports import OutRecord
from streamflow.service import RPCError
from tests.simulation.chance import chance_from
from tests.simulation.plan import CHAOS_MS, CLIENTS, NODES, Blow, Message, Plan, Workflow, draw
from tests.simulation.processes import QUEUE, ClientProcess, Node, Plant, SimLog, machines
from tests.simulation.programs import SIDE_QUEUE, VERSION_1, VERSION_2, Witness

PRODUCTION = Plant()
END_S = 900.0
"""In calm every run has ended after so long, stuck ones and their longest backoff included."""


@dataclass(slots=True)
class Call:
    """What a client asked, and what it was told: ``None`` until (and unless) it was answered."""

    workflow: Workflow
    message: Message
    value: str
    sent_ms: int
    answered_ms: int | None = None
    answer: Any = None
    error: Exception | None = None

    @property
    def succeeded(self) -> bool:
        return self.answered_ms is not None and self.error is None


@dataclass(slots=True)
class World:
    """Everything that the checker may look at."""

    plan: Plan
    broker: MemoryBroker
    faults: Faults
    witness: Witness = field(default_factory=Witness)
    calls: list[Call] = field(default_factory=list[Call])
    failures: list[str] = field(default_factory=list[str])
    nodes: dict[str, Node] = field(default_factory=dict[str, Node])
    clients: dict[str, ClientProcess] = field(default_factory=dict[str, ClientProcess])
    stalls: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """By process: after how many steps of commits it is to stall, and for how long."""
    relays: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """The same, from when the process begins to read a partition."""
    stalled: list[SimLog] = field(default_factory=list[SimLog])
    """Those that stall now."""
    silent_ms: list[int] = field(default_factory=list[int])
    """When the group had no member (every 100 ms)."""
    tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    @property
    def now_ms(self) -> int:
        return self.broker.clock.monotonic_ms()

    @property
    def logs(self) -> list[SimLog]:
        """Of every process, clients included."""
        nodes = [node.log for node in self.nodes.values()]
        return nodes + [client.log for client in self.clients.values()]


def run(
    seed: int,
    check: Callable[[World], None],
    *,
    plant: Plant = PRODUCTION,
    trace: Trace | None = None,
) -> World:
    """Carries out what the seed means; ``check`` is called at the end, with every process still alive."""
    plan = draw(seed)

    async def main(loop: SimLoop) -> World:
        faults = Faults(seed, plan.rates)
        broker = MemoryBroker(clock=loop.clock, faults=faults)
        world = World(plan, broker, faults)
        broker.trace = _tracing(world, loop, trace)
        watching = asyncio.ensure_future(_watch_members(world))
        try:
            await _live(world)
            check(world)
        finally:
            watching.cancel()
            # What is left is not part of the run: asyncio ends it in an order of its own.
            for log in world.logs:
                log.crash()
        return world

    with chance_from(seed), machines(plant):
        return simulate(main, seed=seed)


def _tracing(world: World, loop: SimLoop, trace: Trace | None) -> Trace:
    """Sees every call to the log, and lets the planned ones stall."""

    def note(process: str, call: str) -> None:
        if trace is not None:
            trace(process, call)
        if call == "start_reading" and process in world.relays:
            world.stalls[process] = world.relays.pop(process)
            world.relays.clear()
        elif call.startswith("commit") and process in world.stalls:
            _stall(world, loop, world.nodes[process].log)

    return note


def _stall(world: World, loop: SimLoop, log: SimLog) -> None:
    """Everybody else goes on, inside this call. Within a task asyncio could not do that: then the next call stalls."""
    calls_left, lasts_ms = world.stalls[log.process.name]
    if calls_left > 0:
        world.stalls[log.process.name] = (calls_left - 1, lasts_ms)
        return
    if log.process.paused or PROCESS.get() is not log.process or asyncio.current_task():
        return
    del world.stalls[log.process.name]
    log.pause()
    world.stalled.append(log)
    ends_ms = world.now_ms + lasts_ms
    loop.call_at(ends_ms / 1000, lambda: None, context=contextvars.Context())
    while world.now_ms < ends_ms:
        loop._run_once()
    world.stalled.remove(log)
    if log.process.dead:
        raise ProcessCrashed(log.process.name)
    log.resume()


async def _watch_members(world: World) -> None:
    group = world.broker.group(topology.processor_group(DEFAULT_NAMESPACE, QUEUE))
    while True:
        if not group.live_members():
            world.silent_ms.append(world.now_ms)
        await asyncio.sleep(0.1)


async def _live(world: World) -> None:
    plan = world.plan
    rates, world.faults.rates = world.faults.rates, type(plan.rates)()
    _make_topics(world)
    world.faults.rates = rates
    for name in NODES:
        node = Node(world.broker, name, world.witness, world.failures, skew_ms=plan.skews[name])
        world.nodes[name] = node
        _start(world, node)
    for name in CLIENTS:
        world.clients[name] = ClientProcess(world.broker, name)
    scripts = [
        asyncio.ensure_future(_at(world, message.at_ms, _deliver(world, workflow, message)))
        for workflow in plan.workflows
        for message in workflow.messages
    ]
    blows = [
        asyncio.ensure_future(_at(world, blow.at_ms, _strike(world, blow))) for blow in plan.blows
    ]
    blows.append(asyncio.ensure_future(_at(world, plan.side_ms, _make_side_queue(world))))
    while world.now_ms < CHAOS_MS:
        await asyncio.sleep(0.2)
        for node in world.nodes.values():
            if node.name in NODES and (node.down or node.log.process.dead):
                node.workflows = _version(world)
            node.watch()
    await asyncio.gather(*scripts, *blows)
    await _end(world)


def _make_topics(world: World) -> None:
    operator = MemoryLog(world.broker, "operator")
    topology.ensure_queue(
        operator,
        DEFAULT_NAMESPACE,
        QUEUE,
        kind="workflow",
        partitions=world.plan.partitions,
        create=True,
    )


async def _make_side_queue(world: World) -> None:
    operator = MemoryLog(world.broker, "operator")
    rates, world.faults.rates = world.faults.rates, type(world.plan.rates)()
    topology.ensure_queue(
        operator, DEFAULT_NAMESPACE, SIDE_QUEUE, kind="activity", partitions=1, create=True
    )
    world.faults.rates = rates
    node = Node(world.broker, "side", world.witness, world.failures, queue=SIDE_QUEUE)
    world.nodes["side"] = node
    node.start()


def _version(world: World) -> Any:
    return VERSION_1 if world.now_ms < world.plan.deploy_ms else VERSION_2


def _start(world: World, node: Node) -> None:
    if node.name in NODES:
        node.workflows = _version(world)
    node.start()


async def _at(world: World, at_ms: int, what: Any) -> None:
    await asyncio.sleep(max(0, at_ms - world.now_ms) / 1000)
    await what


# -- blows --------------------------------------------------------------------------------------------------------


async def _strike(world: World, blow: Blow) -> None:
    if blow.kind == "blackout":
        _black_out(world, blow)
        return
    if blow.process in CLIENTS:
        await _strike_client(world.clients[blow.process], blow)
        return
    node = world.nodes[blow.process]
    if node.down:
        return
    log = node.log
    node.skew_ms = blow.skew_ms
    match blow.kind:
        case "crash":
            node.dies_with = blow.store
            node.workflows = _version(world)
            node.crash(down_ms=blow.lasts_ms)
        case "crash_at":
            node.dies_with = blow.store
            world.faults.crash_at(node.name, log.process.calls + blow.calls)
        case "stall":
            world.stalls[node.name] = (blow.calls, blow.lasts_ms)
        case "relay":
            await _relay(world, node, blow)
        case "pause" if not log.process.paused:
            log.pause()
            await asyncio.sleep(blow.lasts_ms / 1000)
            if not log.process.dead:
                log.resume()
        case "pause":
            pass
        case "restart":
            if not log.process.paused:
                await node.shut_down()
                _start_again(world, node)
        case "twin":
            node.workflows = _version(world)
            node.twin()


def _start_again(world: World, node: Node) -> None:
    """After it was shut down, unless another blow has started it meanwhile."""
    if node.down:
        _start(world, node)


async def _relay(world: World, node: Node, blow: Blow) -> None:
    if node.log.process.paused:
        return
    stall = (blow.calls // 2, 8_000 + blow.lasts_ms)
    world.relays = {name: stall for name in NODES if name != node.name}
    await node.shut_down()
    await asyncio.sleep(blow.lasts_ms / 1000)
    world.relays.clear()
    _start_again(world, node)


def _black_out(world: World, blow: Blow) -> None:
    """Nobody is up for so long that the broker forgets the group's offsets."""
    for name in NODES:
        node = world.nodes[name]
        node.dies_with = blow.store
        node.crash(down_ms=blow.lasts_ms + 8_000)
    group = topology.processor_group(DEFAULT_NAMESPACE, QUEUE)
    world.broker.clock.call_at(
        world.broker.clock.now_ms() + blow.lasts_ms + 7_000,
        world.broker.group(group).positions.forget,
    )


async def _strike_client(client: ClientProcess, blow: Blow) -> None:
    log = client.log
    if blow.kind == "pause":
        log.pause()
        await asyncio.sleep(blow.lasts_ms / 1000)
        log.resume()
        return
    log.crash()
    await asyncio.sleep(blow.lasts_ms / 1000)
    if client.log is log:
        client.start()


# -- messages -----------------------------------------------------------------------------------------------------


async def _deliver(world: World, workflow: Workflow, message: Message) -> None:
    """Within its client's process, which may die meanwhile: then nobody is ever told."""
    client = world.clients[message.client]
    if client.dead:
        return
    call = Call(workflow, message, message.value, world.now_ms)
    world.calls.append(call)
    task = asyncio.get_running_loop().create_task(
        _ask(world, client, call), context=client.log.context()
    )
    world.tasks.add(task)


async def _ask(world: World, client: ClientProcess, call: Call) -> None:
    try:
        call.answer = await _asked(client, call)
    except (
        RPCError,
        WorkflowAlreadyStartedError,
        WorkflowFailureError,
        WorkflowQueryFailedError,
        WorkflowUpdateFailedError,
    ) as error:
        call.error = error
    call.answered_ms = world.now_ms


async def _asked(process: ClientProcess, call: Call) -> Any:
    workflow = call.workflow
    client = process.client
    handle = client.get_workflow_handle(workflow.id, task_queue=QUEUE)
    match call.message.kind:
        case "start" if workflow.executes:
            return await client.execute_workflow(workflow.type, **_start_options(workflow))
        case "start":
            started = await client.start_workflow(workflow.type, **_start_options(workflow))
            return started.result_run_id
        case "outsider":
            _publish_start(process, workflow, call.value)
            return None
        case "signal":
            return await handle.signal("note", call.value)
        case "update":
            patience = timedelta(minutes=10)
            return await handle.execute_update(
                "change", call.value, id=call.value, rpc_timeout=patience
            )
        case "query":
            return await handle.query("notes")
        case "describe":
            return (await handle.describe()).status
        case "history":
            return await handle.fetch_history()
        case "cancel":
            return await handle.cancel()
        case "end":
            return await handle.terminate(reason="planned")


def _start_options(workflow: Workflow) -> Any:
    options: dict[str, Any] = {
        "args": [workflow.steps, [], []],
        "id": workflow.id,
        "task_queue": QUEUE,
        "id_reuse_policy": WorkflowIDReusePolicy.REJECT_DUPLICATE,
    }
    if workflow.with_signal:
        options |= {"start_signal": "note", "start_signal_args": [workflow.with_signal]}
    if workflow.delay_ms:
        options["start_delay"] = timedelta(milliseconds=workflow.delay_ms)
    return options


def _publish_start(process: ClientProcess, workflow: Workflow, copy: str) -> None:
    """As a program that knows nothing of streamflow does; copies have one message ID, and may lie on a wrong partition."""
    topic = topology.inbox_topic(DEFAULT_NAMESPACE, QUEUE)
    count = process.log.broker.topics()[topic].partitions
    partition = topology.partition_for(workflow.id, count) if copy != "1" else 0
    body = {"type": "start", "workflow": workflow.type, "args": [workflow.steps, [], []]}
    headers = (("sf-message-id", f"out-{workflow.id}".encode()),)
    record = OutRecord(topic, partition, workflow.id.encode(), json.dumps(body).encode(), headers)
    process.log.producer().send(record)


# -- the end ------------------------------------------------------------------------------------------------------


async def _end(world: World) -> None:
    """Calm: nothing goes wrong any more, every machine is up with mended code, and every run must end."""
    world.faults.calm()
    world.stalls.clear()
    while world.stalled:  # noqa: ASYNC110  # virtual time costs nothing
        await asyncio.sleep(0.1)
    for node in world.nodes.values():
        node.end_twins()
        node.dies_with = "kept"
        node.skew_ms = 0
        if node.log.process.paused and not node.log.process.dead:
            node.log.resume()
        await node.shut_down()
        node.crash()
        if node.name in NODES:
            node.workflows = VERSION_2
    for node in world.nodes.values():
        if node.down or node.log.process.dead:
            node.start()
    if any(call.message.kind == "start" and call.answered_ms is None for call in world.calls):
        await asyncio.sleep(21)  # a start that was lost is sent once more
    closer = world.clients["closer"] = ClientProcess(world.broker, "closer")
    ends = [_close(world, closer, workflow) for workflow in world.plan.workflows]
    context = closer.log.context()
    loop = asyncio.get_running_loop()
    await asyncio.gather(*(loop.create_task(end, context=context) for end in ends))
    await asyncio.sleep(15)  # every client has its answer or has given up


async def _close(world: World, closer: ClientProcess, workflow: Workflow) -> None:
    handle = closer.client.get_workflow_handle(workflow.id, task_queue=QUEUE)
    try:
        await handle.describe(rpc_timeout=timedelta(seconds=60))
        for number in range(workflow.wants):
            await handle.signal("note", f"{workflow.id}-final-{number}")
    except RPCError as error:
        if "Expected an answer" in str(error):
            world.failures.append(f"{workflow.id}: nobody answers in calm: {error}")
            return
    try:
        await handle.result(rpc_timeout=timedelta(seconds=END_S))
    except RPCError as error:
        if "found none: it was never started" not in str(error):
            world.failures.append(f"{workflow.id}: no end: {error}")
    except WorkflowFailureError:
        pass  # the checker judges how it ended

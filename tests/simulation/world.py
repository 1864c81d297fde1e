"""One simulated run: a plan carried out on production code, then calm, then everything is brought to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from streamflow import topology
from streamflow.client.errors import (
    WorkflowFailureError,
)
from streamflow.config import DEFAULT_NAMESPACE
from streamflow.memory.broker import MemoryBroker, Trace
from streamflow.memory.faults import Faults
from streamflow.memory.log import MemoryLog
from streamflow.memory.simloop import SimLoop, simulate
from streamflow.service import RPCError
from tests.simulation.asking import deliver
from tests.simulation.blows import stall, start, strike, version_of
from tests.simulation.chance import chance_from
from tests.simulation.plan import CHAOS_MS, CLIENTS, NODES, Plan, Workflow, draw
from tests.simulation.processes import QUEUE, ClientProcess, Node, Plant, StateCare, machines
from tests.simulation.programs import SIDE_QUEUE, VERSION_2
from tests.simulation.scene import World

PRODUCTION = Plant()
END_S = 900.0
"""In calm every run has ended after so long, stuck ones and their longest backoff included."""


def run(
    seed: int,
    check: Callable[[World], None],
    *,
    plant: Plant = PRODUCTION,
    trace: Trace | None = None,
) -> World:
    """Carries out what the seed means; ``check`` is called at the end, with every process still alive."""
    return carry_out(draw(seed), check, plant=plant, trace=trace)


def carry_out(
    plan: Plan,
    check: Callable[[World], None],
    *,
    plant: Plant = PRODUCTION,
    trace: Trace | None = None,
) -> World:
    """The same for a plan that was made otherwise."""
    seed = plan.seed

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

    with chance_from(seed), machines(plant, plan):
        return simulate(main, seed=seed)


def _tracing(world: World, loop: SimLoop, trace: Trace | None) -> Trace:
    """Sees every call to the log, and lets the planned ones stall."""
    group = world.broker.group(topology.processor_group(DEFAULT_NAMESPACE, QUEUE))

    def note(process: str, call: str) -> None:
        if trace is not None:
            trace(process, call)
        if call == "live_members" and not group.live_members():
            world.silent_ms.append(world.now_ms)  # too short for whoever looks ten times a second
        if call == "start_reading" and process in world.relays:
            world.stalls[process] = world.relays.pop(process)
            world.relays.clear()
        elif call.startswith("commit") and process in world.stalls:
            stall(world, loop, world.nodes[process].log)

    return note


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
        node = Node(
            world.broker,
            name,
            world.witness,
            world.failures,
            skew_ms=plan.skews[name],
            bucket=world.bucket,
            state=StateCare(plan.snapshot_every_ms, plan.standby),
        )
        world.nodes[name] = node
        start(world, node)
    for name in CLIENTS:
        world.clients[name] = ClientProcess(world.broker, name)
    scripts = [
        asyncio.ensure_future(_at(world, message.at_ms, deliver(world, workflow, message)))
        for workflow in plan.workflows
        for message in workflow.messages
    ]
    blows = [
        asyncio.ensure_future(_at(world, blow.at_ms, strike(world, blow))) for blow in plan.blows
    ]
    blows.append(asyncio.ensure_future(_at(world, plan.side_ms, _make_side_queue(world))))
    while world.now_ms < CHAOS_MS:
        await asyncio.sleep(0.2)
        for node in world.nodes.values():
            if node.name in NODES and (node.down or node.log.process.dead):
                node.workflows = version_of(world)
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


async def _at(world: World, at_ms: int, what: Any) -> None:
    await asyncio.sleep(max(0, at_ms - world.now_ms) / 1000)
    await what


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

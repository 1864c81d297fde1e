"""What happens to processes: crashes, pauses, stalls, lags, restarts, twins, blackouts."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

from streamflow import topology
from streamflow.config import DEFAULT_NAMESPACE
from streamflow.memory.processes import PROCESS, ProcessCrashed
from streamflow.memory.simloop import SimLoop
from tests.simulation.plan import CLIENTS, NODES, Blow
from tests.simulation.processes import QUEUE, ClientProcess, Node, SimLog
from tests.simulation.programs import VERSION_1, VERSION_2
from tests.simulation.scene import World


def version_of(world: World) -> Any:
    return VERSION_1 if world.now_ms < world.plan.deploy_ms else VERSION_2


def start(world: World, node: Node) -> None:
    if node.name in NODES:
        node.workflows = version_of(world)
    node.start()


def stall(world: World, loop: SimLoop, log: SimLog) -> None:
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


async def strike(world: World, blow: Blow) -> None:
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
            node.workflows = version_of(world)
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
        case "full disk":
            await _fill_disk(node, blow)
        case "lag":
            log.late_until_ms = log.clock.monotonic_ms() + blow.lasts_ms
        case "twin":
            node.workflows = version_of(world)
            node.twin()


async def _fill_disk(node: Node, blow: Blow) -> None:
    """Whatever becomes of its process meanwhile."""
    disk = node.stores
    disk.full = True
    await asyncio.sleep(blow.lasts_ms / 1000)
    disk.full = False


def _start_again(world: World, node: Node) -> None:
    """After it was shut down, unless another blow has started it meanwhile."""
    if node.down:
        start(world, node)


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

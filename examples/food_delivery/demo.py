"""Everything at once in one process: the log in a folder, a worker, the site, the web UI, and orders that move.

    python -m examples.food_delivery.demo               until Ctrl-C, in a temporary folder
    python -m examples.food_delivery.demo --data DIR    keeps the log, so that the next demo knows today's orders
    python -m examples.food_delivery.demo --once        until the orders are over

Kill it whenever you like: with `--data`, orders go on where they were.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import secrets
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from examples.food_delivery.activities import DECLINED_CARD, phones
from examples.food_delivery.app import QUEUE, app
from examples.food_delivery.orders import MENU, Limits, Order, State
from examples.food_delivery.site import Site, serving, url_of
from examples.food_delivery.workflows import OrderWorkflow
from streamflow.client import Client, WorkflowFailureError
from streamflow.gateway import Gateway
from streamflow.gateway.server import DEFAULT_PORT
from streamflow.observability import configure
from streamflow.timetravel import Travels
from streamflow.ui import ui_routes

HOST = "127.0.0.1"
LOOK_EVERY_S = 0.25
NEXT_ORDER_S = 4.0
"""So that a few orders are always on their way, and a person can follow one."""
# A minute is long to look at.
LIMITS = Limits(
    pick_up=timedelta(seconds=8), delivery=timedelta(seconds=8), rating=timedelta(seconds=2)
)


@dataclass(frozen=True)
class Scene:
    """One simulated order, and how long its driver takes; without one it waits in vain."""

    dish: int
    card: str = "4242"
    pick_up_s: float | None = None
    delivery_s: float = 0.0


SCENES = (
    Scene(0, pick_up_s=1.5, delivery_s=2.0),
    Scene(1, pick_up_s=2.5, delivery_s=3.0),
    Scene(2, card=DECLINED_CARD),
    Scene(0, pick_up_s=4.0, delivery_s=1.0),
    Scene(1),
)


@asynccontextmanager
async def everything(folder: Path, listening: socket.socket) -> AsyncIterator[tuple[Client, Site]]:
    """The whole shop on one log; other processes come in by the HTTP API, whose address it prints."""
    async with (
        Travels([app.code()]) as travels,
        await Client.connect(f"embedded:{folder}") as client,
        app.worker(client, state_dir=folder / "state"),
        Gateway(
            {client.namespace: client.transport},
            port=free_port(DEFAULT_PORT),
            extra_routes=ui_routes({client.namespace: client}, travels=travels),
        ) as gateway,
    ):
        site = Site(client)
        async with serving(site, listening):
            print(f"Web UI      {gateway.url}/")
            print(f"Customers   {url_of(listening)}/")
            print(f"Drivers     {url_of(listening)}/driver")
            print(f"HTTP API    {gateway.url}/api/v1/openapi.json\n", flush=True)
            yield client, site


async def play(client: Client, site: Site, scene: Scene) -> None:
    """Places an order, drives it, and returns when it is over."""
    dish = MENU[scene.dish]
    order_id = f"demo-{secrets.token_hex(3)}"
    handle = await client.start_workflow(
        OrderWorkflow.run,
        Order(dish.name, dish.price_cents, scene.card, LIMITS),
        id=order_id,
        task_queue=QUEUE,
        static_summary=dish.name,
    )
    site.placed.appendleft(order_id)
    if scene.pick_up_s is not None:
        await asyncio.sleep(scene.pick_up_s)
        await handle.signal(OrderWorkflow.picked_up)
        await asyncio.sleep(scene.delivery_s)
        await handle.signal(OrderWorkflow.delivered)
    with suppress(WorkflowFailureError):
        await handle.result()


class Board:
    """Prints a line for each change of any order, also of those that you place on the site."""

    def __init__(self, client: Client, site: Site) -> None:
        self._client = client
        self._site = site
        self._began = time.monotonic()
        self._states: dict[str, State] = {}
        self._read: dict[str, int] = {}

    async def look(self) -> None:
        for order_id in [*reversed(self._site.placed)]:  # orders come in meanwhile
            handle = self._client.get_workflow_handle_for(
                OrderWorkflow.run, order_id, task_queue=QUEUE
            )
            status = await handle.query(OrderWorkflow.status)
            if self._states.get(order_id) is not status.state:
                self._states[order_id] = status.state
                self._print(order_id, status.state, status.error or "")
            messages = phones.get(order_id, [])
            for message in messages[self._read.get(order_id, 0) :]:
                self._print(order_id, "phone", message)
            self._read[order_id] = len(messages)

    def _print(self, order_id: str, what: str, more: str) -> None:
        seconds = time.monotonic() - self._began
        print(f"{seconds:6.1f} s  {order_id:14}  {what:10} {more}".rstrip(), flush=True)

    async def watch(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)


async def demo(folder: Path, port: int, *, once: bool) -> None:
    with listen(port) as listening:
        async with everything(folder, listening) as (client, site), asyncio.TaskGroup() as tasks:
            board = Board(client, site)
            watching = tasks.create_task(board.watch())
            async with asyncio.TaskGroup() as scenes:
                for scene in SCENES:
                    scenes.create_task(play(client, site, scene))
            if once:
                watching.cancel()
                await board.look()
                return
            print(
                "\nMore orders come by themselves. Place one of your own; Ctrl-C ends the demo.\n"
            )
            for scene in itertools.cycle(SCENES):
                tasks.create_task(play(client, site, scene))
                await asyncio.sleep(NEXT_ORDER_S)


def listen(port: int) -> socket.socket:
    """A socket on this port, or on any free one if another program has it."""
    try:
        return socket.create_server((HOST, port))
    except OSError:
        return socket.create_server((HOST, 0))


def free_port(port: int) -> int:
    """This port, or 0 for any if another program has it."""
    try:
        with socket.create_server((HOST, port)):
            return port
    except OSError:
        return 0


async def main() -> None:
    parser = argparse.ArgumentParser(description="Food delivery on the embedded log.")
    parser.add_argument("--data", type=Path, help="keep the log in this folder")
    parser.add_argument("--port", type=int, default=8080, help="of the site (default 8080)")
    parser.add_argument("--once", action="store_true", help="end when the orders are over")
    parser.add_argument("--for", type=float, dest="seconds", help="end after so many seconds")
    options = parser.parse_args()
    task = asyncio.current_task()
    assert task is not None
    for how in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C also where it was ignored when this began
        asyncio.get_running_loop().add_signal_handler(how, task.cancel)
    with tempfile.TemporaryDirectory(prefix="streamflow-demo-") as temporary:
        folder = options.data or Path(temporary)
        with suppress(TimeoutError):
            async with asyncio.timeout(options.seconds):
                await demo(folder, options.port, once=options.once)


if __name__ == "__main__":
    configure(level="warning")
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(main())

"""How fast the page of a run with 50,000 events opens, by view: ``python -m benchmarks.pages [EVENTS]``.

Each view is asked for as a browser does, in a process that runs nothing else by then. Exits with 1 if one takes a second.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import httpx

from streamflow import activity, workflow
from streamflow.app import App
from streamflow.client import Client
from streamflow.gateway import Gateway
from streamflow.timetravel import Travels
from streamflow.ui import ui_routes

QUEUE = "pages"
EVENTS_A_ROUND = 3
REPEATS = 5
LIMIT_S = 1.0
VIEWS = ("history", "timeline", "events", "pending", "queries", "stack", "travel", "json")


@activity.defn
async def double(number: int) -> int:
    return 2 * number


@workflow.defn
class Rounds:
    """Makes so many steps, and waits."""

    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self, rounds: int) -> int:
        total = 0
        for number in range(rounds):
            total += await workflow.execute_local_activity(
                double, number, start_to_close_timeout=timedelta(seconds=5)
            )
        await workflow.wait_condition(lambda: self.done)
        return total

    @workflow.query
    def is_done(self) -> bool:
        return self.done


app = App(QUEUE, workflows=[Rounds], activities=[double])


async def measure(events: int, folder: Path) -> bool:
    rounds = events // EVENTS_A_ROUND
    travels = Travels([app.code()])
    async with await Client.connect(f"embedded:{folder}") as client:
        routes = ui_routes({client.namespace: client}, travels=travels)
        async with (
            app.worker(client, state_dir=folder / "state", partitions=1),
            Gateway({client.namespace: client.transport}, extra_routes=routes) as gateway,
            httpx.AsyncClient(base_url=gateway.url, timeout=60) as http,
        ):
            handle = await client.start_workflow(Rounds.run, rounds, id="long", task_queue=QUEUE)
            found = await handle.describe()
            while found.history_length < rounds * EVENTS_A_ROUND:
                await asyncio.sleep(0.5)
                found = await handle.describe()
            print(f"{found.history_length} events")
            good = True
            for view in VIEWS:
                good &= await _time(http, view, f"view={view}")
            last = rounds + 1
            await _time(http, "travel, last", f"view=travel&step={last}", repeats=1)
            for step in (last - 1, last - 2, last):
                good &= await _time(http, "... beside it", f"view=travel&step={step}", repeats=1)
    await travels.close()
    return good


async def _time(http: httpx.AsyncClient, name: str, query: str, *, repeats: int = REPEATS) -> bool:
    took: list[float] = []
    size = 0.0
    for _ in range(repeats):
        began = time.perf_counter()
        answer = await http.get(f"/ui/default/workflow?id=long&{query}")
        took.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.text
        size = len(answer.content) / 1024
    first, middle = took[0], statistics.median(took)
    print(
        f"{name:<14} first {first * 1000:6.0f} ms  median {middle * 1000:6.0f} ms  {size:5.0f} KiB"
    )
    return first < LIMIT_S


def main() -> int:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    with tempfile.TemporaryDirectory() as folder:
        good = asyncio.run(measure(events, Path(folder)))
    print("each within a second" if good else f"expected each view within {LIMIT_S:g} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

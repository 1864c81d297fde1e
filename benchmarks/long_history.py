"""One workflow of 2,000 activities: whether its end is as quick as its start, and how fast its history replays."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks import stage
from benchmarks.bench import Bench
from benchmarks.figures import Figure, Row
from benchmarks.workload import QUEUE, Order, Plan
from streamflow.coroutine.definition import definition_of
from streamflow.coroutine.facts import RunFacts
from streamflow.coroutine.instance import Instance
from streamflow.coroutine.replay import replay
from streamflow.model.events import ActivityCompleted, Recorded, WorkflowStarted
from streamflow.model.ids import RunId, WorkflowId


async def case(bench: Bench) -> list[Row]:
    steps = 300 if bench.quick else 2_000
    folder: Path = bench.folder / "long"
    async with stage.in_process(f"embedded:{folder}") as client:
        handle = await client.start_workflow(
            Order.run, args=["long", Plan(steps=steps)], id="long", task_queue=QUEUE
        )
        await handle.result()
        history = (await handle.fetch_history()).to_model()
    ended = [e.time_ms for e in history.events if isinstance(e.event, ActivityCompleted)]
    tenth = steps // 10
    first = (ended[tenth] - ended[0]) / tenth
    last = (ended[-1] - ended[-1 - tenth]) / tenth
    rates = [_replay(list(history.events)) for _ in range(max(3, bench.effort.repeats))]
    figures = {
        "first tenth ms a step": Figure.of([first]),
        "last tenth ms a step": Figure.of([last]),
        "last / first": Figure.of([last / first]),
        "replay events/s": Figure.of(rates),
    }
    met = last <= 1.2 * first and figures["replay events/s"].median >= 20_000
    return [
        Row(
            f"history of {steps} activities",
            figures,
            "last / first <= 1.2, replay >= 20,000/s",
            met,
        )
    ]


def _replay(events: list[Recorded]) -> float:
    started = events[0].event
    assert isinstance(started, WorkflowStarted)
    facts = RunFacts(
        namespace="default",
        queue=QUEUE,
        workflow_id=WorkflowId("long"),
        run_id=RunId(started.first_run_id),
        started=started,
        start_ms=events[0].time_ms,
    )
    instance = Instance(definition_of(Order), facts)
    began = time.perf_counter()
    replay(instance, events)
    seconds = time.perf_counter() - began
    instance.evict()
    return len(events) / seconds

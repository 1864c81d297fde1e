"""Where the tests of updates and handlers play: a worker that keeps its runs, and one that replays each of their steps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import accumulate
from typing import Any

import pytest

from streamflow.client import Client, WorkflowHandle
from streamflow.converter import DataConverter
from streamflow.coroutine.definition import definition_of
from streamflow.coroutine.facts import RunFacts
from streamflow.coroutine.instance import Instance
from streamflow.coroutine.replay import replay
from streamflow.model.events import WorkflowStarted
from streamflow.model.ids import RunId, WorkflowId
from streamflow.testing import WorkflowEnvironment
from streamflow.wire.events import encode_event
from streamflow.worker import Worker

QUEUE = "q"

both_ways = pytest.mark.parametrize("cached", [1_000, 0], ids=["kept", "replayed"])
"""Each test's runs are kept in memory, or evicted after every batch and replayed for the next."""


@asynccontextmanager
async def worker(
    workflows: Sequence[type],
    *,
    cached: int = 1_000,
    activities: Sequence[Callable[..., Any]] = (),
    **options: Any,
) -> AsyncIterator[Client]:
    """A client whose queue ``q`` is served."""
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        serving(env.client, workflows, cached=cached, activities=activities, **options),
    ):
        yield env.client


def serving(client: Client, workflows: Sequence[type], *, cached: int, **options: Any) -> Worker:
    """A Worker, to be entered."""
    return Worker(
        client, task_queue=QUEUE, workflows=workflows, max_cached_workflows=cached, **options
    )


async def assert_replays(handle: WorkflowHandle[Any, Any], cls: type) -> None:
    """The run's history fits its code, from the first event."""
    (await replayed(handle, cls)).evict()


async def replayed(handle: WorkflowHandle[Any, Any], cls: type) -> Instance:
    """The run's code, brought to where its history stands; to be evicted."""
    history = await handle.fetch_history()
    started = history.recorded[0].event
    assert isinstance(started, WorkflowStarted)
    facts = RunFacts(
        namespace="default",
        queue=QUEUE,
        workflow_id=WorkflowId(handle.id),
        run_id=RunId(history.run_id),
        started=started,
        start_ms=history.recorded[0].time_ms,
    )
    sizes = [
        len(encode_event(handle.id, history.run_id, r.seq, r.step, r.time_ms, r.event))
        for r in history.recorded
    ]
    instance = Instance(definition_of(cls), facts, DataConverter.default)
    replay(instance, history.recorded, history_bytes=[0, *accumulate(sizes)])
    return instance


async def kinds(handle: WorkflowHandle[Any, Any]) -> list[str]:
    """The types of the run's events."""
    return [type(recorded.event).__name__ for recorded in (await handle.fetch_history()).recorded]

"""Two queues for tests of workflows that know of each other, and replays of what was run there, from nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from streamflow.client import Client, WorkflowHistory
from streamflow.converter import DataConverter
from streamflow.coroutine.definition import WorkflowDefinition, definition_of
from streamflow.coroutine.facts import RunFacts
from streamflow.coroutine.instance import Instance
from streamflow.coroutine.replay import replay
from streamflow.model.events import WorkflowStarted
from streamflow.model.ids import RunId, WorkflowId
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

HERE, THERE = "here", "there"
CACHED = [1_000, 0]
"""How many coroutines a worker keeps: with none, each step is taken by one that was replayed."""


@asynccontextmanager
async def two_queues(workflows: Sequence[type], cached: int) -> AsyncIterator[Client]:
    """A client of an environment in which these workflows are served on both queues."""
    async with await WorkflowEnvironment.start_time_skipping() as env:
        here, there = (
            Worker(env.client, task_queue=queue, workflows=workflows, max_cached_workflows=cached)
            for queue in (HERE, THERE)
        )
        async with here, there:
            yield env.client


def replayed(history: WorkflowHistory, workflows: Sequence[type]) -> None:
    """Raises what keeps the code from doing again what the history says."""
    first = history.recorded[0]
    started = first.event
    assert isinstance(started, WorkflowStarted)
    definitions: dict[str, WorkflowDefinition] = {
        definition.name or "": definition for definition in map(definition_of, workflows)
    }
    instance = Instance(
        definitions[started.workflow_type],
        RunFacts(
            namespace="default",
            queue=started.queue,
            workflow_id=WorkflowId(history.workflow_id),
            run_id=RunId(history.run_id or ""),
            started=started,
            start_ms=first.time_ms,
        ),
        DataConverter.default,
    )
    try:
        replay(instance, history.recorded)
    finally:
        instance.evict()

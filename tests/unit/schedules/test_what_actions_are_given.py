"""What a schedule's workflows are given: headers, a priority, and what came of the run before them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from streamflow import workflow
from streamflow.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    WorkflowHandle,
)
from streamflow.common import HeaderCodecBehavior, Priority
from streamflow.converter import DataConverter, PayloadCodec
from streamflow.exceptions import ApplicationError
from streamflow.model.payload import Payload
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

pytestmark = pytest.mark.asyncio

QUEUE = "scheduled"
NEVER = ScheduleSpec()
HOURLY = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=1))])


class Reversing(PayloadCodec):
    """Nobody without it can read what it encoded."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(metadata={"encoding": b"reversed"}, data=one.SerializeToString()[::-1])
            for one in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload.FromString(one.data[::-1])
            if one.metadata.get("encoding") == b"reversed"
            else one
            for one in payloads
        ]


@workflow.defn
class Counts:
    """The last result and one more; fails when told to, with what it knows of the run before in its result."""

    @workflow.run
    async def run(self, fails: Sequence[int]) -> int:
        last = workflow.get_last_completion_result(int) or 0
        failure = workflow.get_last_failure()
        number = last + 1 + (10 if failure else 0)
        if number in fails:
            raise ApplicationError(f"not {number}", "the reason", type="Unlucky")
        if failure is not None:
            assert isinstance(failure, ApplicationError)
            assert (failure.message, failure.type) == (f"not {last + 1}", "Unlucky")
            assert list(failure.details) == ["the reason"]
        return number


@workflow.defn
class Shows:
    @workflow.run
    async def run(self) -> list[Any]:
        info = workflow.info()
        tenant = info.headers.get("tenant")
        name = None if tenant is None else workflow.payload_converter().from_payload(tenant, str)
        return [name, info.priority.priority_key]


@pytest_asyncio.fixture(params=["plain", "encoded"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        found = env.client
        if request.param == "encoded":
            config = found.config()
            config["data_converter"] = DataConverter(payload_codec=Reversing())
            config["header_codec_behavior"] = HeaderCodecBehavior.CODEC
            found = Client(**config)
        async with Worker(found, task_queue=QUEUE, workflows=[Counts, Shows]):
            yield found


async def run_once(
    client: Client, handle: ScheduleHandle, overlap: ScheduleOverlapPolicy | None = None
) -> WorkflowHandle[Any, Any]:
    """Triggers an action and waits until it has begun."""
    before = (await handle.describe()).info.num_actions
    await handle.trigger(overlap=overlap)
    for _ in range(500):
        info = (await handle.describe()).info
        if info.num_actions > before and len(info.recent_actions) == info.num_actions:
            action = info.recent_actions[-1].action
            assert isinstance(action, ScheduleActionExecutionStartWorkflow)
            return client.get_workflow_handle(action.workflow_id)
        await asyncio.sleep(0.01)
    raise AssertionError("Expected an action to begin, found none")


async def test_each_run_is_given_the_last_result(client: Client) -> None:
    """Whatever a codec has made of it."""
    action = ScheduleActionStartWorkflow(Counts.run, [], id="counts", task_queue=QUEUE)
    handle = await client.create_schedule("s", Schedule(action, NEVER))

    results = [await (await run_once(client, handle)).result() for _ in range(3)]

    assert results == [1, 2, 3]


async def test_a_failure_is_for_the_run_after_it_and_the_result_stays(client: Client) -> None:
    """The third run knows the result of the first, and why the second one failed; the fourth no longer."""
    action = ScheduleActionStartWorkflow(Counts.run, [2], id="counts", task_queue=QUEUE)
    handle = await client.create_schedule("s", Schedule(action, NEVER))

    first = await (await run_once(client, handle)).result()
    with pytest.raises(Exception, match="Workflow execution failed"):
        await (await run_once(client, handle)).result()
    third = await (await run_once(client, handle)).result()
    fourth = await (await run_once(client, handle)).result()

    assert (first, third, fourth) == (1, 12, 13)


async def test_what_runs_beside_others_leaves_nothing(client: Client) -> None:
    """With ALLOW_ALL there is no run before or after another."""
    action = ScheduleActionStartWorkflow(Counts.run, [], id="counts", task_queue=QUEUE)
    policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL)
    handle = await client.create_schedule("s", Schedule(action, NEVER, policy))

    results = [await (await run_once(client, handle)).result() for _ in range(2)]

    assert results == [1, 1]


async def test_a_result_goes_on_with_the_schedule_when_it_begins_anew(client: Client) -> None:
    """What is in its memory when a new run of the schedule's own workflow takes over."""
    action = ScheduleActionStartWorkflow(Counts.run, [], id="counts", task_queue=QUEUE)
    handle = await client.create_schedule("s", Schedule(action, NEVER))
    assert await (await run_once(client, handle)).result() == 1
    own = client.get_workflow_handle("streamflow-schedule:s", task_queue="streamflow-schedules")

    # Many changes make the history long enough.
    first_run = (await own.describe()).run_id
    while (await own.describe()).run_id == first_run:
        await asyncio.gather(*(handle.pause() for _ in range(200)))

    assert await (await run_once(client, handle)).result() == 2


async def test_headers_and_priority_are_the_workflows(client: Client) -> None:
    """Also after an update that gives a description's action back: what was encoded is not encoded again."""
    converter = client.data_converter.payload_converter
    action = ScheduleActionStartWorkflow(
        Shows.run,
        id="shows",
        task_queue=QUEUE,
        priority=Priority(priority_key=2),
        headers={"tenant": converter.to_payload("acme")},
    )
    handle = await client.create_schedule("s", Schedule(action, NEVER))

    before = await (await run_once(client, handle)).result()
    found = (await handle.describe()).schedule.action
    await handle.update(lambda given: ScheduleUpdate(given.description.schedule))
    after = await (await run_once(client, handle)).result()

    assert before == after == ["acme", 2]
    assert isinstance(found, ScheduleActionStartWorkflow)
    assert found.priority == Priority(priority_key=2)
    assert found.headers is not None

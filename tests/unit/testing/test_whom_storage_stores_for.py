"""A storage driver is told whose a payload is: the workflow or activity, its type, and its run where there is one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta

import pytest
import pytest_asyncio

from streamflow import activity, workflow
from streamflow.api.common.v1 import Payload
from streamflow.client import Client
from streamflow.converter import (
    DataConverter,
    ExternalStorage,
    StorageDriver,
    StorageDriverActivityInfo,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
    StorageDriverWorkflowInfo,
)
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

SECONDS = timedelta(seconds=10)


class Cupboard(StorageDriver):
    """Keeps payloads in memory, and notes for whom it stored which."""

    def __init__(self) -> None:
        self.stored: list[tuple[str, object]] = []
        self._payloads: list[Payload] = []

    def name(self) -> str:
        return "cupboard"

    async def store(
        self, context: StorageDriverStoreContext, payloads: Sequence[Payload]
    ) -> list[StorageDriverClaim]:
        claims: list[StorageDriverClaim] = []
        for payload in payloads:
            self.stored.append((payload.data.decode()[1:2], context.target))
            claims.append(StorageDriverClaim({"at": str(len(self._payloads))}))
            self._payloads.append(payload)
        return claims

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        return [self._payloads[int(claim.claim_data["at"])] for claim in claims]

    def targets(self, letter: str) -> list[object]:
        """For whom values of this letter were stored."""
        return [target for first, target in self.stored if first == letter]


def large(letter: str) -> str:
    return letter * 400


@activity.defn
async def answer(asked: str) -> str:
    return large("b")


@activity.defn
async def answered_outside(asked: str) -> str:
    activity.raise_complete_async()


@workflow.defn
class Asks:
    @workflow.run
    async def run(self) -> int:
        answered = await workflow.execute_activity(
            answered_outside, "a", activity_id="one", start_to_close_timeout=SECONDS
        )
        return len(answered)


@workflow.defn
class Child:
    @workflow.run
    async def run(self, asked: str) -> str:
        return large("e")


@workflow.defn
class Parent:
    def __init__(self) -> None:
        self.told = False

    @workflow.run
    async def run(self, asked: str) -> str:
        await workflow.wait_condition(lambda: self.told)
        await workflow.execute_activity(answer, large("c"), start_to_close_timeout=SECONDS)
        await workflow.execute_child_workflow(Child.run, large("d"), id="child")
        return large("f")

    @workflow.signal
    def tell(self, what: str) -> None:
        self.told = True

    @workflow.query
    def ask(self, what: str) -> str:
        return large("h")

    @workflow.update
    async def change(self, what: str) -> str:
        return large("j")


@pytest.fixture
def cupboard() -> Cupboard:
    return Cupboard()


@pytest_asyncio.fixture
async def client(cupboard: Cupboard) -> AsyncGenerator[Client]:
    storage = ExternalStorage([cupboard], payload_size_threshold=256)
    converter = DataConverter(external_storage=storage)
    async with (
        await WorkflowEnvironment.start_time_skipping(data_converter=converter) as env,
        Worker(
            env.client,
            task_queue="q",
            workflows=[Parent, Child, Asks],
            activities=[answer, answered_outside],
        ),
    ):
        yield env.client


@pytest.mark.asyncio
async def test_for_a_workflow(client: Client, cupboard: Cupboard) -> None:
    """Who starts it knows its type; who sends it something, its ID; the run itself knows all, also for its activities."""
    handle = await client.start_workflow(Parent.run, large("a"), id="w", task_queue="q")
    assert await handle.query(Parent.ask, large("g")) == large("h")
    assert await handle.execute_update(Parent.change, large("i")) == large("j")
    await handle.signal(Parent.tell, large("k"))
    assert await handle.result() == large("f")

    starting = StorageDriverWorkflowInfo(namespace="default", id="w", type="Parent")
    sending = StorageDriverWorkflowInfo(namespace="default", id="w")
    run = StorageDriverWorkflowInfo(
        namespace="default", id="w", type="Parent", run_id=handle.result_run_id
    )
    assert cupboard.targets("a") == [starting]
    assert [cupboard.targets(letter) for letter in "gik"] == [[sending]] * 3
    assert [cupboard.targets(letter) for letter in "bcfhj"] == [[run]] * 5


@pytest.mark.asyncio
async def test_for_a_child(client: Client, cupboard: Cupboard) -> None:
    """What it is given is the child's; what it returns is its parent's, which reads it."""
    handle = await client.start_workflow(
        Parent.run, "a", id="w", task_queue="q", start_signal="tell", start_signal_args=["k"]
    )
    await handle.result()

    child = StorageDriverWorkflowInfo(namespace="default", id="child", type="Child")
    parent = StorageDriverWorkflowInfo(namespace="default", id="w", run_id=handle.result_run_id)
    assert cupboard.targets("d") == [child]
    assert cupboard.targets("e") == [parent]


@pytest.mark.asyncio
async def test_for_an_activity_that_a_client_started(client: Client, cupboard: Cupboard) -> None:
    """The client knows its type and ID, the worker its run as well."""
    handle = await client.start_activity(
        answer, large("a"), id="alone", task_queue="q", start_to_close_timeout=SECONDS
    )
    assert await asyncio.wait_for(handle.result(), 30) == large("b")

    asked = StorageDriverActivityInfo(namespace="default", id="alone", type="answer")
    ran = StorageDriverActivityInfo(
        namespace="default", id="alone", type="answer", run_id=handle.run_id
    )
    assert cupboard.targets("a") == [asked]
    assert cupboard.targets("b") == [ran]


@pytest.mark.asyncio
async def test_for_an_activity_that_is_completed_from_outside(
    client: Client, cupboard: Cupboard
) -> None:
    """By IDs it is its workflow's, with the run if the holder named it."""
    handle = await client.start_workflow(Asks.run, id="w", task_queue="q")
    by_ids = client.get_async_activity_handle(
        workflow_id="w", run_id=handle.result_run_id, activity_id="one"
    )
    async with asyncio.timeout(30):
        await by_ids.heartbeat(large("l"))
        await client.get_async_activity_handle(
            workflow_id="w", run_id=None, activity_id="one"
        ).complete(large("m"))

    assert await handle.result() == 400
    run = StorageDriverWorkflowInfo(namespace="default", id="w", run_id=handle.result_run_id)
    assert cupboard.targets("l") == [run]
    assert cupboard.targets("m") == [StorageDriverWorkflowInfo(namespace="default", id="w")]

"""Values that no record could hold go through a whole workflow, by claim check, live and on replay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from streamflow import activity, workflow
from streamflow.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)
from streamflow.converter import (
    DataConverter,
    ExternalStorage,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
)
from streamflow.converter.file_driver import FileStorageDriver
from streamflow.exceptions import ApplicationError
from streamflow.model.payload import Payload
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

BYTES = 3 * 1024 * 1024
"""Three times what a record may hold."""


@activity.defn
async def double(text: str) -> str:
    activity.heartbeat(text)
    return text + text


@workflow.defn
class Large:
    def __init__(self) -> None:
        self.text = ""

    @workflow.run
    async def run(self, text: str) -> str:
        await workflow.wait_condition(lambda: bool(self.text))
        doubled = await workflow.execute_activity(
            double, text, start_to_close_timeout=timedelta(seconds=30)
        )
        assert len(doubled) == 2 * BYTES
        return self.text

    @workflow.signal
    def say(self, text: str) -> None:
        self.text = text

    @workflow.query
    def said(self, prefix: str) -> str:
        return prefix + self.text


@workflow.defn
class Failing:
    @workflow.run
    async def run(self) -> None:
        raise ApplicationError("too much", "d" * BYTES)


async def through(client: Client) -> None:
    handle = await client.start_workflow(
        Large.run, "a" * BYTES, id="w", task_queue="q", memo={"note": "m" * BYTES}
    )
    await handle.signal(Large.say, "b" * BYTES)
    assert await handle.result() == "b" * BYTES
    assert len(await handle.query(Large.said, "c" * BYTES)) == 2 * BYTES
    assert await (await handle.describe()).memo_value("note") == "m" * BYTES

    with pytest.raises(WorkflowFailureError) as raised:
        await client.execute_workflow(Failing.run, id="f", task_queue="q")
    cause = raised.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.details == ("d" * BYTES,)


def worker(client: Client) -> Worker:
    """Forgets each run after each step, so that all is retrieved again for each replay."""
    return Worker(
        client,
        task_queue="q",
        workflows=[Large, Failing],
        activities=[double],
        max_cached_workflows=0,
    )


@pytest.mark.asyncio
async def test_large_values_go_everywhere(tmp_path: Path) -> None:
    converter = DataConverter(external_storage=ExternalStorage([FileStorageDriver(tmp_path)]))
    async with (
        await WorkflowEnvironment.start_time_skipping(data_converter=converter) as env,
        worker(env.client),
    ):
        await through(env.client)


@pytest.mark.asyncio
async def test_the_embedded_log_keeps_large_values_beside_it(tmp_path: Path) -> None:
    """Without any setting, in a folder of the log's; a client of its own finds them there later."""
    target = f"embedded:{tmp_path}"
    async with await Client.connect(target) as client, worker(client):
        await through(client)

    assert any((tmp_path / "payloads").iterdir())
    async with await Client.connect(target) as client, worker(client):
        assert await client.get_workflow_handle("w").result() == "b" * BYTES


class Emptied(FileStorageDriver):
    """Its folder was lost, which it says as it was told to."""

    def __init__(self, folder: Path, error: Exception) -> None:
        super().__init__(folder)
        self.error = error

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        raise self.error


@workflow.defn
class Echo:
    @workflow.run
    async def run(self, text: str) -> str:
        return text


async def begun(env: WorkflowEnvironment) -> WorkflowHandle[Any, str]:
    return await env.client.start_workflow(Echo.run, "a" * BYTES, id="w", task_queue="q")


@pytest.mark.asyncio
async def test_a_payload_that_is_gone_for_good_fails_its_workflow(tmp_path: Path) -> None:
    """The driver says so by an error that is not to be tried again."""
    gone = ApplicationError("no such folder", type="FolderLost", non_retryable=True)
    converter = DataConverter(external_storage=ExternalStorage([Emptied(tmp_path, gone)]))
    async with (
        await WorkflowEnvironment.start_time_skipping(data_converter=converter) as env,
        Worker(env.client, task_queue="q", workflows=[Echo]),
    ):
        handle = await begun(env)

        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()

    cause = raised.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type, cause.non_retryable) == (
        "no such folder",
        "FolderLost",
        True,
    )


@pytest.mark.asyncio
async def test_a_store_that_does_not_answer_is_waited_for(tmp_path: Path) -> None:
    """Whatever else a driver raises may pass."""
    driver = Emptied(tmp_path, ApplicationError("too busy"))
    converter = DataConverter(external_storage=ExternalStorage([driver]))
    async with (
        await WorkflowEnvironment.start_time_skipping(data_converter=converter) as env,
        Worker(env.client, task_queue="q", workflows=[Echo]),
    ):
        handle = await begun(env)

        assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
        found = (await handle.describe()).facts.trouble
        assert found is not None
        assert "too busy" in found.message

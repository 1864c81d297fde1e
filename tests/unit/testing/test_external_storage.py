"""Values that no record could hold go through a whole workflow, by claim check, live and on replay."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from streamflow import activity, workflow
from streamflow.client import Client, WorkflowFailureError
from streamflow.converter import DataConverter, ExternalStorage
from streamflow.converter.file_driver import FileStorageDriver
from streamflow.exceptions import ApplicationError
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

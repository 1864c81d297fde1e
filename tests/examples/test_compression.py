"""What is large is small in the log, and what comes out is what went in."""

from __future__ import annotations

import asyncio
import zlib

import pytest

from examples.compression import codec
from examples.compression.app import app
from examples.compression.codec import CompressionCodec
from examples.compression.workflows import Summarize
from streamflow.api.common.v1 import Payload
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

REPORT = "all is well " * 1_000


def through(payload: Payload) -> tuple[Payload, Payload]:
    async def run() -> tuple[Payload, Payload]:
        compression = CompressionCodec()
        [stored] = await compression.encode([payload])
        [back] = await compression.decode([stored])
        return stored, back

    return asyncio.run(run())


@pytest.mark.parametrize("data", [b"", b"short", b"x" * 10_000, bytes(range(256))])
def test_a_payload_comes_back_as_it_was(data: bytes) -> None:
    payload = Payload(metadata={"encoding": b"binary/plain", "own": b"1"}, data=data)

    stored, back = through(payload)

    assert back == payload
    assert len(stored.SerializeToString()) <= len(payload.SerializeToString())


def test_bytes_that_would_fill_all_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "MOST_BYTES", 1_000)
    bomb = Payload(metadata={"encoding": codec.ENCODING}, data=zlib.compress(b"0" * 1_001))

    with pytest.raises(ValueError, match="at most 1000 bytes"):
        asyncio.run(CompressionCodec().decode([bomb]))


@pytest.mark.asyncio
async def test_a_workflow_knows_nothing_of_it() -> None:
    async with (
        await WorkflowEnvironment.start_time_skipping(data_converter=app.data_converter) as env,
        Worker(
            env.client,
            task_queue=app.queue,
            workflows=app.workflows,
            activities=app.activities,
            max_cached_workflows=0,
        ),
    ):
        handle = await env.client.start_workflow(
            Summarize.run, REPORT, id="r", task_queue=app.queue
        )

        assert await handle.result() == "all is well all is"
        assert await handle.query(Summarize.report) == REPORT
        description = await handle.describe()
        assert description.facts.history_bytes < len(REPORT)

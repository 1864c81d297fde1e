"""Calls that carry more than `payload_limits` says are logged, and made."""

from __future__ import annotations

from typing import Any

import pytest

from streamflow import workflow
from streamflow.client import Client, PayloadLimitsConfig
from streamflow.worker import Worker

pytestmark = pytest.mark.asyncio


@workflow.defn
class Sized:
    @workflow.run
    async def run(self, text: str) -> int:
        return len(text)


async def messages(caplog: pytest.LogCaptureFixture, size: int, **options: Any) -> list[str]:
    """What is logged when a workflow is started with so many characters, and as many in its memo."""
    text = "x" * size
    async with (
        await Client.connect("memory:large", create_topics=True, **options) as client,
        Worker(client, task_queue="q", workflows=[Sized]),
    ):
        assert size == await client.execute_workflow(
            Sized.run, text, id=f"w{size}", task_queue="q", memo={"a": text}
        )
    return [r.getMessage() for r in caplog.records if r.name == "streamflow.client"]


async def test_large_payloads_and_memos_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    limits = PayloadLimitsConfig(payloads_warn_size=500, memo_warn_size=100)

    payloads, memo = await messages(caplog, 1_000, payload_limits=limits)

    assert "Attempted to upload payloads with size that exceeded the warning limit" in payloads
    assert "at most 500 bytes in one StartWorkflow" in payloads
    assert "Attempted to upload memo" in memo


async def test_what_is_within_the_limits_is_not(caplog: pytest.LogCaptureFixture) -> None:
    assert not await messages(caplog, 1_001)


async def test_zero_is_no_limit(caplog: pytest.LogCaptureFixture) -> None:
    limits = PayloadLimitsConfig(payloads_warn_size=0, memo_warn_size=0)

    assert not await messages(caplog, 5_000, payload_limits=limits)

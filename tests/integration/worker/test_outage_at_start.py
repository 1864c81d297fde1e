"""A worker that is started before its Kafka can be reached."""

from __future__ import annotations

import asyncio
import logging
import uuid

import pytest

from streamflow import workflow
from streamflow.app import App
from streamflow.client import Client
from streamflow.kafka import cluster
from tests.integration.kafka.proxy import Proxy

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio]


@workflow.defn
class Hello:
    @workflow.run
    async def run(self) -> str:
        return "hello"


async def test_it_says_where_it_looks_and_begins_when_kafka_is_there(
    kafka_bootstrap: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy is the address that it was given; the brokers' own are known once one has answered."""
    monkeypatch.setattr(cluster, "REQUEST_TIMEOUT_S", 1.0)
    namespace = f"t-{uuid.uuid4().hex[:10]}"
    with Proxy() as proxy, caplog.at_level(logging.WARNING):
        proxy.upstream = kafka_bootstrap
        proxy.go_down(3_600)
        app = App("q", workflows=[Hello], namespace=namespace)
        running = asyncio.ensure_future(app.run(proxy.address, create_topics=True))
        while not (said := told(caplog)):
            assert not running.done()
            await asyncio.sleep(0.1)
        assert proxy.address in said[0]
        monkeypatch.undo()

        proxy.go_down(0)

        async with await Client.connect(
            kafka_bootstrap, namespace=namespace, create_topics=True
        ) as client:
            result = await client.execute_workflow(Hello.run, id="w", task_queue="q")
        running.cancel()
        await asyncio.wait([running])
    assert result == "hello"


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if "log_unavailable" in r.getMessage()]

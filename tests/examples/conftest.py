"""Where the examples run: on the memory log with time that skips ahead, and on a real Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from streamflow.client import Client
from streamflow.testing import WorkflowEnvironment
from tests.examples.stage import Stage


@pytest_asyncio.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.kafka)])
async def stage(
    request: pytest.FixtureRequest, namespace: str, tmp_path: Path
) -> AsyncIterator[Stage]:
    if request.param == "memory":
        async with await WorkflowEnvironment.start_time_skipping() as environment:
            yield Stage(environment, tmp_path)
    else:
        bootstrap = request.getfixturevalue("kafka_bootstrap")
        async with await Client.connect(
            bootstrap, namespace=namespace, create_topics=True
        ) as client:
            yield Stage(WorkflowEnvironment.from_client(client), tmp_path)

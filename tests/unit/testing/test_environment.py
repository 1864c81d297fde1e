"""The environments' own promises: how their time passes. Running workflows in them is tested end to end."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from streamflow.client import Client
from streamflow.testing import WorkflowEnvironment

pytestmark = pytest.mark.asyncio


async def test_a_sleep_of_thirty_days_takes_no_time() -> None:
    """The environment's clock moves by what was slept, the wall's hardly."""
    async with await WorkflowEnvironment.start_time_skipping() as env:
        began, before = time.monotonic(), await env.get_current_time()

        await env.sleep(timedelta(days=30))

        assert await env.get_current_time() - before >= timedelta(days=30)
        assert time.monotonic() - began < 1
        assert env.supports_time_skipping


async def test_a_local_environment_has_a_durable_log_and_real_time() -> None:
    """The embedded log is in a folder that goes with the environment."""
    async with await WorkflowEnvironment.start_local() as env:
        assert env.client.log.durable
        assert not env.supports_time_skipping
        await env.sleep(0.001)


async def test_an_environment_around_a_client_leaves_it_open() -> None:
    """Whoever made the client closes it."""
    async with await Client.connect("memory:borrowed") as client:
        async with WorkflowEnvironment.from_client(client) as env:
            assert env.client is client

        assert await client.transport.queues() == {}


async def test_clients_of_one_environment_share_its_log() -> None:
    """A second client sees the queues that the first one made."""
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        await env.connect_client() as other,
    ):
        await env.client.start_workflow("Unserved", id="w", task_queue="q")

        assert list(await other.transport.queues()) == ["q"]


async def test_another_client_reaches_the_environment_at_its_target() -> None:
    """As ported code does that connects to ``client.service_client.config.target_host``."""
    async with await WorkflowEnvironment.start_time_skipping() as env:
        target = env.client.service_client.config.target_host
        async with await Client.connect(target, namespace=env.client.namespace) as other:
            assert await other.service_client.check_health()
            assert (await other.transport.queues()).keys() == (
                await env.client.transport.queues()
            ).keys()

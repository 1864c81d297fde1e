"""The environments' own promises: how their time passes. Running workflows in them is tested end to end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from streamflow import workflow
from streamflow.client import Client, RPCError, WorkflowFailureError
from streamflow.exceptions import ApplicationError
from streamflow.testing import ActivityEnvironment, WorkflowEnvironment
from streamflow.worker import Worker

start_time_skipping = WorkflowEnvironment.start_time_skipping
start_local = WorkflowEnvironment.start_local


@pytest.mark.asyncio
async def test_a_sleep_of_thirty_days_takes_no_time() -> None:
    """The environment's clock moves by what was slept, the wall's hardly."""
    async with await WorkflowEnvironment.start_time_skipping() as env:
        began, before = time.monotonic(), await env.get_current_time()

        await env.sleep(timedelta(days=30))

        assert await env.get_current_time() - before >= timedelta(days=30)
        assert time.monotonic() - began < 1
        assert env.supports_time_skipping


@pytest.mark.asyncio
async def test_a_local_environment_has_a_durable_log_and_real_time() -> None:
    """The embedded log is in a folder that goes with the environment."""
    async with await WorkflowEnvironment.start_local() as env:
        assert env.client.log.durable
        assert not env.supports_time_skipping
        await env.sleep(0.001)


@pytest.mark.asyncio
async def test_an_environment_around_a_client_leaves_it_open() -> None:
    """Whoever made the client closes it."""
    async with await Client.connect("memory:borrowed") as client:
        async with WorkflowEnvironment.from_client(client) as env:
            assert env.client.service_client is client.service_client

        assert await client.transport.queues() == {}


@pytest.mark.asyncio
async def test_clients_of_one_environment_share_its_log() -> None:
    """A second client sees the queues that the first one made."""
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        await env.connect_client() as other,
    ):
        await env.client.start_workflow("Unserved", id="w", task_queue="q")

        assert list(await other.transport.queues()) == ["q"]


@pytest.mark.parametrize(
    "start", [start_time_skipping, start_local], ids=lambda start: start.__name__
)
@pytest.mark.asyncio
async def test_an_environment_ends_the_clients_that_it_made(
    start: Callable[[], Awaitable[WorkflowEnvironment]],
) -> None:
    """Ported code has nothing to close them with, and what they serve by themselves must not outlive their log."""
    async with await start() as env:
        other = await env.connect_client()
        await other.transport.queues()

    with pytest.raises(RPCError, match="closed"):
        await other.start_workflow("Unserved", id="w", task_queue="q")


@pytest.mark.asyncio
async def test_another_client_reaches_the_environment_at_its_target() -> None:
    """As ported code does that connects to ``client.service_client.config.target_host``."""
    async with await WorkflowEnvironment.start_time_skipping() as env:
        target = env.client.service_client.config.target_host
        async with await Client.connect(target, namespace=env.client.namespace) as other:
            assert await other.service_client.check_health()
            assert (await other.transport.queues()).keys() == (
                await env.client.transport.queues()
            ).keys()


@workflow.defn
class Wrong:
    """Asserts what is not so: in its run method, or in a signal's handler."""

    @workflow.run
    async def run(self, in_signal: bool) -> None:
        if in_signal:
            await workflow.wait_condition(lambda: False)
        assert in_signal, "not so"

    @workflow.signal
    def signal(self) -> None:
        raise AssertionError("not so")


@pytest.mark.parametrize("in_signal", [False, True])
@pytest.mark.parametrize(
    "start", [start_time_skipping, start_local], ids=lambda start: start.__name__
)
@pytest.mark.asyncio
async def test_a_failed_assertion_fails_the_workflow(
    start: Callable[[], Awaitable[WorkflowEnvironment]], in_signal: bool
) -> None:
    """Outside of tests such code would leave the run waiting to be mended; a test would wait with it."""
    async with (
        await start() as env,
        Worker(env.client, task_queue="q", workflows=[Wrong], max_cached_workflows=0),
    ):
        handle = await env.client.start_workflow(Wrong.run, in_signal, id="w", task_queue="q")
        if in_signal:
            await handle.signal(Wrong.signal)
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()

    cause = raised.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.non_retryable) == ("AssertionError", True)
    assert "not so" in cause.message


@pytest.mark.asyncio
async def test_time_stands_still_while_skipping_is_disabled() -> None:
    """Awaiting a result then waits for the wall's clock; `sleep` still skips."""
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(env.client, task_queue="q", workflows=[Sleeper]),
    ):
        handle = await env.client.start_workflow(Sleeper.run, id="w", task_queue="q")
        with env.auto_time_skipping_disabled():
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(handle.result(), 0.05)
            await env.sleep(timedelta(days=2))
            await handle.result()


@workflow.defn
class Sleeper:
    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(timedelta(days=1))


@pytest.mark.asyncio
async def test_settings_of_servers_are_accepted_and_do_nothing() -> None:
    """Ported tests choose a server's port, version and pages; there is none here."""
    async with await WorkflowEnvironment.start_local(
        ui=True,
        ui_port=8233,
        ip="127.0.0.1",
        port=7233,
        dev_server_log_level="error",
        dev_server_extra_args=["--dynamic-config-value", "a=b"],
    ) as env:
        assert env.client.namespace == "default"


def test_classes_are_found_where_ported_code_looks_for_them() -> None:
    from streamflow.testing._activity import ActivityEnvironment as OtherActivityEnvironment
    from streamflow.testing._workflow import WorkflowEnvironment as OtherWorkflowEnvironment

    assert OtherWorkflowEnvironment is WorkflowEnvironment
    assert OtherActivityEnvironment is ActivityEnvironment

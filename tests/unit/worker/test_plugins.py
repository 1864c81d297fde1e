"""Plugins change what clients, workers and replayers are made of, and stand around their runs."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import pytest

from streamflow import activity, workflow
from streamflow.client import Client
from streamflow.client import Interceptor as ClientInterceptor
from streamflow.converter import DataConverter
from streamflow.plugin import SimplePlugin
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import (
    Interceptor,
    Plugin,
    Replayer,
    ReplayerConfig,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkerConfig,
    WorkflowReplayResult,
)

pytestmark = pytest.mark.asyncio


@activity.defn
async def hello() -> str:
    return "hello"


@workflow.defn
class Says:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(hello, start_to_close_timeout=timedelta(minutes=1))


@workflow.defn
class Other:
    @workflow.run
    async def run(self) -> str:
        return "other"


class Order(Plugin):
    """Writes down when it is asked, and adds its mark to the identity."""

    def __init__(self, mark: str, seen: list[str]) -> None:
        self.mark = mark
        self.seen = seen

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        self.seen.append(f"configure {self.mark}")
        config["identity"] = (config.get("identity") or "") + self.mark
        return config

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        self.seen.append(f"run {self.mark}")
        try:
            await next(worker)
        finally:
            self.seen.append(f"ran {self.mark}")

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        config["workflows"] = [*config.get("workflows", ()), Says]
        return config

    @asynccontextmanager
    async def run_replayer(
        self,
        replayer: Replayer,
        histories: AsyncIterator[Any],
        next: Callable[
            [Replayer, AsyncIterator[Any]],
            AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]],
        ],
    ) -> AsyncIterator[AsyncIterator[WorkflowReplayResult]]:
        self.seen.append(f"replay {self.mark}")
        async with next(replayer, histories) as results:
            yield results
        self.seen.append(f"replayed {self.mark}")


async def test_plugins_of_a_worker_configure_it_and_run_it_in_order() -> None:
    seen: list[str] = []
    async with await WorkflowEnvironment.start_time_skipping() as env:
        plugins = [Order("a", seen), Order("b", seen)]
        async with Worker(
            env.client, task_queue="q", workflows=[Says], activities=[hello], plugins=plugins
        ) as worker:
            assert await env.client.execute_workflow(Says.run, id="w", task_queue="q") == "hello"

    assert seen == ["configure a", "configure b", "run a", "run b", "ran b", "ran a"]
    assert worker.config(active_config=True)["identity"] == "ab"
    assert worker.config()["identity"] is None
    assert plugins[0].name().endswith("test_plugins.Order")


async def test_a_plugin_may_keep_a_worker_from_running_and_may_wait_before_it() -> None:
    class Refuses(Order):
        async def run_worker(
            self, worker: Worker, next: Callable[[Worker], Awaitable[None]]
        ) -> None:
            raise RuntimeError("not today")

    async with await WorkflowEnvironment.start_time_skipping() as env:
        worker = Worker(env.client, task_queue="q", workflows=[Says], plugins=[Refuses("a", [])])
        with pytest.raises(RuntimeError, match="not today"):
            await worker.run()

        assert worker.is_shutdown


async def test_a_simple_plugin_of_the_client_is_used_by_its_workers() -> None:
    class Both(ClientInterceptor, Interceptor):
        pass

    class OnlyWorkers(Interceptor):
        pass

    events: list[str] = []

    @asynccontextmanager
    async def around() -> AsyncIterator[None]:
        events.append("in")
        yield
        events.append("out")

    both, only = Both(), OnlyWorkers()
    converter = DataConverter()
    plugin = SimplePlugin(
        "mine",
        data_converter=converter,
        interceptors=[both, only],
        activities=[hello],
        workflows=lambda before: [*(before or ()), Says],
        workflow_runner=lambda before: UnsandboxedWorkflowRunner(),
        workflow_failure_exception_types=[ValueError],
        run_context=around,
    )
    async with await WorkflowEnvironment.start_time_skipping(plugins=[plugin]) as env:
        assert env.client.data_converter is converter
        # Beside it stands the one that makes workflows fail on assertions in tests.
        assert both in env.client.config(active_config=True)["interceptors"]
        async with Worker(env.client, task_queue="q", workflows=[Other]) as worker:
            assert await env.client.execute_workflow(Says.run, id="w", task_queue="q") == "hello"
            assert await env.client.execute_workflow(Other.run, id="v", task_queue="q") == "other"
            history = await env.client.get_workflow_handle("w").fetch_history()

        config = worker.config(active_config=True)
        assert config["interceptors"] == [only]
        assert config["workflows"] == [Other, Says]
        assert config["workflow_failure_exception_types"] == [ValueError]
        assert isinstance(config["workflow_runner"], UnsandboxedWorkflowRunner)
        assert events == ["in", "out"]

        replayer = Replayer(workflows=[Other], plugins=[plugin])
        await replayer.replay_workflow(history)
        assert replayer.config(active_config=True)["interceptors"] == [both, only]
        assert replayer.config(active_config=True)["data_converter"] is converter
        assert events == ["in", "out", "in", "out"]
    assert plugin.name() == "mine"


async def test_the_same_plugin_at_client_and_worker_is_warned_of() -> None:
    plugin = SimplePlugin("twice")
    async with await WorkflowEnvironment.start_time_skipping(plugins=[plugin]) as env:
        with pytest.warns(UserWarning, match="present from both client and worker"):
            Worker(env.client, task_queue="q", workflows=[Says], plugins=[SimplePlugin("other")])


async def test_a_function_is_given_what_there_was() -> None:
    given: list[Any] = []

    def changed(before: DataConverter | None) -> DataConverter:
        given.append(before)
        return dataclasses.replace(cast(DataConverter, before))

    plugin = SimplePlugin("functions", data_converter=changed)
    async with await Client.connect("memory:functions", plugins=[plugin]) as client:
        assert given == [DataConverter.default]
        assert client.data_converter is not DataConverter.default


async def test_plugins_of_a_replayer_configure_it_and_stand_around_it() -> None:
    seen: list[str] = []
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(env.client, task_queue="q", workflows=[Says], activities=[hello]),
    ):
        await env.client.execute_workflow(Says.run, id="w", task_queue="q")
        history = await env.client.get_workflow_handle("w").fetch_history()

    await Replayer(workflows=[Other], plugins=[Order("a", seen)]).replay_workflow(history)

    assert seen == ["replay a", "replayed a"]

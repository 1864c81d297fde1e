"""Plugins change what clients, workers and replayers are made of, and stand around their runs."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
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
    WorkerTuner,
    WorkflowReplayResult,
    load_default_build_id,
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


async def test_an_executor_with_fewer_threads_than_slots_is_warned_of() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        with (
            ThreadPoolExecutor(2) as threads,
            pytest.warns(UserWarning, match=r"is 50 but activity_executor's max_workers is only 2"),
        ):
            Worker(
                env.client,
                task_queue="q",
                activities=[hello],
                activity_executor=threads,
                max_concurrent_activities=50,
            )


async def test_a_build_id_is_made_of_the_code_that_is_loaded() -> None:
    first = load_default_build_id()

    assert len(first) == 32
    assert load_default_build_id() == first


async def test_a_worker_takes_another_client_of_the_same_log() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        worker = Worker(env.client, task_queue="q", workflows=[Other])
        other = await env.connect_client(identity="other")
        worker.client = other
        assert worker.client is other
        async with worker, await Client.connect("memory:elsewhere") as stranger:
            with pytest.raises(ValueError, match="make another Worker"):
                worker.client = stranger
            worker.client = env.client
            assert await other.execute_workflow(Other.run, id="v", task_queue="q") == "other"
        await other.close()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"tuner": WorkerTuner.create_fixed(), "max_concurrent_activities": 2}, "specifying tuner"),
        ({"use_worker_versioning": True}, "build_id must be specified"),
        ({"max_eager_activity_reservations_per_workflow_task": 0}, "must be positive"),
        ({"max_cached_workflows": -1}, "0 or more"),
        ({"workflows": [Other, Other]}, "twice|once"),
    ],
)
async def test_options_that_contradict_each_other_are_refused(
    options: dict[str, Any], complaint: str
) -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        with pytest.raises(ValueError, match=complaint):
            Worker(env.client, task_queue="q", **{"workflows": [Other], **options})


async def test_a_lazy_client_serves_a_worker() -> None:
    async with (
        await Client.connect("memory:lazy", lazy=True) as client,
        Worker(client, task_queue="q", workflows=[Other]),
    ):
        assert await client.execute_workflow(Other.run, id="v", task_queue="q") == "other"


async def test_many_workers_serve_one_queue_of_one_client() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        workers = [Worker(env.client, task_queue="q", workflows=[Other]) for _ in range(3)]
        async with workers[0], workers[1], workers[2]:
            results = [
                await env.client.execute_workflow(Other.run, id=f"w{n}", task_queue="q")
                for n in range(6)
            ]

    assert results == ["other"] * 6
    assert all(worker.is_shutdown for worker in workers)


async def test_a_plugin_configures_a_worker_of_a_client_that_a_test_made_up() -> None:
    """Tests of plugins often give no client, or something in its place."""
    plugin = SimplePlugin("adds", interceptors=[Interceptor()])
    config = cast("WorkerConfig", {"client": object(), "task_queue": "q"})

    assert len(plugin.configure_worker(config)["interceptors"]) == 1
    assert len(plugin.configure_worker(cast("WorkerConfig", {}))["interceptors"]) == 1

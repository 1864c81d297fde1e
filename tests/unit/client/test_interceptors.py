"""Interceptors of a client see each call before it leaves, may change it, and may answer in its place."""

from __future__ import annotations

from typing import Any

import pytest

from streamflow import workflow
from streamflow.client import (
    CancelWorkflowInput,
    Client,
    DescribeWorkflowInput,
    FetchWorkflowHistoryEventsInput,
    Interceptor,
    OutboundInterceptor,
    QueryWorkflowInput,
    SignalWorkflowInput,
    StartWorkflowInput,
    TerminateWorkflowInput,
    WorkflowExecutionDescription,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowHistoryEventAsyncIterator,
)
from streamflow.converter import DataConverter
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

pytestmark = pytest.mark.asyncio


@workflow.defn
class Listens:
    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.run
    async def run(self, name: str) -> str:
        await workflow.wait_condition(lambda: "stop" in self.heard)
        return f"{name}: {workflow.info().headers['by'].data.decode()}"

    @workflow.signal
    def say(self, word: str) -> None:
        self.heard.append(word)

    @workflow.query
    def words(self) -> list[str]:
        return self.heard


class Tracing(Interceptor):
    def __init__(self, name: str, seen: list[tuple[str, str, Any]]) -> None:
        self.name = name
        self.seen = seen

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Traced(self, next)


class _Traced(OutboundInterceptor):
    def __init__(self, tracing: Tracing, next: OutboundInterceptor) -> None:
        super().__init__(next)
        self._tracing = tracing

    def _saw(self, call: str, input: Any) -> None:
        self._tracing.seen.append((self._tracing.name, call, input))

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        self._saw("start_workflow", input)
        by = DataConverter.default.payload_converter.to_payload(self._tracing.name)
        input.headers = {"by": by, **input.headers}
        return await super().start_workflow(input)

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        self._saw("signal_workflow", input)
        input.args = [str(word).lower() for word in input.args]
        await super().signal_workflow(input)

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        self._saw("query_workflow", input)
        return await super().query_workflow(input)

    async def cancel_workflow(self, input: CancelWorkflowInput) -> None:
        self._saw("cancel_workflow", input)
        await super().cancel_workflow(input)

    async def terminate_workflow(self, input: TerminateWorkflowInput) -> None:
        self._saw("terminate_workflow", input)
        await super().terminate_workflow(input)

    async def describe_workflow(self, input: DescribeWorkflowInput) -> WorkflowExecutionDescription:
        self._saw("describe_workflow", input)
        return await super().describe_workflow(input)

    def fetch_workflow_history_events(
        self, input: FetchWorkflowHistoryEventsInput
    ) -> WorkflowHistoryEventAsyncIterator:
        self._saw("fetch_workflow_history_events", input)
        return super().fetch_workflow_history_events(input)


def _intercepted(client: Client, *interceptors: Interceptor) -> Client:
    config = client.config()
    config["interceptors"] = list(interceptors)
    return Client(**config)


async def test_every_call_about_a_workflow_passes_the_interceptors() -> None:
    seen: list[tuple[str, str, Any]] = []
    async with await WorkflowEnvironment.start_time_skipping() as env:
        client = _intercepted(env.client, Tracing("one", seen))
        async with Worker(client, task_queue="q", workflows=[Listens]):
            handle = await client.start_workflow(Listens.run, "a", id="w", task_queue="q")
            await handle.signal(Listens.say, "HELLO")
            assert await handle.query(Listens.words) == ["hello"]
            await handle.describe()
            await handle.fetch_history()
            await handle.cancel(reason="enough")
            with pytest.raises(WorkflowFailureError):
                await handle.result()
            other = await client.start_workflow(Listens.run, "a", id="v", task_queue="q")
            await other.terminate("detail", reason="over")

    calls = [call for _, call, _ in seen]
    assert calls == [
        "start_workflow",
        "signal_workflow",
        "query_workflow",
        "describe_workflow",
        "fetch_workflow_history_events",
        "cancel_workflow",
        "start_workflow",
        "terminate_workflow",
    ]
    assert seen[0][2].workflow == "Listens"
    assert seen[1][2].signal == "say"
    assert seen[5][2].reason == "enough"
    assert (seen[7][2].args, seen[7][2].reason) == (("detail",), "over")


async def test_the_first_interceptor_is_outermost_and_its_headers_reach_the_workflow() -> None:
    seen: list[tuple[str, str, Any]] = []
    async with await WorkflowEnvironment.start_time_skipping() as env:
        client = _intercepted(env.client, Tracing("one", seen), Tracing("two", seen))
        async with Worker(client, task_queue="q", workflows=[Listens]):
            handle = await client.start_workflow(Listens.run, "a", id="w", task_queue="q")
            await handle.signal(Listens.say, "stop")

            # The inner one keeps the header that it is given.
            assert await handle.result() == 'a: "one"'
    assert [name for name, call, _ in seen if call == "start_workflow"] == ["one", "two"]


async def test_executing_a_workflow_starts_it_through_the_interceptors() -> None:
    seen: list[tuple[str, str, Any]] = []
    async with await WorkflowEnvironment.start_time_skipping() as env:
        client = _intercepted(env.client, Tracing("one", seen))
        async with Worker(client, task_queue="q", workflows=[Listens]):
            result = await client.execute_workflow(
                Listens.run,
                "a",
                id="w",
                task_queue="q",
                start_signal="say",
                start_signal_args=["stop"],
            )

    assert result == 'a: "one"'
    assert [call for _, call, _ in seen] == ["start_workflow"]
    assert seen[0][2].start_signal == "say"


async def test_an_interceptor_may_answer_in_the_place_of_the_log() -> None:
    class Answers(Interceptor):
        def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
            class Inner(OutboundInterceptor):
                async def query_workflow(self, input: QueryWorkflowInput) -> Any:
                    return f"about {input.id}"

            return Inner(next)

    async with await WorkflowEnvironment.start_time_skipping() as env:
        client = _intercepted(env.client, Answers())

        assert await client.get_workflow_handle("nobody").query("words") == "about nobody"

"""Interceptors of a worker stand around activities and workflow code, in order, also when a run is replayed."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, NoReturn

import pytest

from streamflow import activity, workflow
from streamflow.client import Client, WorkflowQueryFailedError
from streamflow.client import Interceptor as ClientInterceptor
from streamflow.common import RawValue
from streamflow.exceptions import ApplicationError
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ContinueAsNewInput,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    Interceptor,
    StartActivityInput,
    StartLocalActivityInput,
    Worker,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

pytestmark = pytest.mark.asyncio
Trace = list[tuple[str, Any]]
MINUTE = timedelta(minutes=1)


@activity.defn
async def greet(name: str) -> str:
    activity.heartbeat("greeting", name)
    return f"Hello, {name} ({activity.info().activity_type})"


@activity.defn
def shout(name: str) -> str:
    activity.heartbeat("shouting")
    return name.upper()


@workflow.defn
class Order:
    def __init__(self) -> None:
        self.words: list[str] = []

    @workflow.run
    async def run(self, count: int) -> list[str]:
        self.words.append(workflow.info().workflow_type)
        self.words.append(
            await workflow.execute_activity(greet, "Ann", start_to_close_timeout=MINUTE)
        )
        self.words.append(
            await workflow.execute_local_activity(shout, "bob", start_to_close_timeout=MINUTE)
        )
        await workflow.sleep(60)
        if not workflow.info().continued_run_id:
            await workflow.wait_condition(lambda: "go" in self.words)
        if count:
            workflow.continue_as_new(count - 1)
        return self.words

    @workflow.signal
    def say(self, word: str) -> None:
        self.words.append(word)

    @workflow.signal(dynamic=True)
    async def anything(self, name: str, args: Sequence[RawValue]) -> None:
        self.words.append(f"{name} {len(args)}")

    @workflow.query
    def all_words(self) -> list[str]:
        return self.words


class Tracing(Interceptor):
    def __init__(self, name: str, trace: Trace) -> None:
        self.name = name
        self.trace = trace

    def saw(self, call: str, what: Any = None) -> None:
        self.trace.append((f"{self.name}.{call}", what))

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _TracedActivity(self, super().intercept_activity(next))

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor]:
        input.unsafe_extern_functions[f"{self.name}_twice"] = lambda value: value * 2
        tracing = self

        class Inbound(_TracedWorkflow):
            of = tracing

        return Inbound


class _TracedActivity(ActivityInboundInterceptor):
    def __init__(self, of: Tracing, next: ActivityInboundInterceptor) -> None:
        super().__init__(next)
        self.of = of

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        self.of.saw("activity.init")
        super().init(_TracedActivityOutbound(self.of, outbound))

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        self.of.saw("activity.execute", (input.fn.__name__, list(input.args)))
        input.args = [f"{arg}!" for arg in input.args]
        return await super().execute_activity(input)


class _TracedActivityOutbound(ActivityOutboundInterceptor):
    def __init__(self, of: Tracing, next: ActivityOutboundInterceptor) -> None:
        super().__init__(next)
        self.of = of

    def info(self) -> activity.Info:
        self.of.saw("activity.info")
        return super().info()

    def heartbeat(self, *details: Any) -> None:
        self.of.saw("activity.heartbeat", details)
        super().heartbeat(*details)


class _TracedWorkflow(WorkflowInboundInterceptor):
    of: Tracing

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        self.of.saw("init", workflow.extern_functions()[f"{self.of.name}_twice"](2))
        super().init(_TracedOutbound(self.of, outbound))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        self.of.saw("execute", (input.type.__name__, input.run_fn.__name__, list(input.args)))
        return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        self.of.saw("signal", (input.signal, list(input.args)))
        await super().handle_signal(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        self.of.saw("query", (input.query, list(input.args)))
        return await super().handle_query(input)


class _TracedOutbound(WorkflowOutboundInterceptor):
    def __init__(self, of: Tracing, next: WorkflowOutboundInterceptor) -> None:
        super().__init__(next)
        self.of = of

    def info(self) -> workflow.Info:
        self.of.saw("info")
        return super().info()

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        self.of.saw("start_activity", (input.activity, input.args, input.start_to_close_timeout))
        return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        self.of.saw("start_local_activity", (input.activity, input.arg_types))
        return super().start_local_activity(input)

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        self.of.saw("continue_as_new", list(input.args))
        super().continue_as_new(input)


async def _run_order(client: Client, *, cached: int = 100, count: int = 0, **options: Any) -> Any:
    async with Worker(
        client,
        task_queue="q",
        workflows=[Order],
        activities=[greet, shout],
        activity_executor=ThreadPoolExecutor(),
        max_cached_workflows=cached,
        **options,
    ):
        handle = await client.start_workflow(Order.run, count, id="w", task_queue="q")
        await handle.signal(Order.say, "hello")
        await handle.signal("unheard-of", args=[1, 2])
        assert "hello" in await handle.query(Order.all_words)
        await handle.signal(Order.say, "go")
        return await handle.result()


async def test_each_call_passes_the_interceptors_in_order() -> None:
    trace: Trace = []
    async with await WorkflowEnvironment.start_time_skipping() as env:
        interceptors = [Tracing("a", trace), Tracing("b", trace)]
        result = await _run_order(env.client, interceptors=interceptors)

    # Each of the two appends its mark to what the activity is given.
    assert "Hello, Ann!! (greet)" in result
    assert "BOB!!" in result
    for call in (
        "init",
        "execute",
        "signal",
        "query",
        "info",
        "start_activity",
        "start_local_activity",
        "activity.init",
        "activity.execute",
        "activity.info",
        "activity.heartbeat",
    ):
        names = [name for name, _ in trace if name.partition(".")[2] == call]
        # `init` hands the outbound ones on from the outside in, so the inner one stands first there.
        first = "b" if call in ("info", "start_activity", "start_local_activity") else "a"
        first = "b" if call in ("activity.info", "activity.heartbeat") else first
        assert names, call
        assert names[0] == f"{first}.{call}", call
        assert names.count(f"a.{call}") == names.count(f"b.{call}"), call
    seen = dict(reversed(trace))
    assert seen["a.init"] == 4
    assert seen["a.execute"] == ("Order", "run", [0])
    assert seen["a.signal"] == ("say", ["hello"])
    assert seen["a.query"] == ("all_words", [])
    assert seen["a.start_activity"] == ("greet", ("Ann",), MINUTE)
    assert seen["a.start_local_activity"] == ("shout", [str])
    assert ("a.activity.execute", ("greet", ["Ann"])) in trace
    assert ("b.activity.execute", ("greet", ["Ann!"])) in trace
    assert ("a.activity.heartbeat", ("greeting", "Ann!!")) in trace
    dynamic = next(what for name, what in trace if name == "a.signal" and what[0] == "unheard-of")
    assert dynamic[1][0] == "unheard-of"
    assert len(dynamic[1][1]) == 2


async def test_a_run_that_is_replayed_at_each_step_comes_to_the_same_end() -> None:
    once: Trace = []
    again: Trace = []
    async with await WorkflowEnvironment.start_time_skipping() as env:
        result = await _run_order(env.client, interceptors=[Tracing("a", once)])
    async with await WorkflowEnvironment.start_time_skipping() as env:
        replayed = await _run_order(env.client, cached=0, interceptors=[Tracing("a", again)])

    # Signals arrive when they arrive, so only what there is counts, not its order.
    assert sorted(replayed) == sorted(result)
    assert [name for name, _ in again].count("a.init") > 1


async def test_continuing_as_new_passes_the_interceptors() -> None:
    trace: Trace = []
    async with await WorkflowEnvironment.start_time_skipping() as env:
        await _run_order(env.client, count=1, interceptors=[Tracing("a", trace)])

    assert ("a.continue_as_new", [0]) in trace


async def test_interceptors_of_the_client_that_are_for_workers_stand_outside_of_the_workers_own() -> (
    None
):
    class Both(Tracing, ClientInterceptor):
        pass

    trace: Trace = []
    async with await WorkflowEnvironment.start_time_skipping() as env:
        config = env.client.config()
        config["interceptors"] = [Both("outer", trace)]
        client = Client(**config)
        await _run_order(client, interceptors=[Tracing("inner", trace)])

    assert [name for name, _ in trace if name.endswith(".execute")][:2] == [
        "outer.execute",
        "inner.execute",
    ]


async def test_an_interceptor_may_answer_in_the_place_of_an_activity_and_of_a_query() -> None:
    class Answers(Interceptor):
        def intercept_activity(
            self, next: ActivityInboundInterceptor
        ) -> ActivityInboundInterceptor:
            class Inner(ActivityInboundInterceptor):
                async def execute_activity(self, input: ExecuteActivityInput) -> Any:
                    return "never ran"

            return Inner(next)

        def workflow_interceptor_class(
            self, input: WorkflowInterceptorClassInput
        ) -> type[WorkflowInboundInterceptor]:
            class Inner(WorkflowInboundInterceptor):
                async def handle_query(self, input: HandleQueryInput) -> Any:
                    if input.args:
                        raise ApplicationError("no arguments, please")
                    return ["hello", "from outside"]

            return Inner

    async with await WorkflowEnvironment.start_time_skipping() as env:
        result = await _run_order(env.client, interceptors=[Answers()])

    assert "never ran" in result


async def test_what_an_interceptor_raises_counts_as_raised_by_the_code() -> None:
    class Refuses(Interceptor):
        def workflow_interceptor_class(
            self, input: WorkflowInterceptorClassInput
        ) -> type[WorkflowInboundInterceptor]:
            class Inner(WorkflowInboundInterceptor):
                async def handle_query(self, input: HandleQueryInput) -> Any:
                    raise ApplicationError("not for you")

            return Inner

    async with await WorkflowEnvironment.start_time_skipping() as env:
        with pytest.raises(WorkflowQueryFailedError, match="not for you"):
            await _run_order(env.client, interceptors=[Refuses()])

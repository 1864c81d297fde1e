"""Spans across clients, workflows and activities: the right parents, and none a second time on replay."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from datetime import timedelta

import opentelemetry.trace
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

import streamflow.contrib.opentelemetry.workflow
from streamflow import activity, workflow
from streamflow.client import Client, Interceptor, WorkflowFailureError
from streamflow.contrib.opentelemetry import (
    OpenTelemetryInterceptor,
    OpenTelemetryPlugin,
    ReplaySafeTracerProvider,
    TracingInterceptor,
    create_tracer_provider,
)
from streamflow.exceptions import ApplicationError, ApplicationErrorCategory
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def interceptor(exporter: InMemorySpanExporter) -> TracingInterceptor:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return TracingInterceptor(provider.get_tracer(__name__))


def tree(exporter: InMemorySpanExporter) -> list[str]:
    """Names of the spans, children indented beneath their parents, in the order of their ends."""
    spans = exporter.get_finished_spans()

    def beneath(parent: ReadableSpan | None, depth: int) -> Generator[str]:
        for span in spans:
            same = (
                span.parent is None
                if parent is None
                else (span.parent is not None and span.parent.span_id == parent.context.span_id)
            )
            if same:
                yield f"{'  ' * depth}{span.name}"
                yield from beneath(span, depth + 1)

    return [*beneath(None, 0)]


@activity.defn
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@activity.defn
async def refuse(benign: bool) -> None:
    category = ApplicationErrorCategory.BENIGN if benign else ApplicationErrorCategory.UNSPECIFIED
    raise ApplicationError("no", non_retryable=True, category=category)


@workflow.defn
class Child:
    @workflow.run
    async def run(self) -> str:
        return "child"


@workflow.defn
class Traced:
    def __init__(self) -> None:
        self.go = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.go)
        streamflow.contrib.opentelemetry.workflow.completed_span("mine", attributes={"my": 1})
        greeting = await workflow.execute_activity(
            greet, "you", start_to_close_timeout=timedelta(seconds=5)
        )
        await workflow.execute_local_activity(
            greet, "me", start_to_close_timeout=timedelta(seconds=5)
        )
        await workflow.sleep(1)
        return greeting

    @workflow.signal
    def start(self) -> None:
        self.go = True

    @workflow.query
    def gone(self) -> bool:
        return self.go


@workflow.defn
class Brief:
    @workflow.run
    async def run(self) -> None:
        streamflow.contrib.opentelemetry.workflow.completed_span("brief", attributes={"my": 1})
        await workflow.execute_local_activity(
            greet, "me", start_to_close_timeout=timedelta(seconds=5)
        )


@workflow.defn
class Refused:
    @workflow.run
    async def run(self, benign: bool) -> None:
        await workflow.execute_activity(refuse, benign, start_to_close_timeout=timedelta(seconds=5))


@asynccontextmanager
async def serving(interceptor: Interceptor) -> AsyncGenerator[Client]:
    """A client with the interceptor and a worker that forgets each run after each step."""
    async with (
        await WorkflowEnvironment.start_time_skipping(interceptors=[interceptor]) as env,
        Worker(
            env.client,
            task_queue="q",
            workflows=[Traced, Brief, Refused, Lasting, Child],
            activities=[greet, refuse],
            max_cached_workflows=0,
        ),
    ):
        yield env.client


@pytest.mark.asyncio
async def test_every_call_is_a_span_beneath_the_one_that_asked(
    interceptor: TracingInterceptor, exporter: InMemorySpanExporter
) -> None:
    async with serving(interceptor) as client:
        handle = await client.start_workflow(Traced.run, id="w", task_queue="q")
        await handle.signal(Traced.start)
        assert await handle.result() == "Hello, you!"
        assert await handle.query(Traced.gone)

    assert tree(exporter) == [
        "StartWorkflow:Traced",
        "  RunWorkflow:Traced",
        "  HandleSignal:start",
        "  mine",
        "  StartActivity:greet",
        "    RunActivity:greet",
        "  StartActivity:greet",
        "    RunActivity:greet",
        "  CompleteWorkflow:Traced",
        "SignalWorkflow:start",
        "QueryWorkflow:gone",
        "  HandleQuery:gone",
    ]
    spans = {span.name: span for span in exporter.get_finished_spans()}
    linked, sent = (
        spans["HandleSignal:start"].links[0].context,
        spans["SignalWorkflow:start"].context,
    )
    assert sent is not None
    assert (linked.trace_id, linked.span_id) == (sent.trace_id, sent.span_id)
    attributes = spans["mine"].attributes
    assert attributes is not None
    assert attributes["temporalWorkflowID"] == "w"
    assert attributes["temporalRunID"] == handle.result_run_id
    assert attributes["my"] == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("benign", [False, True])
async def test_errors_are_the_status_of_their_spans(
    interceptor: TracingInterceptor, exporter: InMemorySpanExporter, benign: bool
) -> None:
    """But for benign ones, which are expected."""
    async with serving(interceptor) as client:
        with pytest.raises(WorkflowFailureError):
            await client.execute_workflow(Refused.run, benign, id="w", task_queue="q")

    spans = {span.name: span for span in exporter.get_finished_spans()}
    status = spans["RunActivity:refuse"].status
    assert status.status_code is (StatusCode.UNSET if benign else StatusCode.ERROR)
    assert [event.name for event in spans["CompleteWorkflow:Refused"].events] == ["exception"]


@pytest.mark.asyncio
@pytest.mark.parametrize("always", [False, True])
async def test_workflows_that_nobody_traced_have_spans_only_on_demand(
    exporter: InMemorySpanExporter, always: bool
) -> None:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    interceptor = TracingInterceptor(
        provider.get_tracer(__name__), always_create_workflow_spans=always
    )
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(
            env.client,
            task_queue="q",
            workflows=[Child],
            interceptors=[interceptor],
            max_cached_workflows=0,
        ),
    ):
        await env.client.execute_workflow(Child.run, id="w", task_queue="q")

    expected = ["RunWorkflow:Child", "CompleteWorkflow:Child"] if always else []
    assert tree(exporter) == expected


@workflow.defn
class Lasting:
    """Makes spans of its own that last over steps."""

    @workflow.run
    async def run(self) -> str:
        tracer = opentelemetry.trace.get_tracer(__name__)
        with tracer.start_as_current_span("outer") as span:
            span.set_attribute("a", 1)
            await workflow.sleep(1)
            with tracer.start_as_current_span("inner"):
                await workflow.sleep(1)
                return await workflow.execute_activity(
                    greet, "you", start_to_close_timeout=timedelta(seconds=5)
                )


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> Generator[ReplaySafeTracerProvider]:
    """Made the global one for the test: workflow code finds it there."""
    made = create_tracer_provider()
    made.add_span_processor(SimpleSpanProcessor(exporter))
    before = opentelemetry.trace._TRACER_PROVIDER
    opentelemetry.trace._TRACER_PROVIDER = made
    yield made
    opentelemetry.trace._TRACER_PROVIDER = before


@pytest.mark.asyncio
@pytest.mark.usefixtures("provider")
async def test_spans_of_workflow_code_survive_replays(exporter: InMemorySpanExporter) -> None:
    """Each is exported once, with the same ids however often its step was run, and lasts as long as its block."""
    async with serving(OpenTelemetryInterceptor(add_temporal_spans=True)) as client:
        with opentelemetry.trace.get_tracer(__name__).start_as_current_span("caller"):
            await client.execute_workflow(Lasting.run, id="w", task_queue="q")

    assert tree(exporter) == [
        "caller",
        "  StartWorkflow:Lasting",
        "    RunWorkflow:Lasting",
        "      outer",
        "        inner",
        "          StartActivity:greet",
        "            RunActivity:greet",
    ]
    outer = next(span for span in exporter.get_finished_spans() if span.name == "outer")
    assert outer.start_time is not None
    assert outer.end_time is not None
    assert outer.end_time - outer.start_time >= 2_000_000_000


@pytest.mark.asyncio
@pytest.mark.usefixtures("provider")
@pytest.mark.filterwarnings("ignore:Without TracingInterceptor:DeprecationWarning")
async def test_completed_spans_and_local_activities_are_in_the_plugins_tree(
    exporter: InMemorySpanExporter,
) -> None:
    """The plugin's interceptor has no spans of its own making to give: they come from the global provider."""
    (interceptor,) = OpenTelemetryPlugin(add_temporal_spans=True).interceptors or ()
    assert isinstance(interceptor, Interceptor)
    async with serving(interceptor) as client:
        await client.execute_workflow(Brief.run, id="w", task_queue="q")

    assert tree(exporter) == [
        "StartWorkflow:Brief",
        "  RunWorkflow:Brief",
        "    brief",
        "    StartActivity:greet",
        "      RunActivity:greet",
    ]


@pytest.mark.asyncio
@pytest.mark.usefixtures("provider")
async def test_the_context_travels_without_spans_of_the_library(
    exporter: InMemorySpanExporter,
) -> None:
    async with serving(OpenTelemetryInterceptor()) as client:
        with opentelemetry.trace.get_tracer(__name__).start_as_current_span("caller"):
            await client.execute_workflow(Lasting.run, id="w", task_queue="q")

    assert tree(exporter) == ["caller", "  outer", "    inner"]


@pytest.mark.asyncio
async def test_a_provider_whose_ids_differ_on_replay_is_refused() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        with pytest.raises(ValueError, match="must be a ReplaySafeTracerProvider"):
            async with Worker(
                env.client,
                task_queue="q",
                workflows=[Child],
                interceptors=[OpenTelemetryInterceptor()],
            ):
                pass

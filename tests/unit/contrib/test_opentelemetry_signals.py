"""Meters and loggers that workflow code may use: silent on replay, else as the wrapped provider is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import opentelemetry.trace
import pytest
from opentelemetry._logs import Logger, LogRecord, NoOpLogger, NoOpLoggerProvider
from opentelemetry.metrics import (
    CallbackOptions,
    Histogram,
    Meter,
    NoOpMeter,
    NoOpMeterProvider,
    Observation,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from streamflow import workflow
from streamflow.contrib.opentelemetry import (
    ReplaySafeLoggerProvider,
    ReplaySafeMeterProvider,
    create_tracer_provider,
)
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

measured: dict[str, Any] = {}


def points(reader: InMemoryMetricReader) -> dict[str, Any]:
    """The last value, or the sum, by the metric's name."""
    data = reader.get_metrics_data()
    assert data is not None
    return {
        metric.name: getattr(point, "value", getattr(point, "sum", None))
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    }


class Words(NoOpLogger):
    """Of a library that knew records only."""

    def __init__(self) -> None:
        super().__init__("words")
        self.said: list[LogRecord] = []

    def emit(self, record: LogRecord) -> None:  # type: ignore[override]  # as it was before 1.38
        self.said.append(record)


class OldLoggers(NoOpLoggerProvider):
    def __init__(self) -> None:
        self.logger = Words()

    def get_logger(  # type: ignore[override]  # as it was before 1.26
        self, name: str, version: str | None = None, schema_url: str | None = None
    ) -> Logger:
        return self.logger


class OldMeter(NoOpMeter):
    def create_histogram(  # type: ignore[override]  # as it was before 1.30
        self, name: str, unit: str = "", description: str = ""
    ) -> Histogram:
        return super().create_histogram(name, unit, description)


class OldMeters(NoOpMeterProvider):
    def get_meter(  # type: ignore[override]  # as it was before 1.26
        self, name: str, version: str | None = None, schema_url: str | None = None
    ) -> Meter:
        return OldMeter(name, version, schema_url)


@workflow.defn
class Measured:
    @workflow.run
    async def run(self) -> None:
        for _ in range(3):
            measured["counter"].add(1)
            measured["logger"].emit(LogRecord(body="step"))
            await workflow.sleep(1)


@pytest.mark.asyncio
async def test_what_is_replayed_is_neither_counted_nor_said_again() -> None:
    """Every step here replays the ones before it."""
    reader, loggers = InMemoryMetricReader(), OldLoggers()
    meter = ReplaySafeMeterProvider(MeterProvider(metric_readers=[reader])).get_meter("m")
    measured.update(
        counter=meter.create_counter("steps"),
        logger=ReplaySafeLoggerProvider(loggers).get_logger("l"),
    )

    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(env.client, task_queue="q", workflows=[Measured], max_cached_workflows=0),
    ):
        await env.client.execute_workflow(Measured.run, id="w", task_queue="q")

    assert points(reader) == {"steps": 3}
    assert len(loggers.logger.said) == 3


def test_outside_of_workflows_every_instrument_measures() -> None:
    def observe(options: CallbackOptions) -> Iterable[Observation]:
        return [Observation(10)]

    reader = InMemoryMetricReader()
    meter = ReplaySafeMeterProvider(MeterProvider(metric_readers=[reader])).get_meter("m", "1.2")

    meter.create_counter("counter").add(2)
    meter.create_up_down_counter("level").add(-3)
    meter.create_histogram("spread").record(4)
    meter.create_gauge("gauge").set(5)
    meter.create_observable_gauge("observed", callbacks=[observe])

    assert points(reader) == {"counter": 2, "level": -3, "spread": 4, "gauge": 5, "observed": 10}
    assert (meter.name, meter.version) == ("m", "1.2")


def test_providers_of_older_libraries_are_asked_in_their_own_words() -> None:
    """Parameters that came later go on only where they are given."""
    loggers, record = OldLoggers(), LogRecord(body="hello")

    ReplaySafeLoggerProvider(loggers).get_logger("l").emit(record)
    ReplaySafeMeterProvider(OldMeters()).get_meter("m").create_histogram("h").record(1)

    assert loggers.logger.said == [record]


def test_a_tracer_provider_of_an_older_library_is_asked_without_attributes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[Any, ...]] = []
    provider = create_tracer_provider()

    def get_tracer(*given: Any) -> opentelemetry.trace.Tracer:
        asked.append(given)
        return opentelemetry.trace.NoOpTracer()

    monkeypatch.setattr(provider._tracer_provider, "get_tracer", get_tracer)
    provider.get_tracer("module", "1.0")
    provider.get_tracer("module", attributes={"a": "b"})

    assert asked == [("module", "1.0", None), ("module", None, None, {"a": "b"})]

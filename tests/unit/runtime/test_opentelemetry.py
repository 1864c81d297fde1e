"""Metrics become instruments of OpenTelemetry's library, which sends them to a collector."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from opentelemetry.sdk.metrics import Counter, Histogram
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricExporter,
    MetricExportResult,
    MetricsData,
)

from streamflow.common.meters import RecordingMeter
from streamflow.runtime import (
    OpenTelemetryConfig,
    OpenTelemetryMetricTemporality,
    Runtime,
    TelemetryConfig,
)
from streamflow.runtime.opentelemetry import OpenTelemetry, temporalities

URL = "http://localhost:4317"


class Collector(MetricExporter):
    """Keeps what was sent last, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.metrics: dict[str, Any] = {}

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        for resource in metrics_data.resource_metrics:
            for scope in resource.scope_metrics:
                self.metrics.update({metric.name: metric for metric in scope.metrics})
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Nothing is open."""


def sent(config: OpenTelemetryConfig) -> Iterator[tuple[RecordingMeter, dict[str, Any]]]:
    collector = Collector()
    telemetry = OpenTelemetry(config, collector)
    meter = RecordingMeter(telemetry.record, {"service_name": "streamflow"})
    yield meter, collector.metrics
    telemetry.flush()
    yield meter, collector.metrics


def test_each_kind_of_metric_is_sent() -> None:
    """With its attributes; durations are milliseconds unless seconds are asked for."""
    sending = sent(OpenTelemetryConfig(url=URL))
    meter, _ = next(sending)
    meter.create_counter("runs", "Runs so far").add(2, {"flag": True})
    meter.create_counter("runs", "Runs so far").add(3, {"flag": True})
    meter.create_gauge("level", unit="m").set(7)
    meter.create_gauge("level", unit="m").set(8)
    meter.create_histogram_timedelta("took", unit="duration").record(timedelta(seconds=2))
    _, found = next(sending)

    [runs] = found["runs"].data.data_points
    assert (runs.value, dict(runs.attributes)) == (5, {"service_name": "streamflow", "flag": True})
    assert found["runs"].description == "Runs so far"
    [level] = found["level"].data.data_points
    assert (level.value, found["level"].unit) == (8, "m")
    [took] = found["took"].data.data_points
    assert (took.sum, took.count, found["took"].unit) == (2_000, 1, "ms")
    assert took.explicit_bounds[0] == 1


def test_durations_may_be_seconds_and_buckets_ones_own() -> None:
    """By name of the metric."""
    buckets = {"mine": [1.0, 3.0]}
    config = OpenTelemetryConfig(
        url=URL, durations_as_seconds=True, histogram_bucket_overrides=buckets
    )
    sending = sent(config)
    meter, _ = next(sending)
    for name in ("mine", "other"):
        meter.create_histogram_timedelta(name, unit="duration").record(timedelta(seconds=2))
    _, found = next(sending)

    [mine] = found["mine"].data.data_points
    assert (mine.sum, found["mine"].unit) == (2, "s")
    assert (mine.explicit_bounds, mine.bucket_counts) == ((1.0, 3.0), (0, 1, 0))
    [other] = found["other"].data.data_points
    assert other.explicit_bounds[0] == 0.001


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (OpenTelemetryMetricTemporality.CUMULATIVE, AggregationTemporality.CUMULATIVE),
        (OpenTelemetryMetricTemporality.DELTA, AggregationTemporality.DELTA),
    ],
)
def test_sums_go_on_or_begin_anew(
    ours: OpenTelemetryMetricTemporality, theirs: AggregationTemporality
) -> None:
    """As asked for, with each export."""
    config = OpenTelemetryConfig(url=URL, metric_temporality=ours)

    assert temporalities(config) == {Counter: theirs, Histogram: theirs}


@pytest.mark.parametrize(("http", "name"), [(False, "grpc"), (True, "http")])
def test_a_missing_exporter_is_named(
    http: bool, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what would do without it."""
    monkeypatch.setitem(sys.modules, f"opentelemetry.exporter.otlp.proto.{name}", None)
    config = OpenTelemetryConfig(url=URL, http=http)

    with pytest.raises(ImportError, match=f"exporter-otlp-proto-{name}.*PrometheusConfig"):
        Runtime(telemetry=TelemetryConfig(metrics=config))

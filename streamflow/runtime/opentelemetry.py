"""Metrics sent to a collector by OpenTelemetry's own library, at intervals, from a thread of its own.

The library sums them up and knows the protocol; here they become its instruments. It and an exporter are the user's to install.
"""

from __future__ import annotations

import importlib
import threading
from datetime import timedelta
from typing import Any

from streamflow.common import MetricAttributes
from streamflow.common.meters import Instrument, MetricKind
from streamflow.runtime.prometheus import DEFAULT_BUCKETS_MS
from streamflow.runtime.telemetry import OpenTelemetryConfig, OpenTelemetryMetricTemporality

DEFAULT_PERIOD = timedelta(seconds=1)
_METRICS = "opentelemetry.sdk.metrics"


class OpenTelemetry:
    """Takes what is recorded, from any thread. What was recorded last is sent when the process ends."""

    def __init__(self, config: OpenTelemetryConfig, exporter: Any = None) -> None:
        """``exporter``: default is one of OTLP for the config's address.

        Raises ImportError where the library is not installed.
        """
        self._config = config
        self._lock = threading.Lock()
        self._instruments: dict[Instrument, Any] = {}
        period = config.metric_periodicity or DEFAULT_PERIOD
        export = _library(f"{_METRICS}.export", "opentelemetry-sdk")
        reader = export.PeriodicExportingMetricReader(
            exporter or _exporter(config),
            export_interval_millis=period / timedelta(milliseconds=1),
        )
        metrics = _library(_METRICS, "opentelemetry-sdk")
        self._provider = metrics.MeterProvider(metric_readers=[reader], views=self._views())
        self._meter = self._provider.get_meter("streamflow")

    def record(
        self, what: Instrument, value: int | float | timedelta, attributes: MetricAttributes
    ) -> None:
        with self._lock:
            instrument = self._instruments.get(what)
            if instrument is None:
                instrument = self._instruments[what] = self._made(what)
        number = self._number(value)
        match what.kind:
            case MetricKind.COUNTER:
                instrument.add(number, attributes)
            case MetricKind.GAUGE:
                instrument.set(number, attributes)
            case MetricKind.HISTOGRAM:
                instrument.record(number, attributes)

    def flush(self) -> None:
        """Sends now what was recorded."""
        self._provider.force_flush()

    def _made(self, what: Instrument) -> Any:
        unit, about = what.unit or "", what.description or ""
        if unit == "duration":
            unit = "s" if self._config.durations_as_seconds else "ms"
        match what.kind:
            case MetricKind.COUNTER:
                return self._meter.create_counter(what.name, unit, about)
            case MetricKind.GAUGE:
                return self._meter.create_gauge(what.name, unit, about)
            case MetricKind.HISTOGRAM:
                bounds: list[float] = [*DEFAULT_BUCKETS_MS]
                if what.unit == "duration" and self._config.durations_as_seconds:
                    bounds = [bound / 1_000 for bound in bounds]
                return self._meter.create_histogram(
                    what.name, unit, about, explicit_bucket_boundaries_advisory=bounds
                )

    def _views(self) -> list[Any]:
        """Buckets of their own, by name: they go before those that an instrument advises."""
        view = _library(f"{_METRICS}.view", "opentelemetry-sdk")
        return [
            view.View(
                instrument_name=name,
                aggregation=view.ExplicitBucketHistogramAggregation(boundaries=[*bounds]),
            )
            for name, bounds in (self._config.histogram_bucket_overrides or {}).items()
        ]

    def _number(self, value: int | float | timedelta) -> int | float:
        if not isinstance(value, timedelta):
            return value
        if self._config.durations_as_seconds:
            return value.total_seconds()
        return value / timedelta(milliseconds=1)


def _exporter(config: OpenTelemetryConfig) -> Any:
    protocol = "http" if config.http else "grpc"
    package = f"opentelemetry-exporter-otlp-proto-{protocol}"
    module = _library(f"opentelemetry.exporter.otlp.proto.{protocol}.metric_exporter", package)
    options: dict[str, Any] = {"preferred_temporality": temporalities(config)}
    if config.headers:
        options["headers"] = dict(config.headers)
    if not config.http:
        options["insecure"] = not config.url.startswith("https:")
    return module.OTLPMetricExporter(endpoint=config.url, **options)


def temporalities(config: OpenTelemetryConfig) -> dict[type[Any], Any]:
    """What an exporter is told of each kind of instrument."""
    metrics = _library(_METRICS, "opentelemetry-sdk")
    known = _library(f"{_METRICS}.export", "opentelemetry-sdk").AggregationTemporality
    delta = config.metric_temporality is OpenTelemetryMetricTemporality.DELTA
    wanted = known.DELTA if delta else known.CUMULATIVE
    return {metrics.Counter: wanted, metrics.Histogram: wanted}


def _library(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"Expected {package}, by which metrics are sent to a collector, found that it cannot be imported: install it, "
            "or serve metrics with PrometheusConfig(bind_address=...) and have the collector scrape them"
        ) from error

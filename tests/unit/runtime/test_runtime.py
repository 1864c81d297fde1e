"""Runtimes: one default for a process, and metrics that can be read."""

from __future__ import annotations

import logging
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from streamflow.common import MetricMeter
from streamflow.runtime import (
    AREAS,
    BUFFERED_METRIC_KIND_COUNTER,
    BUFFERED_METRIC_KIND_HISTOGRAM,
    LogForwardingConfig,
    LoggingConfig,
    MetricBuffer,
    MetricBufferDurationFormat,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)


@pytest.fixture(autouse=True)
def _own_default() -> Iterator[None]:
    before = Runtime._default, Runtime._prevented
    Runtime._default, Runtime._prevented = None, False
    yield
    Runtime._default, Runtime._prevented = before


def _buffered(
    size: int = 100,
    duration: MetricBufferDurationFormat = MetricBufferDurationFormat.MILLISECONDS,
) -> tuple[Runtime, MetricBuffer]:
    buffer = MetricBuffer(size, duration)
    metrics = TelemetryConfig(metrics=buffer, global_tags={"global": "yes"})
    return Runtime(telemetry=metrics), buffer


def test_there_is_one_default_runtime_until_another_is_set() -> None:
    first = Runtime.default()
    assert Runtime.default() is first
    other = Runtime(telemetry=TelemetryConfig())
    with pytest.raises(RuntimeError, match="already set"):
        Runtime.set_default(other)

    Runtime.set_default(other, error_if_already_set=False)

    assert Runtime.default() is other


def test_a_default_can_be_prevented() -> None:
    Runtime.prevent_default()
    with pytest.raises(RuntimeError, match="set_default"):
        Runtime.default()

    mine = Runtime(telemetry=TelemetryConfig())
    Runtime.set_default(mine)

    assert Runtime.default() is mine
    with pytest.raises(RuntimeError, match="too late"):
        Runtime.prevent_default()


def test_a_buffer_has_each_update_with_its_attributes() -> None:
    runtime, buffer = _buffered()
    meter = runtime.metric_meter.with_additional_attributes({"meter": 1})
    counter = meter.create_counter("runs", "Runs so far", "run")
    counter.add(3)
    counter.with_additional_attributes({"more": True}).add(4, {"own": 1.5})
    meter.create_histogram_timedelta("took").record(timedelta(seconds=2))

    first, second, third = buffer.retrieve_updates()

    assert (first.metric.name, first.metric.description, first.metric.unit) == (
        "runs",
        "Runs so far",
        "run",
    )
    assert first.metric.kind == BUFFERED_METRIC_KIND_COUNTER
    assert (first.value, second.value, third.value) == (3, 4, 2_000)
    assert first.metric is second.metric
    shared = {"global": "yes", "service_name": "streamflow", "meter": 1}
    assert dict(first.attributes) == shared
    assert dict(second.attributes) == {**shared, "more": True, "own": 1.5}
    assert (third.metric.unit, third.metric.kind) == ("ms", BUFFERED_METRIC_KIND_HISTOGRAM)
    assert buffer.retrieve_updates() == []


def test_updates_of_one_metric_share_what_it_is_and_its_attributes() -> None:
    """Who hands them on may look things up by identity."""
    runtime, buffer = _buffered()
    counter = runtime.metric_meter.create_counter("runs").with_additional_attributes({"a": 1})
    counter.add(1)
    [first] = buffer.retrieve_updates()

    counter.add(2)

    [second] = buffer.retrieve_updates()
    assert first.metric is second.metric
    assert first.attributes is second.attributes


def test_durations_may_be_kept_in_seconds() -> None:
    runtime, buffer = _buffered(duration=MetricBufferDurationFormat.SECONDS)
    histogram = runtime.metric_meter.create_histogram_timedelta("took")
    histogram.record(timedelta(milliseconds=1_500))

    (update,) = buffer.retrieve_updates()

    assert (update.value, update.metric.unit) == (1.5, "s")


def test_a_full_buffer_drops_what_comes_later() -> None:
    runtime, buffer = _buffered(size=2)
    for value in range(5):
        runtime.metric_meter.create_gauge("level").set(value)

    assert [update.value for update in buffer.retrieve_updates()] == [0, 1]


def test_a_buffer_belongs_to_one_runtime() -> None:
    _, buffer = _buffered()

    with pytest.raises(RuntimeError, match="one already used"):
        Runtime(telemetry=TelemetryConfig(metrics=buffer))
    with pytest.raises(RuntimeError, match="none was given"):
        MetricBuffer(1).retrieve_updates()


def test_negative_values_are_refused() -> None:
    meter = MetricMeter.noop
    with pytest.raises(ValueError, match="negative"):
        meter.create_counter("c").add(-1)
    with pytest.raises(ValueError, match="negative"):
        meter.create_histogram_timedelta("h").record(timedelta(seconds=-1))
    with pytest.raises(ValueError, match="negative"):
        meter.create_gauge_float("g").set(-0.5)


def test_attributes_of_other_types_are_refused() -> None:
    meter = Runtime(telemetry=TelemetryConfig(metrics=MetricBuffer(10))).metric_meter
    counter = meter.create_counter("c")
    bad: Any = {"shelf": None}

    for way in (
        lambda: meter.with_additional_attributes(bad),
        lambda: counter.with_additional_attributes(bad),
        lambda: counter.add(1, bad),
    ):
        with pytest.raises(TypeError, match=r"^Invalid value type for key 'shelf'"):
            way()


def test_prometheus_serves_what_was_recorded() -> None:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{found.getsockname()[1]}"
    config = PrometheusConfig(
        bind_address=address,
        counters_total_suffix=True,
        unit_suffix=True,
        durations_as_seconds=True,
        histogram_bucket_overrides={"my-took": [1.0, 5.0]},
    )
    runtime = Runtime(telemetry=TelemetryConfig(metrics=config, attach_service_name=False))
    meter = runtime.metric_meter
    meter.create_counter("my-runs", "Runs so far").add(2, {"flag": True})
    meter.create_counter("my-runs", "Runs so far").add(3, {"flag": True})
    meter.create_gauge("level", unit="m").set(7)
    meter.create_gauge("level", unit="m").set(8)
    meter.create_histogram_timedelta("my-took").record(timedelta(seconds=2))
    meter.create_gauge_float("share").set(0.5, {"of": 'a "b"\n'})

    with urllib.request.urlopen(f"http://{address}/metrics") as answer:
        lines = answer.read().decode().splitlines()

    assert 'my_runs_total{flag="true"} 5' in lines
    assert "# HELP my_runs_total Runs so far" in lines
    assert "# TYPE my_runs_total counter" in lines
    assert "level_m 8" in lines
    assert r'share{of="a \"b\"\n"} 0.5' in lines
    assert 'my_took_seconds_bucket{le="1"} 0' in lines
    assert 'my_took_seconds_bucket{le="5"} 1' in lines
    assert 'my_took_seconds_bucket{le="+Inf"} 1' in lines
    assert "my_took_seconds_sum 2" in lines


def test_the_server_of_metrics_answers_other_paths_too() -> None:
    """With the status and the text of their page, asked anew each time; every other path shows the metrics."""
    config = PrometheusConfig(bind_address="127.0.0.1:0")
    runtime = Runtime(telemetry=TelemetryConfig(metrics=config))
    runtime.metric_meter.create_counter("runs").add(1)
    states = [(200, "well"), (503, "unwell")]
    port = runtime.serve_page("/well", lambda: states.pop(0))

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/well?verbose") as answer:
        assert answer.read() == b"well"
    with pytest.raises(urllib.error.HTTPError, match="503") as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/well")
    assert refused.value.read() == b"unwell"
    refused.value.close()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        assert b"runs" in answer.read()


def test_a_page_needs_a_server_of_metrics() -> None:
    runtime = Runtime(telemetry=TelemetryConfig(logging=None))

    with pytest.raises(RuntimeError, match="PrometheusConfig"):
        runtime.serve_page("/well", lambda: (200, ""))


def test_what_is_not_there_is_refused_with_advice() -> None:
    with pytest.raises(ValueError, match="bind_address"):
        Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address="nowhere")))
    with pytest.raises(ValueError, match="log level"):
        Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="LOUD")))


def test_log_events_can_be_sent_to_a_logger_of_ones_own(caplog: pytest.LogCaptureFixture) -> None:
    mine, area = logging.getLogger("mine"), logging.getLogger("streamflow.runtime")
    mine.setLevel(logging.INFO)
    areas = [logging.getLogger(f"streamflow.{name}") for name in AREAS]
    before = [(logger, logger.level, list(logger.handlers)) for logger in areas]
    try:
        wanted = TelemetryFilter(core_level="INFO", other_level="ERROR")
        Runtime(
            telemetry=TelemetryConfig(
                logging=LoggingConfig(filter=wanted, forwarding=LogForwardingConfig(mine))
            )
        )
        with caplog.at_level(logging.INFO, "mine"):
            area.info("said %s", "so")
        assert wanted.formatted() == "ERROR,streamflow=INFO"
    finally:
        for logger, level, handlers in before:
            logger.setLevel(level)
            logger.handlers[:] = handlers

    said = [(record.name, record.getMessage()) for record in caplog.records]
    assert ("mine-streamflow.runtime", "[streamflow.runtime] said so") in said

"""Where logs and metrics of clients and workers go: a `Runtime`, one for a process by default.

    runtime = Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address="0.0.0.0:9464")))
    client = await Client.connect("localhost:9092", runtime=runtime)

The library has no threads of its own behind this: a runtime is settings, a meter, and perhaps a port that serves it.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, assert_never

from streamflow.common import MetricMeter
from streamflow.common.meters import RecordingMeter
from streamflow.runtime.buffer import (
    BUFFERED_METRIC_KIND_COUNTER,
    BUFFERED_METRIC_KIND_GAUGE,
    BUFFERED_METRIC_KIND_HISTOGRAM,
    BufferedMetric,
    BufferedMetricKind,
    BufferedMetricUpdate,
    MetricBuffer,
    MetricBufferDurationFormat,
)
from streamflow.runtime.telemetry import (
    LOGGER,
    LogForwardingConfig,
    LoggingConfig,
    LoggingFormat,
    OpenTelemetryConfig,
    OpenTelemetryMetricTemporality,
    PrometheusConfig,
    TelemetryConfig,
    TelemetryFilter,
)

if TYPE_CHECKING:
    from streamflow.runtime.prometheus import Page, Prometheus

__all__ = [
    "BUFFERED_METRIC_KIND_COUNTER",
    "BUFFERED_METRIC_KIND_GAUGE",
    "BUFFERED_METRIC_KIND_HISTOGRAM",
    "BufferedMetric",
    "BufferedMetricKind",
    "BufferedMetricUpdate",
    "LogForwardingConfig",
    "LoggingConfig",
    "LoggingFormat",
    "MetricBuffer",
    "MetricBufferDurationFormat",
    "OpenTelemetryConfig",
    "OpenTelemetryMetricTemporality",
    "PrometheusConfig",
    "Runtime",
    "TelemetryConfig",
    "TelemetryFilter",
]

AREAS = (
    "audit",
    "client",
    "embedded",
    "gateway",
    "kafka",
    "processor",
    "runtime",
    "visibility",
    "worker",
)
"""Parts of streamflow that log; what users' workflows and activities log is their own."""
DEFAULT_PREFIX = "streamflow_"
DEFAULT_HEARTBEAT = timedelta(seconds=60)


class Runtime:
    """Settings that clients and their workers share. Make one, early, and give it to `Client.connect`."""

    _default: ClassVar[Runtime | None] = None
    _prevented: ClassVar[bool] = False
    _lock: ClassVar[threading.Lock] = threading.Lock()

    @classmethod
    def default(cls) -> Runtime:
        """The runtime of clients that are given none; made at the first call, without metrics.

        Raises:
            RuntimeError: `prevent_default` was called, and `set_default` was not.
        """
        with cls._lock:
            if cls._default is None:
                if cls._prevented:
                    raise RuntimeError(
                        "Expected a runtime to be set with Runtime.set_default, found none: a default was prevented"
                    )
                cls._default = cls(telemetry=TelemetryConfig(logging=None))
            return cls._default

    @classmethod
    def prevent_default(cls) -> None:
        """From now on `default` raises unless `set_default` came before. Raises RuntimeError if one is there already."""
        with cls._lock:
            if cls._default is not None:
                raise RuntimeError(
                    "Expected no default runtime yet, found one: it is too late to prevent it"
                )
            cls._prevented = True

    @staticmethod
    def set_default(runtime: Runtime, *, error_if_already_set: bool = True) -> None:
        """Makes this the runtime of clients that are given none.

        Raises:
            RuntimeError: there is one already, unless ``error_if_already_set`` is off.
        """
        with Runtime._lock:
            if Runtime._default is not None and error_if_already_set:
                raise RuntimeError("Expected no default runtime yet, found one already set")
            Runtime._default = runtime

    def __init__(
        self,
        *,
        telemetry: TelemetryConfig,
        worker_heartbeat_interval: timedelta | None = DEFAULT_HEARTBEAT,
        disable_environment_info: bool = False,
    ) -> None:
        """The last two change nothing: workers are known by their consumer groups.

        Raises:
            ImportError: metrics are to be sent by OpenTelemetry, whose library or exporter is not installed.
            OSError: the address to serve metrics at is taken.
        """
        if worker_heartbeat_interval is not None and worker_heartbeat_interval <= timedelta():
            raise ValueError(
                f"Expected a positive worker_heartbeat_interval, found {worker_heartbeat_interval}"
            )
        self.telemetry = telemetry
        self._has_metrics = telemetry.metrics is not None
        self._prometheus: Prometheus | None = None
        self._meter = self._meter_of(telemetry)
        if telemetry.logging not in (None, LoggingConfig.default):
            assert telemetry.logging is not None
            _apply(telemetry.logging)

    @property
    def metric_meter(self) -> MetricMeter:
        """Makes metrics that are kept with streamflow's own."""
        return self._meter

    @property
    def has_metrics(self) -> bool:
        """Whether anybody wants metrics."""
        return self._has_metrics

    @property
    def metric_prefix(self) -> str:
        """What the names of streamflow's own metrics begin with."""
        prefix = self.telemetry.metric_prefix
        return DEFAULT_PREFIX if prefix is None else prefix

    def serve_page(self, path: str, page: Page) -> int:
        """Has the server of metrics answer another path too: ``page`` gives the status and the text. Returns the port.

        Raises:
            RuntimeError: no metrics are served here.
        """
        if self._prometheus is None or self._prometheus.port is None:
            raise RuntimeError(
                "Expected a runtime that serves metrics, found one that does not: give it a PrometheusConfig with a bind_address"
            )
        self._prometheus.pages[path] = page
        return self._prometheus.port

    def prometheus_text(self) -> str:
        """All metrics in Prometheus' text format 0.0.4. Raises RuntimeError unless they are kept by `PrometheusConfig`."""
        if self._prometheus is None:
            raise RuntimeError("Expected metrics kept by PrometheusConfig, found none")
        return self._prometheus.text()

    def _meter_of(self, telemetry: TelemetryConfig) -> MetricMeter:
        attributes = dict(telemetry.global_tags)
        if telemetry.attach_service_name:
            attributes.setdefault("service_name", "streamflow")
        match telemetry.metrics:
            case None:
                return MetricMeter.noop
            case MetricBuffer() as buffer:
                buffer.begin()
                return RecordingMeter(buffer.record, attributes)
            case PrometheusConfig() as config:
                from streamflow.runtime.prometheus import Prometheus

                self._prometheus = Prometheus(config)
                return RecordingMeter(self._prometheus.record, attributes)
            case OpenTelemetryConfig() as config:
                from streamflow.runtime.opentelemetry import OpenTelemetry

                return RecordingMeter(OpenTelemetry(config).record, attributes)
            case _ as other:
                assert_never(other)


def _apply(config: LoggingConfig) -> None:
    """Sets the level of streamflow's loggers, and sends them where they are wanted."""
    wanted = config.filter
    level = wanted.core_level if isinstance(wanted, TelemetryFilter) else _own_level(wanted)
    loggers = [logging.getLogger(f"{LOGGER}.{area}") for area in AREAS]
    number = logging.getLevelNamesMapping().get(
        {"WARN": "WARNING", "TRACE": "DEBUG"}.get(level.upper(), level.upper())
    )
    if number is None:
        raise ValueError(f"Expected a log level such as WARN or INFO, found {level!r}")
    handler = None if config.forwarding is None else _Forwarding(config.forwarding)
    for logger in loggers:
        logger.setLevel(number)
        if handler is not None:
            logger.addHandler(handler)


def _own_level(text: str) -> str:
    """Of a filter like ``ERROR,streamflow=WARN``: the level of streamflow, else the one that has no name."""
    parts = [part.strip() for part in text.split(",")]
    named = dict(part.split("=", 1) for part in parts if "=" in part)
    plain = next((part for part in parts if "=" not in part), "WARN")
    return named.get("streamflow", plain)


class _Forwarding(logging.Handler):
    """Passes records on under another logger's name."""

    def __init__(self, config: LogForwardingConfig) -> None:
        super().__init__()
        self._config = config

    def emit(self, record: logging.LogRecord) -> None:
        config = self._config
        message = record.getMessage()
        if config.prepend_target_on_message:
            message = f"[{record.name}] {message}"
        name = config.logger.name
        if config.append_target_to_name:
            name = f"{name}-{record.name}"
        forwarded = logging.makeLogRecord(
            {**vars(record), "name": name, "msg": message, "args": ()}
        )
        if config.logger.isEnabledFor(record.levelno):
            config.logger.handle(forwarded)

"""What a runtime is told about logs and metrics."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import ClassVar

from streamflow.runtime.buffer import MetricBuffer

LOGGER = "streamflow"
"""The standard library's logger below which all of ours are."""


@dataclass
class TelemetryFilter:
    """Levels of logs: of streamflow's own (``core_level``), and of the libraries below it."""

    core_level: str
    other_level: str

    def formatted(self) -> str:
        return f"{self.other_level},streamflow={self.core_level}"


class LoggingFormat(Enum):
    """How lines look. `streamflow.observability.configure` chooses it for a whole process."""

    COMPACT = "compact"
    PRETTY = "pretty"
    JSON = "json"


@dataclass
class LogForwardingConfig:
    """Sends streamflow's own log events to a logger of one's own."""

    logger: logging.Logger
    append_target_to_name: bool = True
    prepend_target_on_message: bool = True
    overwrite_log_record_time: bool = True
    append_log_fields_to_message: bool = True


@dataclass(frozen=True)
class LoggingConfig:
    """Which log events are wanted, and where they go. Default: warnings, to the standard library's loggers."""

    filter: TelemetryFilter | str
    forwarding: LogForwardingConfig | None = None
    format: LoggingFormat | None = None

    default: ClassVar[LoggingConfig]


LoggingConfig.default = LoggingConfig(
    filter=TelemetryFilter(core_level="WARN", other_level="ERROR")
)


class OpenTelemetryMetricTemporality(Enum):
    """Whether a sum goes on, or begins anew with each export."""

    CUMULATIVE = 1
    DELTA = 2


@dataclass(frozen=True)
class OpenTelemetryConfig:
    """Sends metrics to a collector, by ``opentelemetry-sdk`` and ``opentelemetry-exporter-otlp-proto-grpc`` (or ``-http``)."""

    url: str
    """``http://host:4317``; with ``http`` the whole address, ``http://host:4318/v1/metrics``."""
    headers: Mapping[str, str] | None = None
    metric_periodicity: timedelta | None = None
    """How often. Default: each second."""
    metric_temporality: OpenTelemetryMetricTemporality = OpenTelemetryMetricTemporality.CUMULATIVE
    durations_as_seconds: bool = False
    """Default: milliseconds."""
    http: bool = False
    """Default: gRPC."""
    histogram_bucket_overrides: Mapping[str, Sequence[float]] | None = None
    """Upper bounds of the buckets by metric name."""


@dataclass(frozen=True)
class PrometheusConfig:
    """Serves metrics at ``http://BIND_ADDRESS/metrics``."""

    bind_address: str | None
    """``host:port``; with ``None`` nothing listens, and `Runtime.prometheus_text` has them for whoever serves HTTP anyway."""
    counters_total_suffix: bool = False
    """Whether names of counters end in ``_total``."""
    unit_suffix: bool = False
    """Whether names end in their unit."""
    durations_as_seconds: bool = False
    """Default: milliseconds."""
    histogram_bucket_overrides: Mapping[str, Sequence[float]] | None = None
    """Upper bounds of the buckets by metric name."""


@dataclass(frozen=True)
class TelemetryConfig:
    """Logs and metrics of a runtime."""

    logging: LoggingConfig | None = LoggingConfig.default
    """``None`` changes nothing about logs."""
    metrics: OpenTelemetryConfig | PrometheusConfig | MetricBuffer | None = None
    """Default: none are kept."""
    global_tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Attributes of every metric."""
    attach_service_name: bool = True
    """Whether metrics carry ``service_name="streamflow"``."""
    metric_prefix: str | None = None
    """What the names of streamflow's own metrics begin with. Default: ``streamflow_``."""

"""OpenTelemetry: spans across starts, signals, queries, updates, activities and children, and none twice on replay.

`TracingInterceptor` makes a span for each call, those within workflows already ended. `OpenTelemetryInterceptor` with a
provider of `create_tracer_provider` lets workflow code use tracers of its own, with spans that last. Needs the extra
``streamflow[opentelemetry]``.
"""

from __future__ import annotations

from streamflow.contrib.opentelemetry.interceptor import OpenTelemetryInterceptor
from streamflow.contrib.opentelemetry.plugin import OpenTelemetryPlugin
from streamflow.contrib.opentelemetry.replay_safe import (
    ReplaySafeTracerProvider,
    create_tracer_provider,
)
from streamflow.contrib.opentelemetry.replay_safe_signals import (
    ReplaySafeLoggerProvider,
    ReplaySafeMeterProvider,
)
from streamflow.contrib.opentelemetry.tracing import TracingInterceptor
from streamflow.contrib.opentelemetry.tracing_workflow import TracingWorkflowInboundInterceptor

__all__ = [
    "OpenTelemetryInterceptor",
    "OpenTelemetryPlugin",
    "ReplaySafeLoggerProvider",
    "ReplaySafeMeterProvider",
    "ReplaySafeTracerProvider",
    "TracingInterceptor",
    "TracingWorkflowInboundInterceptor",
    "create_tracer_provider",
]

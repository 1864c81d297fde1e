"""Spans of workflow code's own that are over at once."""

from __future__ import annotations

import warnings

from opentelemetry.trace import get_tracer
from opentelemetry.util.types import Attributes

from streamflow.contrib.opentelemetry.tracing_workflow import tracing


def completed_span(
    name: str, *, attributes: Attributes = None, exception: Exception | None = None
) -> None:
    """Makes a span that is over at once; none on replay.

    Without `TracingInterceptor` it comes from the global tracer provider, which must be safe on replay, and a
    `DeprecationWarning` says that code may use ``opentelemetry.trace.get_tracer()`` itself.

    Args:
        attributes: beside the workflow's ID and the run's, which every span of a workflow has.
        exception: recorded as an event of the span.
    """
    interceptor = tracing()
    if interceptor is not None:
        interceptor._completed_span(name, additional_attributes=attributes, exception=exception)
        return
    warnings.warn(
        "Without TracingInterceptor workflow code may make its spans with opentelemetry.trace.get_tracer() itself",
        DeprecationWarning,
        stacklevel=2,
    )
    span = get_tracer(__name__).start_span(name, attributes=attributes)
    if exception is not None:
        span.record_exception(exception)
    span.end()

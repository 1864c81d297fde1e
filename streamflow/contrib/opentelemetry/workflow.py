"""Spans of workflow code's own, under `TracingInterceptor`."""

from __future__ import annotations

from opentelemetry.util.types import Attributes

from streamflow.contrib.opentelemetry.tracing_workflow import tracing


def completed_span(
    name: str, *, attributes: Attributes = None, exception: Exception | None = None
) -> None:
    """Makes a span that is over at once; none on replay, and none without the interceptor.

    Args:
        attributes: beside the workflow's ID and the run's, which every span of a workflow has.
        exception: recorded as an event of the span.
    """
    interceptor = tracing()
    if interceptor is not None:
        interceptor._completed_span(name, additional_attributes=attributes, exception=exception)

"""A span for each call of a client, each attempt of an activity, and each thing that happens to a workflow."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import opentelemetry.trace
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace import Link, Span, SpanKind, Tracer
from opentelemetry.util.types import Attributes

import streamflow.client
import streamflow.worker
from streamflow import activity
from streamflow.contrib.opentelemetry.carrying import (
    HEADER_KEY,
    Carrier,
    Carrying,
    default_text_map_propagator,
    span_of,
)
from streamflow.contrib.opentelemetry.tracing_client import TracingClient
from streamflow.contrib.opentelemetry.tracing_workflow import (
    EXTERN_NAME,
    CompletedSpan,
    TracingWorkflowInboundInterceptor,
)
from streamflow.converter import PayloadConverter


class TracingInterceptor(streamflow.client.Interceptor, streamflow.worker.Interceptor):
    """Give it to a client, whose Workers then use it too, or to a Worker alone.

    Spans of workflows are over as soon as they begin: one that lasts would not survive a replay. A subclass may set
    ``header_key``, ``text_map_propagator`` and ``payload_converter``; it then also returns a subclass of
    `TracingWorkflowInboundInterceptor` with the same ones from `workflow_interceptor_class`.
    """

    def __init__(
        self, tracer: Tracer | None = None, *, always_create_workflow_spans: bool = False
    ) -> None:
        """
        Args:
            tracer: Default: the global provider's.
            always_create_workflow_spans: Also in workflows that nobody's span began. Default: only in those that one did.
        """
        self.tracer = tracer or opentelemetry.trace.get_tracer(__name__)
        self.header_key: str = HEADER_KEY
        self.text_map_propagator: TextMapPropagator = default_text_map_propagator
        self.payload_converter = PayloadConverter.default
        self._always_create_workflow_spans = always_create_workflow_spans

    def intercept_client(
        self, next: streamflow.client.OutboundInterceptor
    ) -> streamflow.client.OutboundInterceptor:
        return TracingClient(next, self._carrying(), self._span)

    def intercept_activity(
        self, next: streamflow.worker.ActivityInboundInterceptor
    ) -> streamflow.worker.ActivityInboundInterceptor:
        return _TracingActivity(next, self)

    def workflow_interceptor_class(
        self, input: streamflow.worker.WorkflowInterceptorClassInput
    ) -> type[TracingWorkflowInboundInterceptor] | None:
        input.unsafe_extern_functions[EXTERN_NAME] = self._complete
        return TracingWorkflowInboundInterceptor

    def _carrying(self) -> Carrying:
        return Carrying(self.header_key, self.text_map_propagator, self.payload_converter)

    def _span(
        self, name: str, kind: SpanKind, attributes: Attributes
    ) -> AbstractContextManager[Span]:
        return span_of(self.tracer, name, kind=kind, attributes=attributes)

    def _complete(self, wanted: CompletedSpan) -> Carrier | None:
        """Makes and ends a workflow's span; what its children carry, or ``None`` if there is none to be made."""
        if wanted.parent_missing and not self._always_create_workflow_spans:
            return None
        context = self.text_map_propagator.extract(wanted.context)
        links: list[Link] = []
        if wanted.link is not None:
            linked = opentelemetry.trace.get_current_span(
                self.text_map_propagator.extract(wanted.link)
            )
            if linked is not opentelemetry.trace.INVALID_SPAN:
                links.append(Link(linked.get_span_context()))
        span = self.tracer.start_span(
            wanted.name,
            context,
            attributes=wanted.attributes,
            links=links,
            start_time=wanted.time_ns,
            kind=wanted.kind,
        )
        if wanted.exception is not None:
            span.record_exception(wanted.exception)
        span.end(end_time=wanted.time_ns)
        carrier: Carrier = {}
        self.text_map_propagator.inject(
            carrier, opentelemetry.trace.set_span_in_context(span, context)
        )
        return carrier


class _TracingActivity(streamflow.worker.ActivityInboundInterceptor):
    def __init__(
        self, next: streamflow.worker.ActivityInboundInterceptor, root: TracingInterceptor
    ) -> None:
        super().__init__(next)
        self._root = root

    async def execute_activity(self, input: streamflow.worker.ExecuteActivityInput) -> Any:
        info = activity.info()
        with span_of(
            self._root.tracer,
            f"RunActivity:{info.activity_type}",
            kind=SpanKind.SERVER,
            attributes=attributes_of(info),
            context=self._root._carrying().context_of(input.headers),
        ):
            return await super().execute_activity(input)


def attributes_of(info: activity.Info) -> dict[str, str]:
    """Which activity it is, and of which workflow if of one."""
    attributes = {"temporalActivityID": info.activity_id}
    if info.workflow_id:
        attributes["temporalWorkflowID"] = info.workflow_id
    if info.workflow_run_id:
        attributes["temporalRunID"] = info.workflow_run_id
    return attributes

"""Tracers that workflow code may use: the same ids on every replay, and a span only once.

Spans begin and end outside of workflows as ever. Within one, ids follow from the run's seed, and what ends while the step
is replayed was exported before.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import (
    ConcurrentMultiSpanProcessor,
    SpanLimits,
    SpanProcessor,
    SynchronousMultiSpanProcessor,
)
from opentelemetry.sdk.trace import TracerProvider as SDKTracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import (
    Link,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    TracerProvider,
    use_span,
)
from opentelemetry.util._decorator import _agnosticcontextmanager
from opentelemetry.util.types import Attributes, AttributeValue

from streamflow import workflow
from streamflow.coroutine.context import current_or_none

_RANDOM = "__streamflow_opentelemetry_random"


def in_step() -> bool:
    """Whether the caller is workflow code that may change its run."""
    return workflow.in_workflow() and not workflow.unsafe.is_read_only()


def replaying() -> bool:
    return workflow.in_workflow() and workflow.unsafe.is_replaying_history_events()


def unguarded() -> AbstractContextManager[None]:
    """The library looks at clocks and locks, which the guards of steps refuse."""
    return workflow.unsafe.sandbox_unrestricted() if workflow.in_workflow() else nullcontext()


class WorkflowIdGenerator(IdGenerator):
    """Ids from the run's own randomness in workflow code, from another generator elsewhere."""

    def __init__(self, id_generator: IdGenerator) -> None:
        self._elsewhere = id_generator

    def generate_span_id(self) -> int:
        chance = _chance()
        return self._elsewhere.generate_span_id() if chance is None else _bits(chance, 64)

    def generate_trace_id(self) -> int:
        chance = _chance()
        return self._elsewhere.generate_trace_id() if chance is None else _bits(chance, 128)


def _chance() -> random.Random | None:
    if not in_step():
        return None
    running = workflow.instance()
    found: random.Random | None = getattr(running, _RANDOM, None)
    if found is None:
        found = workflow.new_random()
        setattr(running, _RANDOM, found)
    return found


def _bits(chance: random.Random, count: int) -> int:
    return chance.getrandbits(count) or 1  # 0 is no id


class _ReplaySafeSpan(Span):
    def __init__(self, span: Span) -> None:
        self._span = span
        self._exception: BaseException | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._span, name)

    def end(self, end_time: int | None = None) -> None:
        """Not on replay, when it was ended before; nor when the code is only taken out of memory; nor for an error of
        the code, whose step will run again.
        """
        running = current_or_none()
        if running is not None and (running.replaying or running.loop.evicting):
            return
        error = self._exception
        if error is not None and in_step() and not workflow.is_failure_exception(error):
            return
        with unguarded():
            self._span.end(workflow.time_ns() if end_time is None and in_step() else end_time)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        self._exception = exception
        with unguarded():
            self._span.record_exception(exception, attributes, timestamp, escaped)

    def get_span_context(self) -> SpanContext:
        return self._span.get_span_context()

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        self._span.set_attributes(attributes)

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        self._span.set_attribute(key, value)

    def add_event(
        self, name: str, attributes: Attributes = None, timestamp: int | None = None
    ) -> None:
        with unguarded():
            self._span.add_event(name, attributes, timestamp)

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        self._span.add_link(context, attributes)

    def update_name(self, name: str) -> None:
        self._span.update_name(name)

    def is_recording(self) -> bool:
        return self._span.is_recording()

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        self._span.set_status(status, description)


class _ReplaySafeTracer(Tracer):
    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Span:
        if start_time is None and in_step():
            start_time = workflow.time_ns()
        with unguarded():
            span = self._tracer.start_span(
                name,
                context,
                kind,
                attributes,
                links,
                start_time,
                record_exception,
                set_status_on_exception,
            )
        return _ReplaySafeSpan(span)

    @_agnosticcontextmanager
    def start_as_current_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Generator[Span]:
        span = self.start_span(name, context, kind, attributes, links, start_time)
        with use_span(
            span,
            end_on_exit=end_on_exit,
            record_exception=record_exception,
            set_status_on_exception=set_status_on_exception,
        ):
            yield span


class ReplaySafeTracerProvider(TracerProvider):
    """Wraps a provider whose ids a `create_tracer_provider` made; use that function."""

    def __init__(
        self, tracer_provider: SDKTracerProvider, id_generator: WorkflowIdGenerator
    ) -> None:
        """Raises: ValueError, for a provider with other ids."""
        if not isinstance(tracer_provider.id_generator, WorkflowIdGenerator):
            raise ValueError(
                "Expected a tracer provider whose ids are the same on replay, found "
                f"{type(tracer_provider.id_generator).__name__}; make it with create_tracer_provider"
            )
        self._tracer_provider = tracer_provider
        self._id_generator = id_generator

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes | None = None,
    ) -> Tracer:
        newer = (
            () if attributes is None else (attributes,)
        )  # older providers do not know attributes
        return _ReplaySafeTracer(
            self._tracer_provider.get_tracer(
                instrumenting_module_name, instrumenting_library_version, schema_url, *newer
            )
        )

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        self._tracer_provider.add_span_processor(span_processor)

    def shutdown(self) -> None:
        self._tracer_provider.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Whether everything was exported within the time."""
        return self._tracer_provider.force_flush(timeout_millis)

    def id_generator(self) -> WorkflowIdGenerator:
        return self._id_generator


def create_tracer_provider(
    sampler: Sampler | None = None,
    resource: Resource | None = None,
    shutdown_on_exit: bool = True,
    active_span_processor: (
        SynchronousMultiSpanProcessor | ConcurrentMultiSpanProcessor | None
    ) = None,
    id_generator: IdGenerator | None = None,
    span_limits: SpanLimits | None = None,
) -> ReplaySafeTracerProvider:
    """A provider for `opentelemetry.trace.set_tracer_provider` that workflow code may use; arguments as the SDK's."""
    ids = WorkflowIdGenerator(id_generator or RandomIdGenerator())
    provider = SDKTracerProvider(
        sampler=sampler,
        resource=resource,
        shutdown_on_exit=shutdown_on_exit,
        active_span_processor=active_span_processor,
        span_limits=span_limits,
        id_generator=ids,
    )
    return ReplaySafeTracerProvider(provider, ids)

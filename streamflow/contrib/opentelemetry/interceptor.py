"""Carries the current context into workflows and activities, so that code there can use tracers of its own."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar, NoReturn

import opentelemetry.trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind
from opentelemetry.util.types import Attributes

import streamflow.client
import streamflow.worker
from streamflow import activity, workflow
from streamflow.contrib.opentelemetry.carrying import Carrying, Headers, attached, span_of
from streamflow.contrib.opentelemetry.replay_safe import ReplaySafeTracerProvider
from streamflow.contrib.opentelemetry.tracing import attributes_of
from streamflow.contrib.opentelemetry.tracing_client import TracingClient
from streamflow.worker import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowOutboundInterceptor,
)

_CARRYING = Carrying()


class OpenTelemetryInterceptor(streamflow.client.Interceptor, streamflow.worker.Interceptor):
    """Give it to a client, or use `OpenTelemetryPlugin`.

    The global tracer provider must be one of `create_tracer_provider`. With ``add_temporal_spans`` calls, attempts and
    what happens to workflows are spans too; default: only the context travels.
    """

    def __init__(self, add_temporal_spans: bool = False) -> None:
        self._add_spans = add_temporal_spans

    def intercept_client(
        self, next: streamflow.client.OutboundInterceptor
    ) -> streamflow.client.OutboundInterceptor:
        return TracingClient(next, _CARRYING, self._span)

    def intercept_activity(
        self, next: streamflow.worker.ActivityInboundInterceptor
    ) -> streamflow.worker.ActivityInboundInterceptor:
        return _ActivityInbound(next, self)

    def workflow_interceptor_class(
        self, input: streamflow.worker.WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        """Raises: ValueError, if the global tracer provider is not safe to be used by workflow code."""
        provider = opentelemetry.trace.get_tracer_provider()
        if not isinstance(provider, ReplaySafeTracerProvider):
            raise ValueError(
                "When using OpenTelemetryPlugin, the global trace provider must be a ReplaySafeTracerProvider, found "
                f"{type(provider).__name__}. Use create_tracer_provider to create one, and set_tracer_provider"
            )
        return _WithSpans if self._add_spans else _Inbound

    def _span(
        self, name: str, kind: SpanKind, attributes: Attributes
    ) -> AbstractContextManager[Any]:
        return _span(name, kind, attributes, wanted=self._add_spans)


@contextmanager
def _span(name: str, kind: SpanKind, attributes: Attributes, *, wanted: bool) -> Generator[None]:
    if not wanted:
        yield
        return
    tracer = opentelemetry.trace.get_tracer(__name__)
    with span_of(tracer, name, kind=kind, attributes=attributes):
        yield


class _ActivityInbound(streamflow.worker.ActivityInboundInterceptor):
    def __init__(
        self,
        next: streamflow.worker.ActivityInboundInterceptor,
        root: OpenTelemetryInterceptor,
    ) -> None:
        super().__init__(next)
        self._root = root

    async def execute_activity(self, input: streamflow.worker.ExecuteActivityInput) -> Any:
        info = activity.info()
        name = f"RunActivity:{info.activity_type}"
        context = _CARRYING.context_of(input.headers) or Context()
        with attached(context), self._root._span(name, SpanKind.SERVER, attributes_of(info)):
            return await super().execute_activity(input)


class _Inbound(WorkflowInboundInterceptor):
    """Each input's handler runs in the context that came with the input."""

    _add_spans: ClassVar[bool] = False

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound, add_spans=self._add_spans))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        with self._handling(f"RunWorkflow:{workflow.info().workflow_type}", input.headers):
            return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        with self._handling(f"HandleSignal:{input.signal}", input.headers):
            await super().handle_signal(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        with self._handling(f"HandleQuery:{input.query}", input.headers):
            return await super().handle_query(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        with self._handling(f"ValidateUpdate:{input.update}", input.headers):
            super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        with self._handling(f"HandleUpdate:{input.update}", input.headers):
            return await super().handle_update_handler(input)

    @contextmanager
    def _handling(self, name: str, headers: Headers) -> Generator[None]:
        context = _CARRYING.context_of(headers) or Context()
        attributes = _attributes_of_workflow()
        with (
            attached(context),
            _span(name, SpanKind.SERVER, attributes, wanted=self._add_spans),
        ):
            yield


class _WithSpans(_Inbound):
    _add_spans = True


class _Outbound(WorkflowOutboundInterceptor):
    """What the code asks for goes out with the context that it is asked in."""

    def __init__(self, next: WorkflowOutboundInterceptor, *, add_spans: bool) -> None:
        super().__init__(next)
        self._add_spans = add_spans

    def _asking(self, name: str) -> AbstractContextManager[None]:
        attributes = _attributes_of_workflow()
        return _span(name, SpanKind.CLIENT, attributes, wanted=self._add_spans)

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        input.headers = _CARRYING.with_current(input.headers)
        super().continue_as_new(input)

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        with self._asking(f"SignalChildWorkflow:{input.signal}"):
            input.headers = _CARRYING.with_current(input.headers)
            await super().signal_child_workflow(input)

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        with self._asking(f"SignalExternalWorkflow:{input.signal}"):
            input.headers = _CARRYING.with_current(input.headers)
            await super().signal_external_workflow(input)

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        with self._asking(f"StartActivity:{input.activity}"):
            input.headers = _CARRYING.with_current(input.headers)
            return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        with self._asking(f"StartActivity:{input.activity}"):
            input.headers = _CARRYING.with_current(input.headers)
            return super().start_local_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> Any:
        with self._asking(f"StartChildWorkflow:{input.workflow}"):
            input.headers = _CARRYING.with_current(input.headers)
            return await super().start_child_workflow(input)


def _attributes_of_workflow() -> dict[str, str]:
    info = workflow.info()
    return {"temporalWorkflowID": info.workflow_id, "temporalRunID": info.run_id}

"""What happens to a workflow and what it asks for, as spans that are over at once and are made only once."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import opentelemetry.context
import opentelemetry.trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace import SpanKind
from opentelemetry.util.types import Attributes, AttributeValue

from streamflow import workflow
from streamflow.contrib.opentelemetry.carrying import (
    HEADER_KEY,
    Carrier,
    Carrying,
    Headers,
    WithHeaders,
    attached,
    default_text_map_propagator,
)
from streamflow.converter import PayloadConverter
from streamflow.exceptions import FailureError
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

EXTERN_NAME = "__streamflow_opentelemetry_completed_span"
_INTERCEPTOR = opentelemetry.context.create_key("__streamflow_opentelemetry_workflow_interceptor")


@dataclass(frozen=True)
class CompletedSpan:
    """A span to be made and ended by the interceptor of the worker, outside of the guards."""

    context: Carrier
    name: str
    attributes: Attributes
    time_ns: int
    link: Carrier | None
    exception: BaseException | None
    kind: SpanKind
    parent_missing: bool


def tracing() -> TracingWorkflowInboundInterceptor | None:
    """The interceptor under which the calling workflow code runs."""
    found = opentelemetry.context.get_value(_INTERCEPTOR)
    return found if isinstance(found, TracingWorkflowInboundInterceptor) else None


class TracingWorkflowInboundInterceptor(WorkflowInboundInterceptor):
    """One for each run. A subclass may set ``header_key``, ``text_map_propagator`` and ``payload_converter``."""

    def __init__(self, next: WorkflowInboundInterceptor) -> None:
        super().__init__(next)
        self.header_key: str = HEADER_KEY
        self.text_map_propagator: TextMapPropagator = default_text_map_propagator
        self.payload_converter = PayloadConverter.default
        self._started_by: Carrier | None = None

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_TracingOutbound(outbound, self))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        with self._within_run(ends_it=True):
            self._completed_span(
                f"RunWorkflow:{workflow.info().workflow_type}", kind=SpanKind.SERVER
            )
            return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        with self._within_run():
            self._handled(f"HandleSignal:{input.signal}", input.headers)
            await super().handle_signal(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        """A query is its caller's, not the workflow's: that is its parent, and the workflow only a link."""
        asked_by = self._carrying().carrier_of(input.headers)
        context = Context() if asked_by is None else self.text_map_propagator.extract(asked_by)
        with attached(opentelemetry.context.set_value(_INTERCEPTOR, self, context)):
            self._completed_span(
                f"HandleQuery:{input.query}",
                link=None if asked_by is None else self._carrier_of_start(),
                even_on_replay=True,
                kind=SpanKind.SERVER,
            )
            return await super().handle_query(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        with self._within_run():
            self._handled(f"ValidateUpdate:{input.update}", input.headers)
            super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        with self._within_run():
            self._handled(f"HandleUpdate:{input.update}", input.headers)
            return await super().handle_update_handler(input)

    def _handled(self, name: str, headers: Headers) -> None:
        self._completed_span(name, link=self._carrying().carrier_of(headers), kind=SpanKind.SERVER)

    def _carrying(self) -> Carrying:
        return Carrying(self.header_key, self.text_map_propagator, self.payload_converter)

    def _carrier_of_start(self) -> Carrier | None:
        if self._started_by is None:
            self._started_by = self._carrying().carrier_of(workflow.info().headers)
        return self._started_by

    @contextmanager
    def _within_run(self, *, ends_it: bool = False) -> Generator[None]:
        """Under the span that started the workflow. Its end is a span, by a result or by a failure."""
        carrier = self._carrier_of_start()
        context = Context() if carrier is None else self.text_map_propagator.extract(carrier)
        with attached(opentelemetry.context.set_value(_INTERCEPTOR, self, context)):
            try:
                yield
            except FailureError as error:
                self._ended(error)
                raise
            if ends_it:
                self._ended(None)

    def _ended(self, error: FailureError | None) -> None:
        self._completed_span(
            f"CompleteWorkflow:{workflow.info().workflow_type}",
            exception=error,
            kind=SpanKind.INTERNAL,
        )

    def _completed_span(
        self,
        span_name: str,
        *,
        link: Carrier | None = None,
        add_to_outbound: WithHeaders | None = None,
        even_on_replay: bool = False,
        additional_attributes: Attributes = None,
        exception: BaseException | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> None:
        if workflow.unsafe.is_replaying() and not even_on_replay:
            return
        info = workflow.info()
        attributes: dict[str, AttributeValue] = {
            "temporalWorkflowID": info.workflow_id,
            "temporalRunID": info.run_id,
            **(additional_attributes or {}),
        }
        complete = workflow.extern_functions().get(EXTERN_NAME)
        if complete is None:
            return
        carrying = self._carrying()
        parent = opentelemetry.trace.get_current_span()
        wanted = CompletedSpan(
            context=carrying.current(),
            name=span_name,
            attributes=attributes,
            time_ns=workflow.time_ns(),
            link=link,
            exception=exception,
            kind=kind,
            parent_missing=parent is opentelemetry.trace.INVALID_SPAN,
        )
        with workflow.unsafe.sandbox_unrestricted():
            carrier: Carrier | None = complete(wanted)
        if carrier and add_to_outbound is not None:
            add_to_outbound.headers = carrying.with_carrier(add_to_outbound.headers, carrier)


class _TracingOutbound(WorkflowOutboundInterceptor):
    """A span for each thing that the workflow asks for; its context goes with it."""

    def __init__(
        self, next: WorkflowOutboundInterceptor, root: TracingWorkflowInboundInterceptor
    ) -> None:
        super().__init__(next)
        self._root = root

    def _asked(self, name: str, input: WithHeaders, kind: SpanKind = SpanKind.CLIENT) -> None:
        self._root._completed_span(name, add_to_outbound=input, kind=kind)

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        input.headers = self._root._carrying().with_current(input.headers)
        super().continue_as_new(input)

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        self._asked(f"SignalChildWorkflow:{input.signal}", input, SpanKind.SERVER)
        await super().signal_child_workflow(input)

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        self._asked(f"SignalExternalWorkflow:{input.signal}", input)
        await super().signal_external_workflow(input)

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        self._asked(f"StartActivity:{input.activity}", input)
        return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        self._asked(f"StartActivity:{input.activity}", input)
        return super().start_local_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> Any:
        self._asked(f"StartChildWorkflow:{input.workflow}", input)
        return await super().start_child_workflow(input)

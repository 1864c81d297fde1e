"""How a span's context travels: as one header, whose payload is JSON of what a propagator says."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

try:
    import opentelemetry.context
    from opentelemetry.baggage.propagation import W3CBaggagePropagator
    from opentelemetry.context import Context
    from opentelemetry.propagators.composite import CompositePropagator
    from opentelemetry.propagators.textmap import TextMapPropagator
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
    from opentelemetry.util.types import Attributes
except ImportError as error:
    raise ImportError(
        "Expected OpenTelemetry to be installed, found none; install streamflow[opentelemetry]"
    ) from error

from streamflow.api.common.v1 import Payload
from streamflow.converter import PayloadConverter
from streamflow.exceptions import ApplicationError, ApplicationErrorCategory

HEADER_KEY = "_tracer-data"
Carrier = dict[str, Any]
Headers = Mapping[str, Payload]

default_text_map_propagator: TextMapPropagator = CompositePropagator(
    [TraceContextTextMapPropagator(), W3CBaggagePropagator()]
)

# The library chooses how it keeps contexts at first use, with files that workflow code may not open.
opentelemetry.context.get_current()


class WithHeaders(Protocol):
    headers: Headers


class Carrying:
    """One way of carrying contexts: the header's name, the propagator, and the converter of the header's payload."""

    def __init__(
        self,
        header_key: str = HEADER_KEY,
        propagator: TextMapPropagator = default_text_map_propagator,
        converter: PayloadConverter = PayloadConverter.default,
    ) -> None:
        self.header_key = header_key
        self.propagator = propagator
        self.converter = converter

    def carrier_of(self, headers: Headers) -> Carrier | None:
        payload = headers.get(self.header_key)
        if payload is None:
            return None
        carrier: Carrier | None = self.converter.from_payloads([payload])[0]
        return carrier or None

    def context_of(self, headers: Headers) -> Context | None:
        carrier = self.carrier_of(headers)
        return None if carrier is None else self.propagator.extract(carrier)

    def with_current(self, headers: Headers) -> Headers:
        """The headers with the current context."""
        return self.with_carrier(headers, self.current())

    def current(self) -> Carrier:
        carrier: Carrier = {}
        self.propagator.inject(carrier)
        return carrier

    def with_carrier(self, headers: Headers, carrier: Carrier) -> Headers:
        if not carrier:
            return headers
        return {**headers, self.header_key: self.converter.to_payloads([carrier])[0]}


@contextmanager
def attached(context: Context | None) -> Generator[None]:
    """Makes the context current for the block; ``None`` changes nothing."""
    if context is None:
        yield
        return
    token = opentelemetry.context.attach(context)
    try:
        yield
    finally:
        # An evicted workflow's block ends wherever it is taken down; there is nothing to put back there then.
        if opentelemetry.context.get_current() is context:
            opentelemetry.context.detach(token)


@contextmanager
def span_of(
    tracer: Tracer,
    name: str,
    *,
    kind: SpanKind,
    attributes: Attributes,
    context: Context | None = None,
) -> Generator[Span]:
    """A current span for the block. An error that leaves the block is its status, unless it is a benign one."""
    with (
        attached(context),
        tracer.start_as_current_span(
            name, kind=kind, attributes=attributes, context=context, set_status_on_exception=False
        ) as span,
    ):
        try:
            yield span
        except Exception as error:
            if not is_benign(error):
                said = f"{type(error).__name__}: {error}"
                span.set_status(Status(StatusCode.ERROR, description=said))
            raise


def is_benign(error: BaseException) -> bool:
    return isinstance(error, ApplicationError) and error.category is ApplicationErrorCategory.BENIGN

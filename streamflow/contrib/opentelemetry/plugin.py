"""`OpenTelemetryInterceptor` as a plugin of clients and Workers."""

from __future__ import annotations

from streamflow.contrib.opentelemetry.interceptor import OpenTelemetryInterceptor
from streamflow.plugin import SimplePlugin


class OpenTelemetryPlugin(SimplePlugin):
    """Give it to `Client.connect(plugins=[...])`, after `create_tracer_provider` has made the global provider.

    Unlike with `TracingInterceptor`, workflow code may use ``opentelemetry.trace.get_tracer()``, and its spans last as long
    as what they are around.
    """

    def __init__(self, *, add_temporal_spans: bool = False) -> None:
        """``add_temporal_spans``: make spans of calls, attempts and what happens to workflows. Default: none."""
        super().__init__(
            "OpenTelemetryPlugin", interceptors=[OpenTelemetryInterceptor(add_temporal_spans)]
        )

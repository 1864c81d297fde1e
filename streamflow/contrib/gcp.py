"""Not there: raises ImportError."""

from streamflow.contrib.absent import refuse

refuse(
    __name__,
    "give Client.connect an identity, and use streamflow.contrib.opentelemetry and OpenTelemetryConfig",
)

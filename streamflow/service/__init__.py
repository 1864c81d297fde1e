"""The connection below clients: its settings, and the errors of its calls.

There is no service of our own: what a `ServiceClient` connects to is a log, or a gateway to one. `options` says of each
setting of ported code what becomes of it.
"""

from __future__ import annotations

from streamflow import __version__
from streamflow.service.connection import ServiceClient
from streamflow.service.errors import RPCError, RPCStatusCode
from streamflow.service.options import (
    ConnectConfig,
    DnsLoadBalancingConfig,
    GrpcCompression,
    HttpConnectProxyConfig,
    KeepAliveConfig,
    PayloadLimitsConfig,
    RetryConfig,
    TLSConfig,
)
from streamflow.service.raw import (
    CloudService,
    HealthService,
    OperatorService,
    TestService,
    WorkflowService,
)

__all__ = [
    "CloudService",
    "ConnectConfig",
    "DnsLoadBalancingConfig",
    "GrpcCompression",
    "HealthService",
    "HttpConnectProxyConfig",
    "KeepAliveConfig",
    "OperatorService",
    "PayloadLimitsConfig",
    "RPCError",
    "RPCStatusCode",
    "RetryConfig",
    "ServiceClient",
    "TLSConfig",
    "TestService",
    "WorkflowService",
    "__version__",
]

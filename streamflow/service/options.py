"""Settings of a connection, by the names that ported code gives them.

| setting | what becomes of it |
|---|---|
| `TLSConfig`, `tls=True` | librdkafka's `security.protocol=ssl` and its certificates; for a gateway, httpx's |
| `api_key` | a gateway's bearer token; Kafka has none, so there it is refused |
| `rpc_metadata` | a gateway's HTTP headers; kept, and without effect, on a log |
| `HttpConnectProxyConfig` | a gateway's proxy; refused for Kafka, whose protocol has no proxies |
| `KeepAliveConfig`, `DnsLoadBalancingConfig`, `RetryConfig`, `GrpcCompression` | nothing: librdkafka and httpx keep connections, resolve names and retry by themselves (`config=` reaches librdkafka) |
| `PayloadLimitsConfig` | the calls of clients that carry larger payloads or memos are logged, and sent all the same |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from streamflow.runtime import Runtime


@dataclass
class TLSConfig:
    """Certificates and keys as PEM text. What is left out is the system's own."""

    server_root_ca_cert: bytes | None = None
    domain: str | None = None
    """The name that the server's certificate is for; Kafka takes it from the address and checks no other."""
    client_cert: bytes | None = None
    client_private_key: bytes | None = None
    verification_server_name: str | None = None

    def to_kafka(self) -> dict[str, Any]:
        """The same in librdkafka's options."""
        if (self.client_cert is None) != (self.client_private_key is None):
            raise ValueError(
                "Expected client_cert and client_private_key, or neither, found one without the other"
            )
        options: dict[str, Any] = {"security.protocol": "ssl"}
        for name, pem in (
            ("ssl.ca.pem", self.server_root_ca_cert),
            ("ssl.certificate.pem", self.client_cert),
            ("ssl.key.pem", self.client_private_key),
        ):
            if pem is not None:
                options[name] = pem.decode()
        return options


@dataclass
class RetryConfig:
    """Accepted for compatibility: how calls are retried is librdkafka's, or the gateway client's, business."""

    initial_interval_millis: int = 100
    randomization_factor: float = 0.2
    multiplier: float = 1.5
    max_interval_millis: int = 5_000
    max_elapsed_time_millis: int | None = 10_000
    max_retries: int = 10


@dataclass(frozen=True)
class KeepAliveConfig:
    """Accepted for compatibility: connections are kept alive without it."""

    interval_millis: int = 30_000
    timeout_millis: int = 15_000

    default: ClassVar[KeepAliveConfig]


KeepAliveConfig.default = KeepAliveConfig()


@dataclass(frozen=True)
class HttpConnectProxyConfig:
    """A proxy on the way to a gateway."""

    target_host: str
    """``host:port``"""
    basic_auth: tuple[str, str] | None = None


@dataclass(frozen=True)
class DnsLoadBalancingConfig:
    """Accepted for compatibility: librdkafka follows the cluster's own addresses."""

    resolution_interval_millis: int = 30_000

    default: ClassVar[DnsLoadBalancingConfig]


DnsLoadBalancingConfig.default = DnsLoadBalancingConfig()


@dataclass(frozen=True)
class GrpcCompression:
    """Accepted for compatibility: there is no gRPC. Kafka's own is ``config={"compression.type": "zstd"}``."""

    name: str

    NONE: ClassVar[GrpcCompression]
    GZIP: ClassVar[GrpcCompression]


GrpcCompression.NONE = GrpcCompression("none")
GrpcCompression.GZIP = GrpcCompression("gzip")


@dataclass(frozen=True)
class PayloadLimitsConfig:
    """Sizes in bytes above which arguments or memos of a client's call are logged as large; 0 logs nothing.

    What workflows and activities return or ask for is bounded by the engine alone.
    """

    payloads_warn_size: int = 512 * 1_024
    memo_warn_size: int = 2 * 1_024


@dataclass
class ConnectConfig:
    """Everything that `Client.connect` says of the connection."""

    target_host: str
    api_key: str | None = None
    tls: bool | TLSConfig | None = None
    retry_config: RetryConfig | None = None
    keep_alive_config: KeepAliveConfig | None = KeepAliveConfig.default
    rpc_metadata: Mapping[str, str | bytes] = field(default_factory=dict[str, "str | bytes"])
    identity: str = ""
    lazy: bool = False
    runtime: Runtime | None = None
    http_connect_proxy_config: HttpConnectProxyConfig | None = None
    dns_load_balancing_config: DnsLoadBalancingConfig | None = None
    grpc_compression: GrpcCompression = GrpcCompression.GZIP
    payload_limits: PayloadLimitsConfig = field(default_factory=PayloadLimitsConfig)
    connect_timeout: timedelta | None = None
    """Accepted, and without effect: how long to look for brokers is librdkafka's."""
    namespace: str = "default"
    """Of the clients to be made; one connection serves others as well."""
    create_topics: bool | None = None
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Further options of librdkafka."""
    visibility: str | None = None
    """Where lists of workflows are kept, as an SQLAlchemy URL."""

    def kafka(self) -> dict[str, Any]:
        """All of librdkafka's options. Raises ValueError for settings that Kafka has no place for."""
        if self.api_key is not None:
            raise ValueError(
                "Expected Kafka's own credentials in config= (sasl.mechanism, sasl.username, ...), found api_key: only a "
                "gateway takes one"
            )
        if self.http_connect_proxy_config is not None:
            raise ValueError(
                "Expected a direct connection to Kafka, found http_connect_proxy_config: only a gateway can stand behind "
                "an HTTP proxy"
            )
        tls: dict[str, Any] = {}
        if isinstance(self.tls, TLSConfig):
            tls = self.tls.to_kafka()
        elif self.tls:
            tls = {"security.protocol": "ssl"}
        given = dict(self.config)
        if tls and str(given.get("security.protocol", "")).lower().startswith("sasl"):
            tls["security.protocol"] = "sasl_ssl"
            given.pop("security.protocol")
        return {**tls, **given}

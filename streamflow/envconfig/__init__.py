"""Client settings from a file with profiles and from the environment.

    # ~/.config/streamflow/streamflow.toml, or the file that STREAMFLOW_CONFIG_FILE names
    [profile.default]
    address = "kafka:9093"
    namespace = "shop"
    create_topics = false
    retention_days = 90              # of closed runs, for `streamflow worker`; an App's own `retention` beats it

    [profile.default.tls]
    server_ca_cert_path = "/etc/kafka/ca.pem"

    [profile.default.kafka]          # any option of librdkafka
    "sasl.mechanism" = "PLAIN"

    [profile.default.gateway]        # any option of `streamflow gateway`, by its flag's name
    public_url = "https://flows.example"

``STREAMFLOW_PROFILE`` chooses a profile; ``STREAMFLOW_ADDRESS``, ``STREAMFLOW_NAMESPACE`` and the others of `environment`
override it, and ``STREAMFLOW_KAFKA_SASL_PASSWORD`` sets ``sasl.password`` (so secrets need not be in a file). Each is also
known as ``TEMPORAL_...``, which counts where the first is not set.
"""

from __future__ import annotations

from streamflow.envconfig.profiles import (
    DEFAULT_PROFILE,
    ClientConfig,
    ClientConfigProfile,
    ClientConfigProfileDict,
    ClientConnectConfig,
)
from streamflow.envconfig.reading import ConfigError, DataSource
from streamflow.envconfig.tls import ClientConfigTLS, ClientConfigTLSDict

__all__ = [
    "DEFAULT_PROFILE",
    "ClientConfig",
    "ClientConfigProfile",
    "ClientConfigProfileDict",
    "ClientConfigTLS",
    "ClientConfigTLSDict",
    "ClientConnectConfig",
    "ConfigError",
    "DataSource",
]

"""Variables that override a profile, under either of two prefixes.

| variable | sets |
|---|---|
| ``..._PROFILE``, ``..._CONFIG_FILE`` | which profile of which file |
| ``..._ADDRESS``, ``..._NAMESPACE``, ``..._API_KEY`` | the same of the profile |
| ``..._TLS`` | ``true`` or ``false``: whether there is TLS at all |
| ``..._TLS_SERVER_NAME`` | the name that the server's certificate is for |
| ``..._TLS_SERVER_CA_CERT_PATH`` or ``_DATA``, ``..._TLS_CLIENT_CERT_...``, ``..._TLS_CLIENT_KEY_...`` | certificates and key |
| ``..._GRPC_META_NAME`` | a header of every call to a gateway; empty takes it away |
| ``STREAMFLOW_KAFKA_NAME`` | an option of librdkafka, dots as underscores |
"""

from __future__ import annotations

from collections.abc import Mapping

PREFIXES = ("STREAMFLOW_", "TEMPORAL_")


class Environment:
    """Some environment variables, looked up by their names without prefix."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables

    def get(self, name: str) -> str | None:
        """The value under the first prefix that has one that is not empty."""
        for prefix in PREFIXES:
            if value := self.variables.get(prefix + name):
                return value
        return None

    def beginning_with(self, name: str) -> dict[str, str]:
        """The rest of each name, with its value; the first prefix wins. Empty values are kept."""
        found: dict[str, str] = {}
        for prefix in reversed(PREFIXES):
            start = prefix + name
            found |= {
                variable.removeprefix(start): value
                for variable, value in self.variables.items()
                if variable.startswith(start)
            }
        return found

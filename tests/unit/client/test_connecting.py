"""Connections: what their settings become, and who shares them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from streamflow.client import Client, ClientConfig, Plugin
from streamflow.converter import DataConverter
from streamflow.service import (
    ConnectConfig,
    HttpConnectProxyConfig,
    RPCError,
    RPCStatusCode,
    ServiceClient,
    TLSConfig,
)

pytestmark = pytest.mark.asyncio
Next = Callable[[ConnectConfig], Awaitable[ServiceClient]]


async def test_a_client_made_of_a_clients_config_is_equal_and_shares_the_connection() -> None:
    async with await Client.connect("memory:equal", namespace="shop", identity="me") as client:
        other = Client(**client.config())

        assert other.config() == client.config()
        assert other.service_client is client.service_client
        assert (other.namespace, other.identity) == ("shop", "me")
        assert client.service_client.config.target_host == "memory:equal"


async def test_health_is_that_of_one_service() -> None:
    """Ported probes name it; another one is not here."""
    async with await Client.connect("memory:healthy") as client:
        name = "temporal.api.workflowservice.v1.WorkflowService"
        assert await client.service_client.check_health(service=name)

        with pytest.raises(RPCError) as caught:
            await client.service_client.check_health(service="other")

        assert caught.value.status is RPCStatusCode.NOT_FOUND


async def test_one_connection_serves_clients_of_two_namespaces() -> None:
    async with await Client.connect("memory:two") as client:
        other = Client(client.service_client, namespace="other")

        assert await other.service_client.check_health()
        with pytest.raises(RPCError) as caught:
            await other.get_workflow_handle("w").describe()

        assert other.transport.namespace == "other"
        assert caught.value.status is RPCStatusCode.NOT_FOUND


async def test_raw_services_say_what_to_use_instead() -> None:
    async with await Client.connect("memory:raw") as client:
        with pytest.raises(NotImplementedError, match=r"start_batch_operation: use Client"):
            await client.workflow_service.start_batch_operation(object())
        with pytest.raises(NotImplementedError, match="streamflow namespace"):
            client.operator_service.delete_namespace  # noqa: B018
        with pytest.raises(NotImplementedError, match="WorkflowEnvironment"):
            client.test_service.unlock_time_skipping  # noqa: B018


async def test_metadata_and_key_can_be_set_and_binary_names_want_bytes() -> None:
    async with await Client.connect(
        "http://127.0.0.1:1", lazy=True, rpc_metadata={"a": "b"}, api_key="k"
    ) as client:
        assert (client.rpc_metadata, client.api_key) == ({"a": "b"}, "k")

        client.rpc_metadata = {"c": "d", "e-bin": b"f"}
        client.api_key = None

        assert (dict(client.rpc_metadata), client.api_key) == ({"c": "d", "e-bin": b"f"}, None)
        with pytest.raises(TypeError, match="-bin"):
            client.rpc_metadata = {"e": b"f"}


async def test_a_lazy_client_of_nobody_fails_at_its_first_call() -> None:
    async with await Client.connect("http://127.0.0.1:1", lazy=True) as client:
        with pytest.raises(RPCError) as caught:
            await client.service_client.check_health()

    assert caught.value.status is RPCStatusCode.UNAVAILABLE


async def test_certificates_become_options_of_librdkafka() -> None:
    tls = TLSConfig(server_root_ca_cert=b"ca", client_cert=b"cert", client_private_key=b"key")

    options = ConnectConfig(target_host="k:9093", tls=tls, config={"client.id": "x"}).kafka()

    assert options == {
        "security.protocol": "ssl",
        "ssl.ca.pem": "ca",
        "ssl.certificate.pem": "cert",
        "ssl.key.pem": "key",
        "client.id": "x",
    }
    assert ConnectConfig(target_host="k:9093", tls=True).kafka() == {"security.protocol": "ssl"}
    sasl = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN"}
    both = ConnectConfig(target_host="k:9093", tls=True, config=sasl).kafka()
    assert both == {"security.protocol": "sasl_ssl", "sasl.mechanism": "PLAIN"}


@pytest.mark.parametrize(
    ("setting", "advice"),
    [
        ({"api_key": "k"}, "sasl.mechanism"),
        ({"http_connect_proxy_config": HttpConnectProxyConfig("p:1")}, "only a gateway"),
        ({"tls": TLSConfig(client_cert=b"x")}, "client_private_key"),
    ],
)
async def test_what_kafka_has_no_place_for_is_refused(setting: Any, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        await Client.connect("127.0.0.1:9", lazy=True, **setting)


class Renaming(Plugin):
    """Puts its name into the namespace and the identity."""

    def __init__(self, mark: str) -> None:
        self.mark = mark

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        config["namespace"] += self.mark
        return config

    async def connect_service_client(self, config: ConnectConfig, next: Next) -> ServiceClient:
        config.identity += self.mark
        return await next(config)


async def test_plugins_change_settings_and_connection_in_order() -> None:
    plugins = [Renaming("-a"), Renaming("-b")]
    async with await Client.connect("memory:plugged", plugins=plugins, identity="me") as client:
        assert client.namespace == "default-a-b"
        assert client.identity == "me-a-b"
        assert client.config()["namespace"] == "default"
        assert client.config(active_config=True)["namespace"] == "default-a-b"
        assert plugins[0].name().endswith("test_connecting.Renaming")
        # The equal client's plugins configure it again.
        assert Client(**client.config()).namespace == "default-a-b"


async def test_a_plugin_may_change_the_converter() -> None:
    class Converts(Renaming):
        def configure_client(self, config: ClientConfig) -> ClientConfig:
            config["data_converter"] = own
            return config

    own = DataConverter()
    async with await Client.connect("memory:converting", plugins=[Converts("")]) as client:
        assert client.data_converter is own

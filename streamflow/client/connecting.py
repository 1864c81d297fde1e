"""From settings to the connection that they describe. Only here are the two transports named."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamflow import wiring
from streamflow.client.transport import Transport
from streamflow.client.wrapped import unwrapped
from streamflow.converter import DataConverter, ExternalStorage
from streamflow.ports import LogError, StoreTaken
from streamflow.service import ConnectConfig, RPCError, RPCStatusCode, ServiceClient, TLSConfig

PAYLOADS_FOLDER = "payloads"
"""Within an embedded log's folder: payloads that are too large for records."""

if TYPE_CHECKING:
    from ssl import SSLContext

    from streamflow.ports import Log


async def connect(config: ConnectConfig) -> ServiceClient:
    """The connection, opened unless the settings say ``lazy``.

    Raises:
        ValueError: the target is none of the known forms, or a setting has no place there.
        RPCError: the log cannot be opened, or does not answer.
    """
    transport = await _transport(config)
    service_client = ServiceClient(config, transport)
    if not config.lazy:
        try:
            await transport.open()
        except BaseException:
            await service_client.close()
            raise
    return service_client


class _BesideTheLog(ExternalStorage):
    """The place that nobody asked for. Who compares converters finds one with it equal to one without."""

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, _BesideTheLog)

    def __hash__(self) -> int:
        return hash(None)


def with_default_storage(target: str, converter: DataConverter) -> DataConverter:
    """The converter; on an embedded log with a place beside it for payloads that are too large for records."""
    if converter.external_storage is not None or not target.startswith("embedded:"):
        return converter
    from streamflow.converter.file_driver import FileStorageDriver

    folder = Path(target.partition(":")[2]) / PAYLOADS_FOLDER
    storage = _BesideTheLog(drivers=[FileStorageDriver(folder)])
    return replace(converter, external_storage=storage)


async def _transport(config: ConnectConfig) -> Transport:
    target = config.target_host
    if target.startswith(("http://", "https://")):
        return _http_transport(config)
    kind = wiring.kind_of(target)
    log = await open_log(target, config.kafka() if kind is wiring.LogKind.KAFKA else config.config)
    from streamflow.client.log import keeping
    from streamflow.client.log.transport import LogTransport

    creates = kind is not wiring.LogKind.KAFKA
    if config.create_topics is not None:
        creates = config.create_topics
    transport = LogTransport(
        log, config.namespace, create_topics=creates, visibility=config.visibility
    )
    if keeping.is_kept(target):
        transport.keep_queues()
    return transport


def _http_transport(config: ConnectConfig) -> Transport:
    from streamflow.client.http.transport import HttpTransport

    proxy = config.http_connect_proxy_config
    transport = HttpTransport(
        config.target_host,
        config.namespace,
        proxy=None if proxy is None else _proxy_url(proxy.target_host, proxy.basic_auth),
        verify=_verification(config.tls) if isinstance(config.tls, TLSConfig) else True,
    )
    transport.set_metadata(config.rpc_metadata, config.api_key)
    return transport


def _proxy_url(target_host: str, basic_auth: tuple[str, str] | None) -> str:
    from urllib.parse import quote

    who = "" if basic_auth is None else ":".join(quote(part, safe="") for part in basic_auth) + "@"
    return f"http://{who}{target_host}"


def _verification(tls: TLSConfig) -> SSLContext:
    import ssl
    import tempfile

    ca = tls.server_root_ca_cert
    context = ssl.create_default_context(cadata=None if ca is None else ca.decode())
    if tls.client_cert is not None and tls.client_private_key is not None:
        # The standard library reads a client's certificate from a file only.
        with tempfile.NamedTemporaryFile() as file:
            file.write(tls.client_cert + b"\n" + tls.client_private_key)
            file.flush()
            context.load_cert_chain(file.name)
    return context


async def open_log(target: str, config: Mapping[str, Any]) -> Log:
    try:
        # Opening the embedded log reads its tail from disk.
        if wiring.kind_of(target) is wiring.LogKind.MEMORY:
            return wiring.open_log(target)
        return await asyncio.to_thread(lambda: wiring.open_log(target, config=config))
    except (LogError, StoreTaken) as error:
        raise RPCError(str(error), RPCStatusCode.UNAVAILABLE) from error


def service_client_of(transport: Transport) -> ServiceClient:
    """A connection around a transport that was made by hand."""
    return ServiceClient(ConnectConfig(target_host="", namespace=transport.namespace), transport)


def log_of(transport: Transport) -> Log:
    from streamflow.client.log.transport import LogTransport

    found = unwrapped(transport)
    if isinstance(found, LogTransport):
        return found.log
    raise ValueError(
        "Expected a client of a log (Kafka, embedded or memory), found one of a gateway: a Worker needs the log itself"
    )


async def require_namespace(transport: Transport) -> None:
    from streamflow.client.log.transport import LogTransport

    found = unwrapped(transport)
    if isinstance(found, LogTransport):
        await found.require_namespace()


def creates_topics(transport: Transport) -> bool:
    from streamflow.client.log.transport import LogTransport

    found = unwrapped(transport)
    return isinstance(found, LogTransport) and found.create_topics

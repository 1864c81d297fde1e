"""Whom a command speaks to: ``--address``, else ``STREAMFLOW_ADDRESS``, else the profile, else the running dev."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from streamflow.cli.shared import dev_file
from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.config import DEFAULT_NAMESPACE
from streamflow.envconfig import ClientConfigProfile, ClientConnectConfig

if TYPE_CHECKING:
    from streamflow.client import Client
    from streamflow.converter import DataConverter


CODEC_TOKEN_VARIABLE = "STREAMFLOW_CODEC_TOKEN"


@Parameter(name="*")
@dataclass(frozen=True)
class Connection:
    """Options that every command of a client has."""

    address: Annotated[
        str | None,
        Parameter(
            help="HOST:PORT of Kafka, or http://HOST:PORT of a gateway. Default: STREAMFLOW_ADDRESS, the profile, "
            "or the running `streamflow dev`."
        ),
    ] = None
    namespace: Annotated[
        str | None,
        Parameter(name=["--namespace", "-n"], help="Default: the profile's, else `default`."),
    ] = None
    profile: Annotated[
        str | None,
        Parameter(help="Profile of the configuration file. Default: STREAMFLOW_PROFILE."),
    ] = None
    codec_endpoint: Annotated[
        str | None,
        Parameter(
            help="Codec server that encodes and decodes payloads: https://HOST[/{namespace}].",
            env_var="STREAMFLOW_CODEC_ENDPOINT",
        ),
    ] = None


def resolve(connection: Connection) -> ClientConnectConfig:
    """Keywords for `Client.connect`.

    Raises:
        CommandError: no address is given anywhere, and no dev is running.
        ConfigError: the configuration cannot be read.
    """
    found = ClientConfigProfile.load(connection.profile).to_client_connect_config()
    if connection.address:
        found["target_host"] = connection.address
    if connection.namespace:
        found["namespace"] = connection.namespace
    if "target_host" not in found:
        dev = dev_file.read()
        if dev is None:
            raise CommandError(
                "Expected an address: give --address, set STREAMFLOW_ADDRESS or a profile, or start `streamflow dev`",
                ExitCode.UNREACHABLE,
            )
        found["target_host"] = dev.address
    if found["target_host"].startswith(("http://", "https://", "embedded:", "memory:")):
        found.pop("config", None)
    return found


@asynccontextmanager
async def connected(connection: Connection, *, lazy: bool = False) -> AsyncGenerator[Client]:
    """A client for one command; ``lazy`` leaves it to its first call to find out whether anybody is there."""
    from streamflow.client import Client

    config = resolve(connection)
    try:
        converter = _converter(connection, config.get("namespace", DEFAULT_NAMESPACE))
        client = await Client.connect(**config, data_converter=converter, lazy=lazy)
    except ValueError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    async with client:
        yield client


def _converter(connection: Connection, namespace: str) -> DataConverter:
    """With the codec of the endpoint, if there is one. Raises ValueError for one that is none."""
    from streamflow.converter import DataConverter

    if not connection.codec_endpoint:
        return DataConverter.default
    from streamflow.contrib.remote_codec import RemoteCodec

    token = os.environ.get(CODEC_TOKEN_VARIABLE, "")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    codec = RemoteCodec(connection.codec_endpoint, namespace=namespace, headers=headers)
    return replace(DataConverter.default, payload_codec=codec)

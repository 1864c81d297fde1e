"""``streamflow gateway``: the HTTP API and the web UI on a log, for a cluster or for a machine of its own."""

from __future__ import annotations

import asyncio
import ipaddress
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from streamflow.cli.processes import gateway_options
from streamflow.cli.processes.gateway_options import GatewayOptions, variable
from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.serving import until_stopped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamflow.app import App
    from streamflow.client import Client
    from streamflow.converter import DataConverter
    from streamflow.gateway import Gateway
    from streamflow.gateway.access import Access, AccessSettings
    from streamflow.gateway.probes import Probes
    from streamflow.gateway.public import PublicAddress
    from streamflow.gateway.webhooks import Webhooks
    from streamflow.runtime import Runtime
    from streamflow.timetravel import Travels

DEFAULT_NAMESPACE = "default"
CODEC_TOKEN_VARIABLE = "STREAMFLOW_GATEWAY_CODEC_TOKEN"
"""The gateway's own token at the codec server."""
TOKEN_VARIABLE = "STREAMFLOW_GATEWAY_TOKEN"
"""An admin's token, for those who need no access file."""


def gateway(
    *targets: Annotated[
        str,
        Parameter(
            name="MODULE:APP",
            help="Apps whose data converters and code pages use, for payloads and time travel; no worker runs.",
        ),
    ],
    target: Annotated[
        str | None,
        Parameter(
            name=["--target", "--kafka"],
            help="HOST:PORT[,HOST:PORT] of Kafka, or embedded:DIR. Default: STREAMFLOW_ADDRESS, else the profile's.",
        ),
    ] = None,
    namespace: Annotated[
        list[str] | None,
        Parameter(
            name=["--namespace", "-n"],
            negative=(),
            help="What it serves; again for the next. Default: the Apps', else the profile's, else `default`.",
            env_var=variable("namespaces"),
        ),
    ] = None,
    profile: Annotated[
        str | None, Parameter(help="Profile with further options, also in its table `gateway`.")
    ] = None,
    options: GatewayOptions = gateway_options.NONE,
    log_level: Annotated[str, Parameter(help="debug, info, warning or error.")] = "info",
) -> int:
    """Serves the HTTP API and the web UI until it is told to stop (SIGTERM or Ctrl-C); any number of them may run.

    /livez, /readyz and /metrics are for the cluster. It runs no workflow and no activity: workers do.
    """
    from streamflow import observability
    from streamflow.cli.shared.loading import load_apps
    from streamflow.envconfig import ClientConfigProfile

    observability.configure(level=log_level)
    settings = ClientConfigProfile.load(profile)
    address = target or settings.address
    if address is None:
        raise CommandError(
            "Expected the address of Kafka: give --target HOST:PORT, set STREAMFLOW_ADDRESS, or a profile",
            ExitCode.UNREACHABLE,
        )
    if address.startswith(("http://", "https://")):
        raise CommandError(
            f"Expected Kafka or embedded:DIR as the target, found {address!r}, which is a gateway itself",
            ExitCode.USAGE,
        )
    chosen = gateway_options.chosen(options, settings.gateway)
    access = _access(chosen)
    refuse_open_door(chosen, has_login=access is not None)
    apps = load_apps(targets)
    names = namespace or sorted({app.namespace for app in apps})
    plan = Plan(
        target=address,
        namespaces=tuple(names or [settings.namespace or DEFAULT_NAMESPACE]),
        apps=tuple(apps),
        config=settings.kafka_options() if ":" in address and "embedded:" not in address else {},
        options=chosen,
        access=access or _without_login(),
        has_login=access is not None,
    )
    try:
        asyncio.run(until_stopped(_serve(plan)))
    except ValueError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    return ExitCode.OK


@dataclass(frozen=True)
class Plan:
    """What a gateway is told to serve."""

    target: str
    namespaces: tuple[str, ...]
    apps: tuple[App, ...]
    config: Mapping[str, object]
    options: GatewayOptions
    access: AccessSettings
    has_login: bool


def _access(options: GatewayOptions) -> AccessSettings | None:
    from streamflow.gateway.access import AccessError, load_access

    path = Path(options.access) if options.access else None
    try:
        return load_access(path, os.environ, admin_token=os.environ.get(TOKEN_VARIABLE, ""))
    except AccessError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error


def _without_login() -> AccessSettings:
    from streamflow.gateway.access import without_login

    return without_login()


def refuse_open_door(options: GatewayOptions, *, has_login: bool) -> None:
    """Raises `CommandError` where whoever reaches the address might do everything, unless that was said to be meant."""
    host = options.host or "127.0.0.1"
    if has_login or options.insecure or is_loopback(host):
        return
    raise CommandError(
        f"Expected a loopback address where there is no login, found {host}: whoever reaches it could do everything. "
        f"Say who may what with --access FILE, or set {TOKEN_VARIABLE}; or say --insecure where something else lets nobody through",
        ExitCode.USAGE,
    )


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


async def _serve(plan: Plan) -> None:
    from streamflow.gateway.probes import Probes
    from streamflow.runtime import PrometheusConfig, Runtime, TelemetryConfig

    options = plan.options
    metrics = PrometheusConfig(
        bind_address=None,
        counters_total_suffix=True,
        unit_suffix=True,
        durations_as_seconds=True,
    )
    runtime = Runtime(telemetry=TelemetryConfig(logging=None, metrics=metrics))
    async with AsyncExitStack() as stack:
        clients = await _clients(plan, runtime, stack)
        probes = Probes({name: client.transport for name, client in clients.items()}, runtime)
        access = _login(plan)
        webhooks = _webhooks(plan, clients, access)
        stack.push_async_callback(access.close)
        travels = _travels(plan)
        if travels is not None:
            stack.push_async_callback(travels.close)
        gateway = _gateway(clients, probes, runtime, access, webhooks, travels, options)
        try:
            await gateway.start()
        except OSError as error:
            raise CommandError(
                f"Expected {options.host}:{options.port} to be free, found: {error.strerror}. Choose another: --port 0"
            ) from error
        stack.push_async_callback(gateway.stop)
        warming = asyncio.create_task(probes.warm())
        stack.callback(warming.cancel)
        names = ", ".join(sorted(clients))
        print(f"streamflow gateway at {options.public_url or gateway.url} ({names})", flush=True)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            # Still answering, but no longer ready: a cluster takes some seconds to send requests elsewhere.
            probes.stop()
            await asyncio.sleep(options.drain or 0)
            raise


async def _clients(plan: Plan, runtime: Runtime, stack: AsyncExitStack) -> dict[str, Client]:
    from streamflow.client import Client

    clients: dict[str, Client] = {}
    for name in plan.namespaces:
        client = await Client.connect(
            plan.target,
            namespace=name,
            data_converter=_converter(plan, name),
            config=plan.config,
            visibility=plan.options.visibility,
            runtime=runtime,
        )
        clients[name] = await stack.enter_async_context(client)
    return clients


def _converter(plan: Plan, namespace: str) -> DataConverter:
    """The App's, else the usual one; its codec is the endpoint's where there is one."""
    from streamflow.converter import DataConverter

    found = (app.data_converter for app in plan.apps if app.namespace == namespace)
    converter = next(found, DataConverter.default)
    endpoint = plan.options.codec_endpoint
    if not endpoint:
        return converter
    from streamflow.contrib.remote_codec import RemoteCodec
    from streamflow.gateway.access.identify import asking_user

    token = os.environ.get(CODEC_TOKEN_VARIABLE, "")
    own = {"authorization": f"Bearer {token}"} if token else {}
    codec = RemoteCodec(endpoint, namespace=namespace, headers=lambda: {**own, **asking_user()})
    return replace(converter, payload_codec=codec)


def _login(plan: Plan) -> Access:
    from streamflow.gateway.access import Access, AccessError

    public = _public(plan.options)
    try:
        return Access(
            plan.access,
            secure=public is not None and public.secure,
            root_path="" if public is None else public.root_path,
        )
    except AccessError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error


def _webhooks(plan: Plan, clients: Mapping[str, Client], access: Access) -> Webhooks | None:
    from streamflow.gateway.access import AccessError
    from streamflow.gateway.webhooks import Webhooks, load_webhooks

    if not plan.options.webhooks:
        return None
    transports = {name: client.transport for name, client in clients.items()}
    try:
        found = load_webhooks(Path(plan.options.webhooks), os.environ)
        return Webhooks(found, transports, access.audit)
    except AccessError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error


def _travels(plan: Plan) -> Travels | None:
    """Time travel with the Apps' code: for those who may, where there is a login; else on this machine alone."""
    from streamflow.timetravel import Travels

    options = plan.options
    at_home = is_loopback(options.host or "127.0.0.1") and not options.public_url
    # A codec server decides for each person, and a replay is made once for all who look.
    if not plan.apps or options.codec_endpoint or not (plan.has_login or at_home):
        return None
    return Travels([app.code() for app in plan.apps])


def _public(options: GatewayOptions) -> PublicAddress | None:
    from streamflow.gateway.public import PublicAddress

    return PublicAddress.parse(options.public_url) if options.public_url else None


def _gateway(
    clients: Mapping[str, Client],
    probes: Probes,
    runtime: Runtime,
    access: Access,
    webhooks: Webhooks | None,
    travels: Travels | None,
    options: GatewayOptions,
) -> Gateway:
    from streamflow.gateway import Gateway
    from streamflow.ui import ui_routes

    public = _public(options)
    return Gateway(
        {name: client.transport for name, client in clients.items()},
        host=options.host or "127.0.0.1",
        port=8233 if options.port is None else options.port,
        hosts=options.allow_host or [],
        origins=options.allow_origin or [],
        public=public,
        probes=probes,
        runtime=runtime,
        access=access,
        webhooks=webhooks,
        extra_routes=ui_routes(
            clients, access, public_url="" if public is None else public.url, travels=travels
        ),
    )

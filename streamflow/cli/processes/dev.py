"""``streamflow dev``: everything in one process, on the embedded log, with the web UI and the HTTP API on loopback."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from streamflow.cli.shared import dev_file
from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.serving import until_stopped
from streamflow.config import share_interpreter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streamflow.app import App
    from streamflow.cli.shared.restoring import RestoreBar
    from streamflow.client import Client

DEFAULT_PORT = 8233


def dev(
    *targets: Annotated[str, Parameter(name="MODULE:APP", help="The Apps to run.")],
    data: Annotated[Path, Parameter(help="The folder that keeps workflows over restarts.")] = Path(
        ".streamflow"
    ),
    host: Annotated[
        str, Parameter(help="Where the UI and the HTTP API listen; they have no login.")
    ] = "127.0.0.1",
    port: Annotated[int, Parameter(help="0 takes any free one.")] = DEFAULT_PORT,
    log_level: Annotated[str, Parameter(help="debug, info, warning or error.")] = "info",
) -> int:
    """Runs Apps on this machine, with nothing else to install: workflows are kept in a folder.

    The web UI is at the address that it prints. Other processes reach it by the HTTP API: Client.connect("http://127.0.0.1:8233").
    """
    from streamflow import observability
    from streamflow.cli.shared.loading import load_apps
    from streamflow.cli.shared.restoring import RestoreBar

    if not targets:
        raise CommandError(
            "Expected MODULE:APP, such as shop.orders:app, found nothing", ExitCode.USAGE
        )
    bar = RestoreBar()
    observability.configure(level=log_level, stream=bar.logs)
    apps = load_apps(targets)
    with bar:
        asyncio.run(until_stopped(_serve(apps, data.resolve(), host, port, bar)))
    return ExitCode.OK


async def _serve(apps: Sequence[App], folder: Path, host: str, port: int, bar: RestoreBar) -> None:
    from streamflow.app import refuse_conflicts, run_workers
    from streamflow.cli.processes.gateway import is_loopback
    from streamflow.client import Client
    from streamflow.gateway import Gateway
    from streamflow.timetravel import Travels
    from streamflow.ui import ui_routes

    refuse_conflicts(apps)
    share_interpreter()
    async with AsyncExitStack() as stack:
        clients: list[Client] = []
        for app in apps:
            client = await Client.connect(
                f"embedded:{folder}", namespace=app.namespace, data_converter=app.data_converter
            )
            clients.append(await stack.enter_async_context(client))
        transports = {client.namespace: client.transport for client in clients}
        by_namespace = {client.namespace: client for client in clients}
        travels: Travels | None = None
        if is_loopback(host):
            # What code holds is shown to whoever asks: to nobody but this machine.
            travels = Travels([app.code() for app in apps])
            stack.push_async_callback(travels.close)
        pages = ui_routes(by_namespace, travels=travels)
        gateway = Gateway(transports, host=host, port=port, extra_routes=pages)
        try:
            await gateway.start()
        except OSError as error:
            raise CommandError(
                f"Expected {host}:{port} to be free, found: {error.strerror}. Choose another: --port 0"
            ) from error
        stack.push_async_callback(gateway.stop)
        _announce(stack, clients[0], gateway.url, sorted(transports), folder)
        workers = [app.worker(client) for app, client in zip(apps, clients, strict=True)]
        for transport in transports.values():
            await transport.resume_schedules()
        print(
            f"streamflow dev at {gateway.url} (API: {gateway.url}/api/v1/openapi.json)", flush=True
        )
        print(f"  data    {folder}", flush=True)
        for app in apps:
            print(f"  queue   {app.queue} ({app.namespace}): {_contents(app)}", flush=True)
        bar.watch(workers)
        await run_workers(workers)


def _announce(
    stack: AsyncExitStack, client: Client, url: str, namespaces: list[str], folder: Path
) -> None:
    """Tells those who cannot open the folder, and commands without an address, where to go."""
    announce = getattr(client.log, "announce", None)
    if announce is not None:
        announce(url)
    running = dev_file.RunningDev(
        pid=os.getpid(), address=url, namespaces=tuple(namespaces), data=str(folder)
    )
    dev_file.write(running)
    stack.callback(dev_file.remove, running)


def _contents(app: App) -> str:
    names = sorted(app.workflow_types)
    names += sorted(getattr(activity, "__name__", repr(activity)) for activity in app.activities)
    return ", ".join(names)

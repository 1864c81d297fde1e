"""``streamflow worker``: serves Apps on Kafka, in one process or several."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from streamflow.cli.shared.arguments import duration
from streamflow.cli.shared.exits import CommandError, ExitCode

if TYPE_CHECKING:
    from streamflow.app import App
    from streamflow.worker import Worker

Part = Literal["workflows", "activities"]

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
PROCESSES_MAX = 256
STOP_AFTER_S = 60.0
"""Processes that have not stopped so long after they were told to are killed."""
_LOOK_EVERY_S = 0.1
_SUPERVISED = "STREAMFLOW_SUPERVISED"
"""Set for a process that is one of several: its standard input ends when the one that started them does."""


def worker(
    *targets: Annotated[str, Parameter(name="MODULE:APP", help="The Apps to run.")],
    kafka: Annotated[
        str | None,
        Parameter(
            help="HOST:PORT[,HOST:PORT]. Default: STREAMFLOW_ADDRESS, else the profile's address."
        ),
    ] = None,
    profile: Annotated[str | None, Parameter(help="Profile with further options of Kafka.")] = None,
    processes: Annotated[
        int, Parameter(help="One for each core to be used; they share the partitions.")
    ] = 1,
    create_topics: Annotated[
        bool, Parameter(help="Make missing topics, instead of refusing to start.")
    ] = False,
    name: Annotated[
        str | None,
        Parameter(
            help="Stable name of this instance. Default: STREAMFLOW_INSTANCE, else the host's."
        ),
    ] = None,
    state_dir: Annotated[Path | None, Parameter(help="Where local state is kept.")] = None,
    only: Annotated[
        Part | None,
        Parameter(help="One half of the Apps' work; other processes do the other. Default: both."),
    ] = None,
    health_address: Annotated[
        str | None,
        Parameter(help="HOST:PORT for /livez, /readyz and /metrics. Default: nothing is served."),
    ] = None,
    snapshots: Annotated[
        str | None,
        Parameter(
            help="Where copies of local state are kept: a folder that all processes reach, or s3://BUCKET/PREFIX."
        ),
    ] = None,
    snapshot_every: Annotated[
        float | None, Parameter(help="Seconds between two copies of a partition. Default: 600.")
    ] = None,
    standby: Annotated[
        int | None,
        Parameter(help="How many other processes follow each partition, ready for it. Default: 0."),
    ] = None,
    archive: Annotated[
        str | None,
        Parameter(help="Where closed runs go before they are deleted, as for --snapshots."),
    ] = None,
    log_level: Annotated[str, Parameter(help="debug, info, warning or error.")] = "info",
) -> int:
    """Runs Apps on Kafka until it is told to stop (SIGTERM or Ctrl-C)."""
    if not targets:
        raise CommandError(
            "Expected MODULE:APP, such as shop.orders:app, found nothing", ExitCode.USAGE
        )
    if not 1 <= processes <= PROCESSES_MAX:
        raise CommandError(
            f"Expected 1 to {PROCESSES_MAX} processes, found {processes}", ExitCode.USAGE
        )
    if processes > 1 and health_address:
        raise CommandError(
            f"Expected one process with --health-address, found --processes {processes}: each process answers for itself, "
            "so start each on its own",
            ExitCode.USAGE,
        )
    if os.environ.pop(_SUPERVISED, None):
        threading.Thread(target=_stop_with_the_parent, name="supervised", daemon=True).start()
    if processes > 1:
        return _supervise(processes, name or os.environ.get("STREAMFLOW_INSTANCE"))
    options: dict[str, Any] = {
        "name": name,
        "state_dir": state_dir,
        "snapshots": snapshots,
        "snapshot_every": duration(snapshot_every),
        "standby": standby,
        "archive": archive,
    }
    given = {name: value for name, value in options.items() if value is not None}
    return _serve(targets, kafka, profile, create_topics, given, only, health_address, log_level)


def _serve(
    targets: tuple[str, ...],
    kafka: str | None,
    profile: str | None,
    create_topics: bool,
    options: dict[str, Any],
    only: Part | None,
    health_address: str | None,
    log_level: str,
) -> int:
    from streamflow import observability
    from streamflow.app import run_apps
    from streamflow.cli.shared.health import serve_health
    from streamflow.cli.shared.loading import load_apps
    from streamflow.cli.shared.restoring import RestoreBar
    from streamflow.cli.shared.serving import until_stopped
    from streamflow.config import share_interpreter
    from streamflow.envconfig import ClientConfigProfile

    bar = RestoreBar()
    observability.configure(level=log_level, stream=bar.logs)
    settings = ClientConfigProfile.load(profile)
    found = settings.to_client_connect_config()
    target = kafka or found.get("target_host")
    if target is None:
        raise CommandError(
            "Expected the address of Kafka: give --kafka HOST:PORT, set STREAMFLOW_ADDRESS, or a profile",
            ExitCode.UNREACHABLE,
        )
    apps = load_apps(targets) if only is None else _half(load_apps(targets), only)
    name = options.get("name")
    if name and len({(app.namespace, app.queue) for app in apps}) < len(apps):
        raise CommandError(
            f"Expected one App for each queue with --name {name}, found two on one queue",
            ExitCode.USAGE,
        )
    share_interpreter()
    # Not before the code is loaded: until then nobody answers, and a start may take its time.
    runtime, health = (None, None) if health_address is None else serve_health(health_address)

    def made(workers: Sequence[Worker]) -> None:
        bar.watch(workers)
        if health is not None:
            health.watch(workers)

    run = run_apps(
        apps,
        target,
        create_topics=create_topics or found.get("create_topics"),
        config=settings.kafka_options(),
        defaults={} if settings.retention is None else {"retention": settings.retention},
        runtime=runtime,
        made=made,
        **options,
    )
    try:
        with bar:
            asyncio.run(until_stopped(run))
    except ValueError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    return ExitCode.OK


def _half(apps: list[App], part: Part) -> list[App]:
    halves = [half for app in apps if (half := app.only(part)) is not None]
    if not halves:
        raise CommandError(
            f"Expected an App with {part} for --only {part}, found none among {', '.join(app.queue for app in apps)}",
            ExitCode.USAGE,
        )
    return halves


# -- several processes --------------------------------------------------------------------------------------------


def _supervise(count: int, name: str | None) -> int:
    """Runs this command ``count`` times. None is restarted: when one dies all stop, and whoever runs us knows."""
    children = [_spawn(number, name) for number in range(count)]
    stopping: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        if not stopping:
            _signal_all(children, signal.SIGTERM)
        stopping.append(number)

    before = [(number, signal.signal(number, forward)) for number in STOP_SIGNALS]
    try:
        dead = _wait_for_one(children, stopping)
        if dead is not None:
            _signal_all(children, signal.SIGTERM)
        _wait_for_all(children)
    finally:
        for stop_signal, handler in before:
            signal.signal(stop_signal, handler)
    if stopping:
        failed = [
            f"process {number} with {child.returncode}"
            for number, child in enumerate(children)
            if child.returncode not in (0, -signal.SIGTERM)
        ]
        if failed:
            raise CommandError(
                f"Expected {count} worker processes to stop in order, found ended: {', '.join(failed)}"
            )
        return ExitCode.OK
    assert dead is not None
    number, code = dead
    raise CommandError(
        f"Worker process {number} of {count} ended with {code}: the others were stopped"
    )


def _spawn(number: int, name: str | None) -> subprocess.Popen[bytes]:
    words = _without(sys.argv[1:], ("--processes", "--name"))
    if name:
        words += ["--name", f"{name}-{number}"]
    return subprocess.Popen(
        [sys.executable, "-m", "streamflow", *words],
        env=os.environ | {_SUPERVISED: "1"},
        stdin=subprocess.PIPE,
        # In a session of its own, so that Ctrl-C reaches the children through us, once.
        start_new_session=True,
    )


def _stop_with_the_parent() -> None:
    """Stops this process in order when its parent is gone, be it killed: nobody else would tell it to."""
    # Not through `sys.stdin`, whose lock the interpreter wants when it ends.
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _without(words: list[str], options: tuple[str, ...]) -> list[str]:
    """The command line less these options and their values."""
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in options:
            skip = True
        elif not word.startswith(tuple(f"{option}=" for option in options)):
            kept.append(word)
    return kept


def _wait_for_one(
    children: list[subprocess.Popen[bytes]], stopping: list[int]
) -> tuple[int, int] | None:
    """The first that ended, with its code; ``None`` when we were told to stop."""
    while not stopping:
        for number, child in enumerate(children):
            code = child.poll()
            if code is not None:
                return number, code
        time.sleep(_LOOK_EVERY_S)
    return None


def _wait_for_all(children: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + STOP_AFTER_S
    for child in children:
        try:
            child.wait(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _signal_all(children: list[subprocess.Popen[bytes]], number: int) -> None:
    for child in children:
        if child.poll() is None:
            child.send_signal(number)

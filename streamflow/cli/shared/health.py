"""What an orchestrator asks a worker process over HTTP: ``/livez``, ``/readyz`` and ``/metrics``, on one address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from streamflow.cli.shared.exits import CommandError, ExitCode

if TYPE_CHECKING:
    from streamflow.runtime import Runtime
    from streamflow.worker import Worker

LIVE, READY = "/livez", "/readyz"
HANGS_AFTER = timedelta(minutes=5)
"""A turn that takes so long does not end by itself: what waits in one for brokers gives up earlier (82 s was the longest seen
with brokers that stood still)."""

_OK = (HTTPStatus.OK.value, "ok\n")


class Health:
    """Whether the workers of this process are well. Asked on threads of the server."""

    def __init__(self) -> None:
        self._workers: Sequence[Worker] = ()

    def watch(self, workers: Sequence[Worker]) -> None:
        self._workers = workers

    def live(self) -> tuple[int, str]:
        """Not whether Kafka answers: a process that waits for its brokers is in order, and ending it would mend nothing."""
        hang = [worker for worker in self._workers if worker.in_turn_for > HANGS_AFTER]
        return _answer(hang, lambda worker: f"in one turn for {worker.in_turn_for}")

    def ready(self) -> tuple[int, str]:
        """Whether all that the groups have given to this process is restored; no before they have given anything."""
        if not self._workers:
            return HTTPStatus.SERVICE_UNAVAILABLE.value, "starting\n"
        waiting = [worker for worker in self._workers if not worker.is_ready]
        return _answer(waiting, lambda _worker: "starting, restoring or stopping")


def serve_health(address: str) -> tuple[Runtime, Health]:
    """Listens on ``HOST:PORT`` as long as the process lives. The runtime keeps metrics, with base units in their names.

    Raises:
        CommandError: the address makes no sense, or is taken.
    """
    from streamflow.observability import get_logger
    from streamflow.runtime import PrometheusConfig, Runtime, TelemetryConfig

    metrics = PrometheusConfig(
        bind_address=address,
        counters_total_suffix=True,
        unit_suffix=True,
        durations_as_seconds=True,
    )
    try:
        runtime = Runtime(telemetry=TelemetryConfig(logging=None, metrics=metrics))
    except ValueError as error:
        raise CommandError(
            f"Expected --health-address HOST:PORT, such as 0.0.0.0:8081, found {address!r}",
            ExitCode.USAGE,
        ) from error
    except OSError as error:
        raise CommandError(
            f"Expected --health-address {address} to be free, found: {error}"
        ) from error
    health = Health()
    runtime.serve_page(LIVE, health.live)
    port = runtime.serve_page(READY, health.ready)
    get_logger("worker").info("health_served", port=port)
    return runtime, health


def _answer(ill: Sequence[Worker], why: Callable[[Worker], str]) -> tuple[int, str]:
    if not ill:
        return _OK
    lines = [f"{worker.client.namespace}/{worker.task_queue}: {why(worker)}\n" for worker in ill]
    return HTTPStatus.SERVICE_UNAVAILABLE.value, "".join(lines)

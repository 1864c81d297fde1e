"""One process of a deployment under test: a processor of the queue, a worker for its activities, or both.

    python -m tests.faults.node both --kafka HOST:PORT --namespace t-1 --queue orders --name a --state-dir DIR

Uses what any user uses. ``--module`` names the workflow code, so that a test can deploy another version of it;
``--clock-skew-ms`` sets this process's clock wrong by so much. SIGTERM ends it in order.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

from streamflow import observability, processor, wiring
from streamflow.client import Client
from streamflow.client.log.transport import LogTransport
from streamflow.ports import Clock, Log
from streamflow.processor import ProcessorOptions
from streamflow.worker import Worker


class SkewedClock:
    """Another clock, off by a constant."""

    def __init__(self, clock: Clock, skew_ms: int) -> None:
        self._clock = clock
        self._skew_ms = skew_ms

    def now_ms(self) -> int:
        return self._clock.now_ms() + self._skew_ms

    def monotonic_ms(self) -> int:
        return self._clock.monotonic_ms()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["processor", "worker", "both"])
    parser.add_argument("--kafka", required=True)
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--queue", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--state-dir", required=True)
    parser.add_argument("--module", default="tests.faults.orders")
    parser.add_argument("--clock-skew-ms", type=int, default=0)
    parser.add_argument("--step-cpu-limit-ms", type=int)
    parser.add_argument("--step-exit-after-ms", type=int)
    parser.add_argument("--retention-ms", type=int)
    parser.add_argument("--snapshots")
    parser.add_argument("--standby", type=int, default=0)
    parser.add_argument("--archive")
    parser.add_argument("--snapshot-every-ms", type=int, default=1_000)
    return parser.parse_args()


def with_other_bounds(options: argparse.Namespace) -> None:
    """Bounds that a Worker does not ask for, so that a test need not wait as long as production does."""
    bounds: dict[str, Any] = {
        name: value
        for name in ("step_cpu_limit_ms", "step_exit_after_ms")
        if (value := getattr(options, name)) is not None
    }
    if options.snapshots is not None:
        bounds["snapshot_gain_min"] = 1
    if options.retention_ms is not None:
        bounds["dedup_ms_min"] = options.retention_ms
    processor.ProcessorOptions = partial(ProcessorOptions, **bounds)  # type: ignore[misc,assignment]  # called only


async def serve(options: argparse.Namespace) -> None:
    with_other_bounds(options)
    # Proxies tell processes apart by it.
    log: Log = wiring.open_log(options.kafka, config={"client.id": options.name})
    if options.clock_skew_ms:
        log._clock = SkewedClock(log.clock, options.clock_skew_ms)  # type: ignore[attr-defined]  # of this adapter
    code: Any = importlib.import_module(options.module)
    workflows = list(getattr(code, "WORKFLOWS", None) or [code.Order])
    is_processor = options.role == "processor"
    async with Client(LogTransport(log, options.namespace)) as client:
        worker = Worker(
            client,
            task_queue=options.queue,
            workflows=[] if options.role == "worker" else workflows,
            activities=getattr(code, "LOCAL", []) if is_processor else code.ACTIVITIES,
            no_remote_activities=is_processor,
            activity_executor=ThreadPoolExecutor(100),
            name=options.name,
            state_dir=options.state_dir,
            retention=None
            if options.retention_ms is None
            else timedelta(milliseconds=options.retention_ms),
            snapshots=options.snapshots,
            standby=options.standby,
            archive=options.archive,
            snapshot_every=timedelta(milliseconds=options.snapshot_every_ms),
        )
        running = asyncio.ensure_future(worker.run())
        loop = asyncio.get_running_loop()
        for how in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(how, lambda: asyncio.ensure_future(worker.shutdown()))
        await running


def main() -> None:
    observability.configure(json=True)
    try:
        asyncio.run(serve(arguments()))
    except Exception as error:
        sys.exit(f"ended by {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()

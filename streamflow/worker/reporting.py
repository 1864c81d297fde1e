"""Tells others how far this process has come in restoring partitions, and how far behind those are for which it stands by.

Only while there is something to tell: a worker that works writes nothing. A log in memory has nobody else to tell.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Protocol

from streamflow import topology
from streamflow.model.processes import ProcessReport, RestoreReport, StandbyReport
from streamflow.observability import get_logger
from streamflow.ports import LogError, Unavailable
from streamflow.topology.processes import REPORT_EVERY_S, report_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamflow.ports import Clock, Log, Producer
    from streamflow.processor.partitions.standby import Standby
    from streamflow.processor.state.partition import Partition
    from streamflow.worker.setup import Setup

_log = get_logger("worker")


class Reported(Protocol):
    """A processor, as far as it is reported."""

    @property
    def partitions(self) -> Mapping[int, Partition]: ...
    @property
    def standby(self) -> Standby | None: ...


class Reporting:
    """Of one processor, from when it is made. Belongs to one event loop."""

    def __init__(self, log: Log, setup: Setup, instance: str, processor: Reported) -> None:
        self._log = log
        self._namespace = setup.client.namespace
        self._empty = ProcessReport(queue=setup.queue, instance=instance)
        self._processor = processor
        self._producer: Producer | None = None
        self._refused = False
        """Whether the topic took a report not: without it everything works, so none is tried again."""
        self._ending = asyncio.Event()
        self._running = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        said = self._empty
        while not (self._refused or await self._ends_within(REPORT_EVERY_S)):
            report = report_of(self._processor, self._empty, self._log.clock)
            if report != self._empty or said != self._empty:
                await asyncio.to_thread(self._tell, report)
                said = report

    async def _ends_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)
        return self._ending.is_set()

    def _tell(self, report: ProcessReport) -> None:
        """May wait for a broker; one that is away now is told the next report."""
        try:
            if self._producer is None:
                topic = topology.processes_topic(self._namespace)
                if not topology.is_there(self._log, topic):
                    self._refuse(f"Expected topic {topic}, found none, or no grant for it")
                    return
                self._producer = self._log.producer()
            self._producer.send(report_record(self._namespace, report), self._told)
        except Unavailable as error:
            _log.debug("report_unwritten", reason=str(error))
        except LogError as error:
            self._refuse(str(error))

    async def end(self) -> None:
        """What was told last is told before this returns."""
        self._ending.set()
        await self._running
        if self._producer is not None:
            await asyncio.to_thread(self._producer.close)

    def _told(self, error: LogError | None) -> None:
        if error is not None:
            self._refuse(str(error))

    def _refuse(self, reason: str) -> None:
        if not self._refused:
            self._refused = True
            advice = f"Make it with: {topology.apply_command(self._namespace)}; until then pages do not show how far restores are"
            _log.info("reports_unwritten", reason=reason, advice=advice)


def report_of(processor: Reported, empty: ProcessReport, clock: Clock) -> ProcessReport:
    """As of now. Its parts are copied first: the processor goes on meanwhile, on a thread of its own."""
    restoring = [
        RestoreReport(
            partition=partition.number,
            begin_offset=restoring.begin,
            next_offset=restoring.offset,
            end_offset=restoring.end,
            elapsed_ms=clock.monotonic_ms() - restoring.begun_ms,
        )
        for partition in list(processor.partitions.values())
        if (restoring := partition.restoring) is not None
    ]
    standby = processor.standby
    lags = {} if standby is None else standby.lag.copy()
    return ProcessReport(
        queue=empty.queue,
        instance=empty.instance,
        restoring=tuple(sorted(restoring, key=lambda one: one.partition)),
        standby=tuple(
            StandbyReport(partition=number, lag=lag) for number, lag in sorted(lags.items())
        ),
    )

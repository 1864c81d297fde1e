"""Metrics kept in memory, update by update, for whoever wants to hand them on."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import NewType, Protocol

from streamflow.common import MetricAttributes
from streamflow.common.meters import Instrument, MetricKind
from streamflow.observability import get_logger

_log = get_logger("runtime")

BufferedMetricKind = NewType("BufferedMetricKind", int)
BUFFERED_METRIC_KIND_COUNTER = BufferedMetricKind(0)
BUFFERED_METRIC_KIND_GAUGE = BufferedMetricKind(1)
BUFFERED_METRIC_KIND_HISTOGRAM = BufferedMetricKind(2)
_KINDS = {
    MetricKind.COUNTER: BUFFERED_METRIC_KIND_COUNTER,
    MetricKind.GAUGE: BUFFERED_METRIC_KIND_GAUGE,
    MetricKind.HISTOGRAM: BUFFERED_METRIC_KIND_HISTOGRAM,
}


class MetricBufferDurationFormat(Enum):
    """What durations are kept in: whole milliseconds, or seconds with a fraction."""

    MILLISECONDS = 1
    SECONDS = 2


class BufferedMetric(Protocol):
    """What an update is of."""

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str | None: ...

    @property
    def unit(self) -> str | None: ...

    @property
    def kind(self) -> BufferedMetricKind: ...


class BufferedMetricUpdate(Protocol):
    """One value: what was added to a counter, set on a gauge, or recorded in a histogram."""

    @property
    def metric(self) -> BufferedMetric: ...

    @property
    def value(self) -> int | float: ...

    @property
    def attributes(self) -> MetricAttributes: ...


@dataclass(frozen=True)
class _Metric:
    name: str
    description: str | None
    unit: str | None
    kind: BufferedMetricKind


@dataclass(frozen=True)
class _Update:
    metric: _Metric
    value: int | float
    attributes: MetricAttributes


class MetricBuffer:
    """Give it to one runtime, and call `retrieve_updates` more often than it fills."""

    def __init__(
        self,
        buffer_size: int,
        duration_format: MetricBufferDurationFormat = MetricBufferDurationFormat.MILLISECONDS,
    ) -> None:
        """``buffer_size`` updates are kept; those after them are dropped, and that is logged."""
        if buffer_size < 1:
            raise ValueError(f"Expected a buffer_size of 1 or more, found {buffer_size}")
        self._size = buffer_size
        self._duration_format = duration_format
        self._lock = threading.Lock()
        self._updates: list[_Update] = []
        self._metrics: dict[Instrument, _Metric] = {}
        self._dropped = 0
        self._used = False

    def begin(self) -> None:
        """For the runtime. Raises RuntimeError when another one records here already."""
        if self._used:
            raise RuntimeError(
                "Expected a MetricBuffer of its own for each runtime, found one already used"
            )
        self._used = True

    def record(
        self, what: Instrument, value: int | float | timedelta, attributes: MetricAttributes
    ) -> None:
        """For the runtime's meters, from any thread."""
        number, unit = self._number(value), what.unit
        if isinstance(value, timedelta) and unit == "duration":
            unit = "s" if self._in_seconds else "ms"
        with self._lock:
            metric = self._metrics.get(what)
            if metric is None:
                metric = _Metric(what.name, what.description, unit, _KINDS[what.kind])
                self._metrics[what] = metric
            if len(self._updates) < self._size:
                self._updates.append(_Update(metric, number, attributes))
            else:
                self._dropped += 1

    def retrieve_updates(self) -> Sequence[BufferedMetricUpdate]:
        """The updates since the last time, in their order."""
        if not self._used:
            raise RuntimeError(
                "Expected a MetricBuffer that a Runtime records into, found one that none was given"
            )
        with self._lock:
            updates, self._updates = self._updates, []
            dropped, self._dropped = self._dropped, 0
        if dropped:
            _log.error("metric_updates_dropped", count=dropped, buffer_size=self._size)
        return updates

    @property
    def _in_seconds(self) -> bool:
        return self._duration_format is MetricBufferDurationFormat.SECONDS

    def _number(self, value: int | float | timedelta) -> int | float:
        if not isinstance(value, timedelta):
            return value
        return value.total_seconds() if self._in_seconds else value // timedelta(milliseconds=1)

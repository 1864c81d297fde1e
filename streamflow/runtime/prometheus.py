"""Metrics summed up in memory and served in Prometheus' text format."""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from streamflow.common import MetricAttributes
from streamflow.common.meters import Instrument, MetricKind
from streamflow.runtime.telemetry import PrometheusConfig

DEFAULT_BUCKETS_MS = (1, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 60_000)
SERIES_MAX = 10_000
"""Combinations of names and attributes that are kept; later ones are dropped."""
_ILLEGAL = re.compile(r"[^a-zA-Z0-9_]")
_Labels = tuple[tuple[str, str], ...]


@dataclass
class _Series:
    """A sum or a last value; for a histogram also the counts of its buckets."""

    value: float = 0
    count: int = 0
    buckets: list[int] = field(default_factory=list[int])


class Prometheus(Collector):
    """Takes what is recorded, from any thread; serves it from a thread of its own."""

    def __init__(self, config: PrometheusConfig) -> None:
        """Raises ValueError for an address that is not ``host:port``, OSError for one that is taken."""
        self._config = config
        self._lock = threading.Lock()
        self._series: dict[Instrument, dict[_Labels, _Series]] = {}
        self._count = 0
        host, _, port = config.bind_address.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(
                f"Expected a bind_address like '0.0.0.0:9464', found {config.bind_address!r}"
            )
        registry = CollectorRegistry()
        registry.register(self)
        start_http_server(int(port), host.strip("[]"), registry)

    def record(
        self, what: Instrument, value: int | float | timedelta, attributes: MetricAttributes
    ) -> None:
        number = self._number(value)
        labels = tuple(sorted((_legal(key), _text(value)) for key, value in attributes.items()))
        with self._lock:
            series = self._series.setdefault(what, {}).get(labels)
            if series is None:
                if self._count >= SERIES_MAX:
                    return
                self._count += 1
                series = self._series[what][labels] = _Series()
            match what.kind:
                case MetricKind.COUNTER:
                    series.value += number
                case MetricKind.GAUGE:
                    series.value = number
                case MetricKind.HISTOGRAM:
                    bounds = self._bounds(what)
                    series.buckets = series.buckets or [0] * (len(bounds) + 1)
                    series.buckets[bisect_left(bounds, number)] += 1
                    series.value += number
                    series.count += 1

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            return iter([self._family(what, series) for what, series in self._series.items()])

    def _family(self, what: Instrument, all_series: dict[_Labels, _Series]) -> Metric:
        name = self._name(what)
        kind = what.kind.value if what.kind is not MetricKind.COUNTER else "unknown"
        family = Metric(name, what.description or "", kind)
        for labels, series in all_series.items():
            named = dict(labels)
            if what.kind is MetricKind.HISTOGRAM:
                so_far = 0
                for bound, count in zip(self._bounds(what), series.buckets, strict=False):
                    so_far += count
                    family.add_sample(
                        f"{name}_bucket", {**named, "le": _number_text(bound)}, so_far
                    )
                family.add_sample(f"{name}_bucket", {**named, "le": "+Inf"}, series.count)
                family.add_sample(f"{name}_count", named, series.count)
                family.add_sample(f"{name}_sum", named, series.value)
            else:
                family.add_sample(name, named, series.value)
        return family

    def _name(self, what: Instrument) -> str:
        name = _legal(what.name)
        if self._config.unit_suffix and what.unit:
            unit = what.unit
            if unit == "duration":
                unit = "seconds" if self._config.durations_as_seconds else "milliseconds"
            name = f"{name}_{_legal(unit)}"
        if self._config.counters_total_suffix and what.kind is MetricKind.COUNTER:
            name = f"{name}_total"
        return name

    def _bounds(self, what: Instrument) -> Sequence[float]:
        overrides = self._config.histogram_bucket_overrides or {}
        found = overrides.get(what.name)
        if found is not None:
            return found
        if what.unit == "duration" and self._config.durations_as_seconds:
            return [bound / 1_000 for bound in DEFAULT_BUCKETS_MS]
        return DEFAULT_BUCKETS_MS

    def _number(self, value: int | float | timedelta) -> int | float:
        if not isinstance(value, timedelta):
            return value
        if self._config.durations_as_seconds:
            return value.total_seconds()
        return value / timedelta(milliseconds=1)


def _legal(name: str) -> str:
    return _ILLEGAL.sub("_", name)


def _text(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number_text(value: float) -> str:
    return repr(float(value))

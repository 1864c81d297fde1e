"""Metrics summed up in memory and served in Prometheus' text format."""

from __future__ import annotations

import math
import re
import socket
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from streamflow.common import MetricAttributes
from streamflow.common.meters import Instrument, MetricKind
from streamflow.runtime.telemetry import PrometheusConfig

DEFAULT_BUCKETS_MS = (1, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 60_000)
SERIES_MAX = 10_000
"""Combinations of names and attributes that are kept; later ones are dropped."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"
_ILLEGAL = re.compile(r"[^a-zA-Z0-9_]")
Page = Callable[[], tuple[int, str]]
"""What a path is answered with: the status, and plain text. Called on a thread of the server."""
_Labels = tuple[tuple[str, str], ...]


@dataclass
class _Series:
    """A sum or a last value; for a histogram also the counts of its buckets."""

    value: float = 0
    count: int = 0
    buckets: list[int] = field(default_factory=list[int])


class Prometheus:
    """Takes what is recorded, from any thread; serves it from a thread of its own, where it is given an address."""

    def __init__(self, config: PrometheusConfig) -> None:
        """Raises ValueError for an address that is not ``host:port``, OSError for one that is taken."""
        self._config = config
        self._lock = threading.Lock()
        self._series: dict[Instrument, dict[_Labels, _Series]] = {}
        self._count = 0
        self.pages: dict[str, Page] = {}
        """Other paths that are answered; all the rest are metrics."""
        self.port: int | None = None
        """Where it listens, also if the config leaves the choice (0); ``None`` where it does not."""
        if config.bind_address is None:
            return
        host, _, port = config.bind_address.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(
                f"Expected a bind_address like '0.0.0.0:9464', found {config.bind_address!r}"
            )
        self.port = _serve(self, host.strip("[]"), int(port))

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

    def text(self) -> str:
        """All that was recorded, in the text format 0.0.4. Whole numbers are written without a fraction."""
        with self._lock:
            lines = [
                line for what, series in self._series.items() for line in self._family(what, series)
            ]
        return "".join(f"{line}\n" for line in lines)

    def _family(self, what: Instrument, all_series: dict[_Labels, _Series]) -> Iterator[str]:
        name = self._name(what)
        yield f"# HELP {name} {_escaped(what.description or '')}"
        yield f"# TYPE {name} {what.kind.value}"
        for labels, series in all_series.items():
            if what.kind is not MetricKind.HISTOGRAM:
                yield _sample(name, labels, series.value)
                continue
            so_far = 0
            for bound, count in zip(self._bounds(what), series.buckets, strict=False):
                so_far += count
                yield _sample(f"{name}_bucket", (*labels, ("le", _number_text(bound))), so_far)
            yield _sample(f"{name}_bucket", (*labels, ("le", "+Inf")), series.count)
            yield _sample(f"{name}_sum", labels, series.value)
            yield _sample(f"{name}_count", labels, series.count)

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
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(float(value))


def _sample(name: str, labels: _Labels, value: float) -> str:
    pairs = ",".join(f'{key}="{_escaped(text, quote=True)}"' for key, text in labels)
    return f"{name}{{{pairs}}} {_number_text(value)}" if pairs else f"{name} {_number_text(value)}"


def _escaped(text: str, *, quote: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quote else text


def _serve(metrics: Prometheus, host: str, port: int) -> int:
    """Answers GET with a page, else with all metrics, as long as the process lives. Returns the port.

    Raises OSError for an address that is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = metrics.pages.get(self.path.partition("?")[0])
            status, text = (200, metrics.text()) if page is None else page()
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", CONTENT_TYPE if page is None else PLAIN)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Being asked is no news."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True

    server = Server((host, port), Handler)
    threading.Thread(target=server.serve_forever, name="streamflow-metrics", daemon=True).start()
    return int(server.server_address[1])

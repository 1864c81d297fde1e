"""A meter over one function that takes what is recorded: nowhere, the runtime's, or only when not replaying."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from typing import Self, cast

from streamflow.common.metrics import (
    MetricAttributes,
    MetricCounter,
    MetricGauge,
    MetricGaugeFloat,
    MetricHistogram,
    MetricHistogramFloat,
    MetricHistogramTimedelta,
    MetricMeter,
)


class MetricKind(Enum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Instrument:
    """What a metric is, apart from its values."""

    name: str
    description: str | None
    unit: str | None
    kind: MetricKind


Record = Callable[[Instrument, int | float | timedelta, MetricAttributes], None]
_NO_ATTRIBUTES: MetricAttributes = {}


def checked(attributes: MetricAttributes) -> MetricAttributes:
    """The attributes as they are.

    Raises:
        TypeError: a value is neither a string nor a number nor a bool.
    """
    # Callers without types give anything. A bool is an int.
    for key, value in cast("Mapping[str, object]", attributes).items():
        if not isinstance(value, str | int | float):
            raise TypeError(
                f"Invalid value type for key {key!r}: expected str, int, float or bool, found {type(value).__name__}"
            )
    return attributes


@dataclass(frozen=True)
class _Metric:
    """The common part of all metrics: what it is, and where its values go."""

    _instrument: Instrument
    _record: Record
    _attributes: MetricAttributes

    @property
    def name(self) -> str:
        return self._instrument.name

    @property
    def description(self) -> str | None:
        return self._instrument.description

    @property
    def unit(self) -> str | None:
        return self._instrument.unit

    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> Self:
        return replace(self, _attributes={**self._attributes, **checked(additional_attributes)})

    def _take(self, value: int | float, additional: MetricAttributes | None) -> None:
        if value < 0:
            raise ValueError(
                f"Expected a value of 0 or more for {self.name}, found {value}: it cannot be negative"
            )
        attributes = {**self._attributes, **checked(additional)} if additional else self._attributes
        self._record(self._instrument, value, attributes)


class _Counter(_Metric, MetricCounter):
    def add(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        self._take(value, additional_attributes)


class _Histogram(_Metric, MetricHistogram):
    def record(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        self._take(value, additional_attributes)


class _HistogramFloat(_Metric, MetricHistogramFloat):
    def record(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        self._take(value, additional_attributes)


class _HistogramTimedelta(_Metric, MetricHistogramTimedelta):
    def record(
        self, value: timedelta, additional_attributes: MetricAttributes | None = None
    ) -> None:
        if value < timedelta():
            raise ValueError(
                f"Expected a duration of 0 or more for {self.name}, found {value}: it cannot be negative"
            )
        attributes = {**self._attributes, **checked(additional_attributes or _NO_ATTRIBUTES)}
        self._record(self._instrument, value, attributes)


class _Gauge(_Metric, MetricGauge):
    def set(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        self._take(value, additional_attributes)


class _GaugeFloat(_Metric, MetricGaugeFloat):
    def set(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        self._take(value, additional_attributes)


class RecordingMeter(MetricMeter):
    """Gives what is recorded to one function."""

    def __init__(self, record: Record, attributes: MetricAttributes = _NO_ATTRIBUTES) -> None:
        self._record = record
        self._attributes = attributes

    def create_counter(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricCounter:
        what = Instrument(name, description, unit, MetricKind.COUNTER)
        return _Counter(what, self._record, self._attributes)

    def create_histogram(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogram:
        what = Instrument(name, description, unit, MetricKind.HISTOGRAM)
        return _Histogram(what, self._record, self._attributes)

    def create_histogram_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramFloat:
        what = Instrument(name, description, unit, MetricKind.HISTOGRAM)
        return _HistogramFloat(what, self._record, self._attributes)

    def create_histogram_timedelta(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramTimedelta:
        what = Instrument(name, description, unit or "duration", MetricKind.HISTOGRAM)
        return _HistogramTimedelta(what, self._record, self._attributes)

    def create_gauge(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricGauge:
        what = Instrument(name, description, unit, MetricKind.GAUGE)
        return _Gauge(what, self._record, self._attributes)

    def create_gauge_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricGaugeFloat:
        what = Instrument(name, description, unit, MetricKind.GAUGE)
        return _GaugeFloat(what, self._record, self._attributes)

    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> MetricMeter:
        return RecordingMeter(self._record, {**self._attributes, **checked(additional_attributes)})

    def only_when(self, wanted: Callable[[], bool]) -> MetricMeter:
        """The same meter, which records only while ``wanted()``."""

        def record(
            what: Instrument, value: int | float | timedelta, attributes: MetricAttributes
        ) -> None:
            if wanted():
                self._record(what, value, attributes)

        return RecordingMeter(record, self._attributes)


def _forget(_: Instrument, __: int | float | timedelta, ___: MetricAttributes) -> None:
    """Takes what goes nowhere."""


MetricMeter.noop = RecordingMeter(_forget)

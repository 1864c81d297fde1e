"""Meters and loggers that workflow code may use: what a replayed step counts or says was counted and said before."""

from __future__ import annotations

from typing import Any

from opentelemetry._logs import Logger, LoggerProvider
from opentelemetry.metrics import Meter, MeterProvider
from opentelemetry.util.types import Attributes

from streamflow.contrib.opentelemetry.replay_safe import replaying, unguarded

_MEASURING = frozenset({"add", "record", "set"})


class _ReplaySafeInstrument:
    """An instrument that stays silent on replay."""

    def __init__(self, instrument: Any) -> None:
        self._instrument = instrument

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._instrument, name)
        if name not in _MEASURING:
            return found

        def measure(*args: Any, **options: Any) -> None:
            if not replaying():
                with unguarded():
                    found(*args, **options)

        return measure


class _ReplaySafeMeter:
    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._meter, name)
        if not name.startswith("create_") or name.startswith("create_observable_"):
            return found

        def create(*args: Any, **options: Any) -> Any:
            with unguarded():
                return _ReplaySafeInstrument(found(*args, **options))

        return create


class ReplaySafeMeterProvider(MeterProvider):
    """Wraps the program's provider; give it to `opentelemetry.metrics.set_meter_provider`."""

    def __init__(self, meter_provider: MeterProvider) -> None:
        self._provider = meter_provider

    def get_meter(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes | None = None,
    ) -> Meter:
        newer = (
            () if attributes is None else (attributes,)
        )  # older providers do not know attributes
        meter: Any = _ReplaySafeMeter(self._provider.get_meter(name, version, schema_url, *newer))
        found: Meter = meter
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)


class _ReplaySafeLogger:
    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._logger, name)

    def emit(self, *args: Any, **options: Any) -> None:
        if not replaying():
            emit: Any = self._logger.emit
            with unguarded():
                emit(*args, **options)


class ReplaySafeLoggerProvider(LoggerProvider):
    """Wraps the program's provider; give it to `opentelemetry._logs.set_logger_provider`."""

    def __init__(self, logger_provider: LoggerProvider) -> None:
        self._provider = logger_provider

    def get_logger(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes | None = None,
    ) -> Logger:
        newer = (
            () if attributes is None else (attributes,)
        )  # older providers do not know attributes
        logger: Any = _ReplaySafeLogger(
            self._provider.get_logger(name, version, schema_url, *newer)
        )
        found: Logger = logger
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)

"""Logs as events with fields: how the shells get their logger, and how a process renders what they say.

A library must not configure its host's logging: `configure` is called by the command line only.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import structlog


class EventLog:
    """Says events with fields: through structlog once the host or the command line has configured it, and until then
    through the standard library's logger ``streamflow.AREA``, which is silent below warnings unless the host wants more.
    """

    def __init__(self, area: str, fields: Mapping[str, Any]) -> None:
        self._area = area
        self._fields = dict(fields)
        self._plain = logging.getLogger(f"streamflow.{area}")

    def bind(self, **fields: Any) -> EventLog:
        """The same logger, with more fields on every event."""
        return EventLog(self._area, {**self._fields, **fields})

    def debug(self, event: str, **fields: Any) -> None:
        self._say(logging.DEBUG, "debug", event, fields)

    def info(self, event: str, **fields: Any) -> None:
        self._say(logging.INFO, "info", event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        self._say(logging.WARNING, "warning", event, fields)

    def error(self, event: str, **fields: Any) -> None:
        self._say(logging.ERROR, "error", event, fields)

    def exception(self, event: str, **fields: Any) -> None:
        """An error with the exception being handled."""
        self._say(logging.ERROR, "error", event, {**fields, "exc_info": True})

    def _say(self, level: int, name: str, event: str, fields: dict[str, Any]) -> None:
        if structlog.is_configured():
            getattr(structlog.get_logger("streamflow"), name)(
                event, area=self._area, **self._fields, **fields
            )
        elif self._plain.isEnabledFor(level):
            exc_info = fields.pop("exc_info", False)
            words = " ".join(f"{key}={value!r}" for key, value in (self._fields | fields).items())
            self._plain.log(level, "%s %s", event, words, exc_info=exc_info)


def get_logger(area: str, **fields: Any) -> EventLog:
    """A logger whose events carry ``area`` and ``fields``; use as ``log.info("partition_restored", events=3)``."""
    return EventLog(area, fields)


def configure(
    *, level: str = "info", json: bool | None = None, stream: TextIO | None = None
) -> None:
    """Renders events for people on a terminal, else as one JSON object a line; the standard library's logs too."""
    to: TextIO = sys.stderr if stream is None else stream  # pyright: ignore[reportAssignmentType]  # a process has one
    as_json = not to.isatty() if json is None else json
    number = logging.getLevelNamesMapping()[level.upper()]
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: Any
    if as_json:
        before.append(structlog.processors.dict_tracebacks)
        last = structlog.processors.JSONRenderer()
    else:
        last = structlog.dev.ConsoleRenderer(colors=to.isatty())
    structlog.configure(
        processors=[*before, last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        # A line in one write: several processes may share the stream.
        logger_factory=structlog.WriteLoggerFactory(to),
        cache_logger_on_first_use=True,
    )
    _route_standard_logging(before, last, number, to)


def _route_standard_logging(before: list[Any], last: Any, level: int, stream: TextIO) -> None:
    """What user code says through `logging` comes out in the same form."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "asyncio", "uvicorn.access", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))

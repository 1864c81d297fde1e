"""Logs as events with fields: how the shells get their logger, and how a process renders what they say.

A library must not configure its host's logging: `configure` is called by the command line only. Until then structlog's
defaults hold, and a host that uses structlog itself has its own.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import structlog


def get_logger(area: str, **fields: Any) -> Any:
    """A logger whose events carry ``area`` and ``fields``; use as ``log.info("partition_restored", events=3)``."""
    return structlog.get_logger("streamflow").bind(area=area, **fields)


def configure(
    *, level: str = "info", json: bool | None = None, stream: TextIO | None = None
) -> None:
    """Renders events for people on a terminal, else as one JSON object a line; the standard library's logs too."""
    stream = sys.stderr if stream is None else stream
    as_json = not stream.isatty() if json is None else json
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
        last = structlog.dev.ConsoleRenderer(colors=stream.isatty())
    structlog.configure(
        processors=[*before, last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    _route_standard_logging(before, last, number, stream)


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
    for noisy in ("httpx", "httpcore", "asyncio", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))

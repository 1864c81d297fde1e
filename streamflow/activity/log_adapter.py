"""A logger that says which attempt is speaking."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any

from streamflow.activity.context import Info, in_activity, info


class LoggerAdapter(logging.LoggerAdapter[logging.Logger]):
    """Adds the running attempt to each message and to the record's extra fields; outside of activities adds nothing."""

    activity_info_on_message: bool = True
    """Whether the message ends with what the attempt is."""
    activity_info_on_extra: bool = True
    """Whether the record has the same as a dictionary, under ``temporal_activity``."""
    full_activity_info_on_extra: bool = False
    """Whether the record has the whole `Info`, under ``activity_info``."""

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        if not in_activity():
            return msg, kwargs
        of: Info = info()
        details = of._logger_details()
        if self.activity_info_on_message:
            msg = f"{msg} ({details})"
        extra = {**(self.extra or {}), **kwargs.get("extra", {})}
        if self.activity_info_on_extra:
            extra["temporal_activity"] = details
        if self.full_activity_info_on_extra:
            extra["activity_info"] = of
        kwargs["extra"] = extra
        return msg, kwargs

    @property
    def base_logger(self) -> logging.Logger:
        """The logger below, for handlers and levels."""
        return self.logger


logger: LoggerAdapter = LoggerAdapter(logging.getLogger("streamflow.activity"), {})
"""The logger for activity code."""

"""A logger for workflow code: silent while a step is replayed, and it says which run is speaking."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from typing import Any

from streamflow.coroutine.context import current_or_none
from streamflow.workflow import unsafe
from streamflow.workflow.handlers import current_update_info
from streamflow.workflow.info import info


class LoggerAdapter(logging.LoggerAdapter[logging.Logger]):
    """Adds the running workflow to each message and to the record's extra fields; outside workflows adds nothing."""

    def __init__(self, logger: logging.Logger, extra: Mapping[str, Any] | None) -> None:
        super().__init__(logger, extra or {})
        self.workflow_info_on_message = True
        """Whether the message ends with what the run is."""
        self.workflow_info_on_extra = True
        """Whether the record has the same as a dictionary, under ``temporal_workflow``."""
        self.full_workflow_info_on_extra = False
        """Whether the record has the whole `Info`, under ``workflow_info``."""
        self.log_during_replay = False
        """Whether replayed steps log again."""
        self.disable_sandbox = False
        """Whether clocks and I/O are open to what logs."""

    def isEnabledFor(self, level: int) -> bool:
        if not self.log_during_replay:
            instance = current_or_none()
            if instance is not None and (
                (instance.replaying and not instance.read_only) or instance.loop.evicting
            ):
                return False
        return super().isEnabledFor(level)

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        if current_or_none() is None:
            return msg, kwargs
        of = info()
        details = of._logger_details()
        update = current_update_info()
        if update is not None:
            details = {**details, "update_id": update.id, "update_name": update.name}
        if self.workflow_info_on_message:
            msg = f"{msg} ({details})"
        extra: dict[str, Any] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        if self.workflow_info_on_extra:
            extra["temporal_workflow"] = details
        if self.full_workflow_info_on_extra:
            extra["workflow_info"] = of
        kwargs["extra"] = extra
        return msg, kwargs

    @property
    def base_logger(self) -> logging.Logger:
        """The logger below, for handlers and levels."""
        return self.logger

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """As of every logger; opens clocks and I/O to handlers if `unsafe_disable_sandbox` was called."""
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1  # the caller's line, not this one
        if not self.disable_sandbox:
            super().log(level, msg, *args, **kwargs)
            return
        with unsafe.sandbox_unrestricted():
            super().log(level, msg, *args, **kwargs)

    def unsafe_disable_sandbox(self, value: bool = True) -> None:
        """Opens clocks and I/O to what logs, for handlers that need them; False closes them again."""
        self.disable_sandbox = value


logger: LoggerAdapter = LoggerAdapter(logging.getLogger("streamflow.workflow"), {})
"""The logger for workflow code."""

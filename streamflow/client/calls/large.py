"""Says so when a call carries much: a payload stays in a workflow's history, and is read with it again and again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from streamflow.engine.sizes import payload_bytes
from streamflow.model.commands import Command
from streamflow.model.payload import Payload
from streamflow.service.options import PayloadLimitsConfig

_log = logging.getLogger("streamflow.client")

_GROUPS = ("args", "signal_args", "details")
_NESTED = ("start", "update")


def warn_of_large(command: Command, limits: PayloadLimitsConfig) -> None:
    """Logs each group of payloads, and each memo, of the command that is beyond the limits. It is sent all the same."""
    _look(command, limits, type(command).__name__)


def _look(command: Any, limits: PayloadLimitsConfig, of: str) -> None:
    for name in _GROUPS:
        payloads = getattr(command, name, None)
        if payloads:
            _warn("payloads", payload_bytes(payloads), limits.payloads_warn_size, of)
    memo: Mapping[str, Payload] | None = getattr(command, "memo", None)
    if memo:
        _warn("memo", payload_bytes(memo), limits.memo_warn_size, of)
    for name in _NESTED:
        nested = getattr(command, name, None)
        if nested is not None:
            _look(nested, limits, of)


def _warn(kind: str, size: int, limit: int, of: str) -> None:
    if 0 < limit < size:
        _log.warning(
            "[TMPRL1103] Attempted to upload %s with size that exceeded the warning limit: expected at most %d bytes "
            "in one %s, found %d. Keep large data in a store of its own, or give the data converter an external_storage",
            kind,
            limit,
            of,
            size,
        )

"""What attempts of a pending activity failed with, for operators: its history has only the activity's end."""

from __future__ import annotations

import msgspec

from streamflow.model.failure import Failure


class FailedAttempts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One attempt, or several in a row that failed alike. Times are milliseconds since the epoch."""

    first: int
    """Number of the first of them. Numbers begin at 1 again after a reset."""
    last: int
    first_ms: int
    """When the first of them had failed."""
    last_ms: int
    failure: Failure
    """Without details, stack and causes."""
    identity: str = ""
    """Of the worker that made the last of them; empty where none had said so."""

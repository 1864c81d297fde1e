"""Keeps what attempts failed with: the latest, and those in a row that failed alike as one, so that a thousand of them take no more
room than one and hide none before them."""

from __future__ import annotations

from typing import Final

import msgspec

from streamflow.engine.sizes import beginning, failure_bytes
from streamflow.model.failed_attempts import FailedAttempts
from streamflow.model.failure import Failure
from streamflow.model.tasks import Attempt

KEPT_MAX: Final = 10
"""The oldest go first."""
MESSAGE_CHARS_MAX: Final = 500
ENCODED_BYTES_MAX: Final = 2_000
"""Of a failure whose message a codec has made unreadable here, so that it cannot be cut: a larger one loses it."""


def with_failed(
    attempt: Attempt, failure: Failure, *, identity: str, now_ms: int
) -> tuple[FailedAttempts, ...]:
    """What is kept once this attempt has failed too."""
    told, kept = _told(failure), attempt.failed
    before = kept[-1] if kept else None
    if before is not None and before.last + 1 == attempt.attempt and before.failure == told:
        more = msgspec.structs.replace(
            before, last=attempt.attempt, last_ms=now_ms, identity=identity
        )
        return (*kept[:-1], more)
    new = FailedAttempts(
        first=attempt.attempt,
        last=attempt.attempt,
        first_ms=now_ms,
        last_ms=now_ms,
        failure=told,
        identity=identity,
    )
    return (*kept, new)[-KEPT_MAX:]


def _told(failure: Failure) -> Failure:
    message = beginning(failure.message, MESSAGE_CHARS_MAX)
    told = msgspec.structs.replace(failure, message=message, stack_trace="", details=(), cause=None)
    if failure_bytes(told) > ENCODED_BYTES_MAX:
        told = msgspec.structs.replace(told, encoded_attributes=())
    return told

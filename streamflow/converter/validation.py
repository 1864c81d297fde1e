"""The error for a value that is well encoded but not allowed."""

from __future__ import annotations

from typing import Any

from streamflow.exceptions import ApplicationError


def create_payload_validation_error(details: Any) -> ApplicationError:
    """A non-retryable error of type ``PayloadValidationError``, for a converter to raise; ``None`` for no details."""
    return ApplicationError(
        "Payload validation failed",
        *(() if details is None else (details,)),
        type="PayloadValidationError",
        non_retryable=True,
    )

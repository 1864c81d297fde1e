"""How results and failures are printed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from streamflow.cli.shared.output import Form, print_data

if TYPE_CHECKING:
    from streamflow.client import FailedAttempts


def print_failure(what: str, error: BaseException, output: Form) -> None:
    """The chain of causes: on stderr for people, as JSON if that was asked for."""
    chain = causes_of(error)
    if output != "table":
        print_data({"failed": chain}, output)
    else:
        print("\n".join([f"{what} failed:", *(f"  {line}" for line in chain)]), file=sys.stderr)


def causes_of(error: BaseException | None) -> list[str]:
    lines: list[str] = []
    while error is not None:
        lines.append(f"{type(error).__name__}: {error}")
        error = error.__cause__
    return lines


def failed_row(attempts: FailedAttempts) -> dict[str, Any]:
    """What some attempts of an activity failed with, as a row."""
    return {
        "attempt": attempts.numbers,
        "failed_at": attempts.last_time,
        "worker": attempts.last_worker_identity or None,
        "failure": str(attempts.failure),
    }

"""How results and failures are printed."""

from __future__ import annotations

import sys

from streamflow.cli.shared.output import Form, print_data


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

"""How results and failures are printed."""

from __future__ import annotations

import json
import sys
from typing import Any


def print_failure(what: str, error: BaseException, output: str) -> None:
    """The chain of causes: on stderr for people, as JSON if that was asked for."""
    chain = causes_of(error)
    if output == "json":
        print_json({"failed": chain})
    else:
        print("\n".join([f"{what} failed:", *(f"  {line}" for line in chain)]), file=sys.stderr)


def causes_of(error: BaseException | None) -> list[str]:
    lines: list[str] = []
    while error is not None:
        lines.append(f"{type(error).__name__}: {error}")
        error = error.__cause__
    return lines


def print_json(value: Any) -> None:
    from streamflow.cli.output import plain

    print(json.dumps(value, indent=2, default=plain))

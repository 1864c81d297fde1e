"""What programs of the tests say to whoever reads their output line by line."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()

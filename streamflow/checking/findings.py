"""What a look at workflow code may find. A code never changes its meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CODES: Final[dict[str, str]] = {
    "SF001": "reads a clock",
    "SF002": "uses chance",
    "SF003": "makes a UUID by chance or clock",
    "SF004": "begins a thread or process",
    "SF005": "does input or output over a network",
    "SF006": "reads or writes a file",
    "SF007": "blocks",
    "SF008": "depends on the order of a set",
    "SF009": "changes a global",
    "SF010": "begins an activity without a timeout",
    "SF011": "does not await what it begins",
    "SF012": "uses asyncio's wait or as_completed",
    "SF013": "has a run method that is not async",
    "SF014": "has a mutable default",
    "SF015": "reads the environment",
    "SF016": "catches everything",
    "SF017": "imports the name of a guarded function",
    "SF018": "has an async query handler or validator",
    "SF019": "prints",
}
"""Every code, and what code that has it does."""


@dataclass(frozen=True, order=True)
class Finding:
    """One place that would not replay alike, or not do what it seems to."""

    path: str
    line: int
    """From 1."""
    column: int
    """From 1."""
    code: str
    message: str
    """What was found, and what to do."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.code} {self.message}"

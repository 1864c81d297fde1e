"""What was looked at, and how it is."""

from __future__ import annotations

from enum import Enum

import msgspec


class Severity(Enum):
    OK = "ok"
    NOTE = "note"
    """Worth knowing; works as it is."""
    PROBLEM = "problem"
    """Loses something, or stands still, until it is mended."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    severity: Severity
    subject: str
    """A topic, a queue, a broker, this machine."""
    message: str
    command: str = ""
    """What mends it."""


def fine(subject: str, message: str) -> Finding:
    return Finding(severity=Severity.OK, subject=subject, message=message)


def note(subject: str, message: str, command: str = "") -> Finding:
    return Finding(severity=Severity.NOTE, subject=subject, message=message, command=command)


def problem(subject: str, message: str, command: str) -> Finding:
    return Finding(severity=Severity.PROBLEM, subject=subject, message=message, command=command)

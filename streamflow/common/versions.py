"""Versions of workers, and whether open runs move to newer ones."""

from __future__ import annotations

from enum import Enum


class VersioningBehavior(Enum):
    """Whether open runs of a type move to new worker versions."""

    UNSPECIFIED = "unspecified"
    PINNED = "pinned"
    AUTO_UPGRADE = "auto_upgrade"

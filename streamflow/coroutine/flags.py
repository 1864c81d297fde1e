"""Behaviours of our own runtime that histories were recorded under. A released flag never changes its meaning.

A new behaviour gets the next bit: new runs begin with ``CURRENT``, old runs keep the bits of their history.
"""

from __future__ import annotations

from enum import IntFlag


class Flag(IntFlag):
    NONE = 0


CURRENT = int(Flag.NONE)
"""What a run that begins now is recorded under."""


def refuse_unknown(flags: int) -> str | None:
    """Why a history cannot be replayed here, if it was recorded by a newer runtime."""
    unknown = flags & ~CURRENT
    if not unknown:
        return None
    return (
        f"Expected runtime flags known to this version ({CURRENT:#x}), found {flags:#x}: the run was recorded by a "
        "newer streamflow; upgrade this processor"
    )

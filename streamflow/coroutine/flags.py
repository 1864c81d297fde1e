"""Behaviours of our own runtime that histories were recorded under. A released flag never changes its meaning.

A new behaviour gets the next bit: new runs begin with ``CURRENT``, old runs keep the bits of their history.
"""

from __future__ import annotations

from enum import IntFlag


class Flag(IntFlag):
    NONE = 0
    OUTCOMES_TAKE_TURNS = 1
    """What an operation ended with reaches the code after as many turns of the loop as in the model, so that a cancellation
    of the same step wins; and a run's cancellation ends the wait for a child's start (`machines.settling`)."""
    ASKS_IN_PARTS = 2
    """A step that has asked for `ASKED_MAX` operations ends, and the next one goes on with it: a fan-out of thousands is many
    small transactions, between which the other runs of its partition have their turn."""
    MARKS_AT_ONCE = 4
    """A patch's mark leaves with the step that met the patch, however full that is: an eviction between two parts would else
    let the code take the other way."""


ASKED_MAX = 100
"""Operations that one step asks for, of runs with `Flag.ASKS_IN_PARTS`. Part of that flag's meaning: never to change."""

CURRENT = int(Flag.OUTCOMES_TAKE_TURNS | Flag.ASKS_IN_PARTS | Flag.MARKS_AT_ONCE)
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

"""How a table of transitions is read, and what is said when it has no entry."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import TypeVar

from streamflow.coroutine.errors import NondeterminismError
from streamflow.coroutine.source import Place

StateT = TypeVar("StateT", bound=IntEnum)
CueT = TypeVar("CueT", bound=IntEnum)


def next_state(
    table: Mapping[tuple[StateT, CueT], StateT],
    state: StateT,
    cue: CueT,
    what: object,
    place: Place | None,
) -> StateT:
    """The state after ``cue``.

    Raises:
        NondeterminismError: the table has no such transition.
    """
    found = table.get((state, cue))
    if found is None:
        expected = (
            ", ".join(known.name for before, known in table if before is state) or "nothing more"
        )
        raise NondeterminismError(
            f"Expected {expected} for {what} in state {state.name}, found {cue.name} (begun at {place or 'unknown place'})"
        )
    return found


def misfit(event: object, what: object, place: Place | None) -> NondeterminismError:
    """The error for an event that belongs to another kind of operation."""
    return NondeterminismError(
        f"Expected an event of {what}, found {type(event).__name__} (begun at {place or 'unknown place'}): the history "
        "has another kind of operation at this number"
    )

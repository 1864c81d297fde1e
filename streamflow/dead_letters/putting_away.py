"""Marks letters as discarded. What is deleted for good is the topic's retention's business, or an operator's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from streamflow.dead_letters.letters import Letter, State
from streamflow.dead_letters.marks import Mark, write_marks
from streamflow.dead_letters.reading import closed_below
from streamflow.ports import Log
from streamflow.topology import dead_letters_topic


def discard(log: Log, namespace: str, letters: Sequence[Letter]) -> list[Letter]:
    """Puts the open ones among them away, and returns these."""
    open_ones = [letter for letter in letters if letter.state is State.OPEN]
    marks = [Mark(letter.id, State.DISCARDED) for letter in open_ones]
    write_marks(log, dead_letters_topic(namespace), marks)
    return open_ones


class PutAway(msgspec.Struct, frozen=True, kw_only=True):
    """What `put_away` did."""

    letters: tuple[Letter, ...]
    """Those that were open."""
    closed_below: Mapping[str, int]
    """For each ``topic/partition`` the offset below which no letter is open now."""


def put_away(
    log: Log, namespace: str, letters: Sequence[Letter], *, dry_run: bool = False
) -> PutAway:
    """`discard`, and what may be deleted for good afterwards. A dry run only says which are open."""
    open_ones = [letter for letter in letters if letter.state is State.OPEN]
    if not dry_run:
        discard(log, namespace, open_ones)
    below = closed_below(log, namespace)
    return PutAway(
        letters=tuple(open_ones),
        closed_below={f"{place.topic}/{place.partition}": end for place, end in below.items()},
    )

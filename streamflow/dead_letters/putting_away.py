"""Marks letters as discarded. What is deleted for good is the topic's retention's business, or an operator's."""

from __future__ import annotations

from collections.abc import Sequence

from streamflow.dead_letters.letters import Letter, State
from streamflow.dead_letters.marks import Mark, write_marks
from streamflow.ports import Log
from streamflow.topology import dead_letters_topic


def discard(log: Log, namespace: str, letters: Sequence[Letter]) -> list[Letter]:
    """Puts the open ones among them away, and returns these."""
    open_ones = [letter for letter in letters if letter.state is State.OPEN]
    marks = [Mark(letter.id, State.DISCARDED) for letter in open_ones]
    write_marks(log, dead_letters_topic(namespace), marks)
    return open_ones

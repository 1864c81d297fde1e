"""What could not be taken, in ``{ns}.dead-letters``: found again, shown, sent once more, or put away.

    letter     the record as it came, with Kafka Connect's headers that say from where and why   (`letters`)
    mark       a later record of the same partition that says what became of a letter            (`marks`)

Everything is in that topic and nothing beside it: a letter's state is its last mark (`reading`). Who writes letters is
the processor's and the worker's business (`streamflow.wire.inbox.dead_letter`).
"""

from streamflow.dead_letters.advice import advice
from streamflow.dead_letters.choosing import LettersPage, Place, named, newest
from streamflow.dead_letters.contents import read_as
from streamflow.dead_letters.letters import Letter, LetterId, Reason, State
from streamflow.dead_letters.putting_away import PutAway, discard, put_away
from streamflow.dead_letters.reading import (
    Filter,
    LetterMissing,
    closed_below,
    find_letters,
    read_letter,
    read_letters,
)
from streamflow.dead_letters.redriving import Outcome, redrive

__all__ = [
    "Filter",
    "Letter",
    "LetterId",
    "LetterMissing",
    "LettersPage",
    "Outcome",
    "Place",
    "PutAway",
    "Reason",
    "State",
    "advice",
    "closed_below",
    "discard",
    "find_letters",
    "named",
    "newest",
    "put_away",
    "read_as",
    "read_letter",
    "read_letters",
    "redrive",
]

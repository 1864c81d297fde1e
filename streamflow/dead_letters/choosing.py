"""Which letters are meant: a page of the newest that a filter finds, or those that are named."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import msgspec

from streamflow.dead_letters.letters import Letter, LetterId
from streamflow.dead_letters.reading import Filter, LetterMissing, find_letters
from streamflow.ports import Log


class Place(NamedTuple):
    """Where a letter is in the order of lists, which begin with the newest."""

    time_ms: int
    id: LetterId

    def __str__(self) -> str:
        return f"{self.time_ms}/{self.id}"

    @classmethod
    def of(cls, letter: Letter) -> Place:
        return cls(letter.time_ms, letter.id)

    @classmethod
    def parse(cls, text: str) -> Place:
        """Raises ValueError for anything but what `str` makes of one."""
        time_ms, _, letter_id = text.partition("/")
        if time_ms.isascii() and time_ms.isdigit() and len(time_ms) < 19:
            return cls(int(time_ms), LetterId.parse(letter_id))
        raise ValueError(
            f"Expected the place of a letter such as 1767225600000/0/17, found {text!r}"
        )


class LettersPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a list of letters, newest first."""

    letters: tuple[Letter, ...]
    count: int
    """How many the filter finds in all."""
    after: Place | None = None
    """Where the next page begins; ``None`` where there is none."""


def newest(
    log: Log, namespace: str, wanted: Filter, *, limit: int, after: Place | None = None
) -> LettersPage:
    """The newest of those that are meant, older than ``after``.

    Raises:
        TopicMissing: the namespace has no dead-letter topic.
    """
    found = sorted(find_letters(log, namespace, wanted), key=Place.of, reverse=True)
    rest = found if after is None else [one for one in found if Place.of(one) < after]
    page = tuple(rest[:limit])
    more = len(rest) > len(page) and bool(page)
    return LettersPage(letters=page, count=len(found), after=Place.of(page[-1]) if more else None)


def named(log: Log, namespace: str, ids: Collection[LetterId]) -> list[Letter]:
    """The letters of these IDs, in the order of the log.

    Raises:
        LetterMissing: one of them is not there.
        TopicMissing: the namespace has no dead-letter topic.
    """
    found = find_letters(log, namespace, Filter(ids=frozenset(ids), state=None)) if ids else []
    missing = frozenset(ids) - {letter.id for letter in found}
    if missing:
        raise LetterMissing(
            f"Expected the letters {', '.join(str(one) for one in sorted(missing))}, found none of these IDs; "
            "`streamflow dlq list --state all` shows those there are"
        )
    return found

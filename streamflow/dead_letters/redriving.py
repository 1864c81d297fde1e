"""Sends letters once more to the topic they came from.

    prepare   the record without what made it a letter, named, for the partition where its workflow lives  (`preparing`)
    send      and wait until the log has it
    mark      the letter as re-driven

Between sending and marking the process may end: the letter is then open still, and is sent again by the next re-drive.
That does no harm, because both copies have one message ID, and an inbox takes a message once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from streamflow.dead_letters.letters import Letter, State
from streamflow.dead_letters.marks import Mark, mark_record, raise_first, send_all
from streamflow.dead_letters.preparing import CannotRedrive, Destinations, prepare
from streamflow.dead_letters.reading import read_letters
from streamflow.ports import Log, LogError, OutRecord, Producer, RecordRefused
from streamflow.topology import dead_letters_topic

TOGETHER_MAX: Final = 100
"""Letters that are sent before their marks are."""
TOGETHER_BYTES_MAX: Final = 8_000_000


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one letter."""

    letter: Letter
    record: OutRecord | None = None
    """As it was sent, or would be; ``None`` where it was not."""
    refusal: str = ""
    """Why not, and what to do."""


def redrive(
    log: Log,
    namespace: str,
    letters: Iterable[Letter],
    *,
    key: str | None = None,
    again: bool = False,
    dry_run: bool = False,
    told: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Re-drives the letters in the order of the log, and says of each what became of it.

    ``key`` is the workflow ID to use instead of the record's own; ``again`` takes also letters that are marked.

    Raises:
        LogError: the log did not take a record or a mark, for reasons that concern all of them. Earlier ones are marked.
    """
    outcomes: list[Outcome] = []
    for together in _together(_prepared(log, namespace, letters, key=key, again=again)):
        done = together if dry_run else _send(log, namespace, together)
        for outcome in done:
            told(outcome)
        outcomes += done
    return outcomes


def _prepared(
    log: Log, namespace: str, letters: Iterable[Letter], *, key: str | None, again: bool
) -> Iterator[Outcome]:
    destinations = Destinations(log, namespace)
    for letter, record in read_letters(log, namespace, letters):
        try:
            if letter.state is not State.OPEN and not again:
                raise CannotRedrive(
                    f"Expected an open letter, found it {letter.state.value}; --again takes it all the same"
                )
            prepared = prepare(letter, record, destinations, key)
        except CannotRedrive as refusal:
            yield Outcome(letter=letter, refusal=str(refusal))
        else:
            yield Outcome(letter=letter, record=prepared)


def _together(outcomes: Iterator[Outcome]) -> Iterator[list[Outcome]]:
    """In groups that are sent at once, bounded in number and in bytes."""
    group: list[Outcome] = []
    size = 0
    for outcome in outcomes:
        group.append(outcome)
        size += outcome.letter.value_bytes
        if len(group) >= TOGETHER_MAX or size >= TOGETHER_BYTES_MAX:
            yield group
            group, size = [], 0
    if group:
        yield group


def _send(log: Log, namespace: str, outcomes: list[Outcome]) -> list[Outcome]:
    producer = log.producer()
    try:
        return _send_with(producer, dead_letters_topic(namespace), outcomes)
    finally:
        producer.close()


def _send_with(producer: Producer, topic: str, outcomes: list[Outcome]) -> list[Outcome]:
    records = [outcome.record for outcome in outcomes if outcome.record is not None]
    errors = iter(send_all(producer, records))
    done: list[Outcome] = []
    failed: list[LogError] = []
    for outcome in outcomes:
        error = None if outcome.record is None else next(errors)
        match error:
            case None:
                done.append(outcome)
            case RecordRefused():
                done.append(Outcome(letter=outcome.letter, refusal=str(error)))
            case _:
                failed.append(error)
    marks = [
        mark_record(topic, Mark(one.letter.id, State.REDRIVEN))
        for one in done
        if one.record is not None
    ]
    raise_first(send_all(producer, marks))
    raise_first(failed)
    return done

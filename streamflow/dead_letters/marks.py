"""Marks: records of the dead-letter topic that say what became of a letter.

    key     the letter's ID, ``PARTITION/OFFSET``
    header  ``sf-letter``: ``redriven`` or ``discarded``

A mark is on its letter's partition, behind it; the last one counts. A letter never passes for a mark, whatever headers its
sender gave it: letters have the headers that say where they came from, and marks have none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final, NamedTuple

from streamflow.dead_letters.letters import OF_LETTERS, LetterId, State
from streamflow.ports import Log, LogError, OutRecord, Producer, Record, Unavailable

LETTER: Final = "sf-letter"
SEND_WAIT_MS: Final = 30_000
"""How long the log may take to acknowledge what is sent together."""

_MARKED: Final = (State.REDRIVEN, State.DISCARDED)


class Mark(NamedTuple):
    of: LetterId
    state: State


def mark_record(topic: str, mark: Mark) -> OutRecord:
    return OutRecord(
        topic,
        mark.of.partition,
        str(mark.of).encode(),
        None,
        ((LETTER, mark.state.value.encode()),),
    )


def mark_of(record: Record) -> Mark | None:
    """What a mark says; ``None`` for a letter."""
    said: str | None = None
    for name, value in record.headers:
        if name.startswith(OF_LETTERS):
            return None
        if name == LETTER:
            said = (value or b"").decode(errors="replace")
    try:
        of = LetterId.parse((record.key or b"").decode(errors="replace"))
        state = State(said)
    except ValueError:
        return None
    return Mark(of, state) if state in _MARKED and of.partition == record.partition else None


def write_marks(log: Log, topic: str, marks: Iterable[Mark]) -> None:
    """Returns once they are durable; raises the `LogError` that kept one from it."""
    producer = log.producer()
    try:
        outcomes = send_all(producer, [mark_record(topic, mark) for mark in marks])
    finally:
        producer.close()
    raise_first(outcomes)


def send_all(producer: Producer, records: Sequence[OutRecord]) -> list[LogError | None]:
    """What became of each, in their order, once all are decided or `SEND_WAIT_MS` are over."""
    late = Unavailable(f"Expected an acknowledgement within {SEND_WAIT_MS} ms, found none")
    outcomes: list[LogError | None] = [late] * len(records)

    def told(index: int, error: LogError | None) -> None:
        outcomes[index] = error

    for index, record in enumerate(records):
        producer.send(record, partial(told, index))
    producer.flush(SEND_WAIT_MS)
    return outcomes


def raise_first(outcomes: Iterable[LogError | None]) -> None:
    for error in outcomes:
        if error is not None:
            raise error

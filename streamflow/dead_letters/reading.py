"""Finds letters, with their state, by reading the dead-letter topic from its beginning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from streamflow.dead_letters.letters import Letter, LetterId, Reason, State, parse_letter
from streamflow.dead_letters.marks import mark_of
from streamflow.ports import Log, Record, TopicMissing, TopicPartition
from streamflow.topology import dead_letters_topic, encode_queue


class LetterMissing(LookupError):
    """There is no letter of this ID (any more)."""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which letters are meant; what is empty or ``None`` does not narrow."""

    reason: Reason | None = None
    text: str = ""
    """Stands in its message, whatever the case."""
    queue: str = ""
    """The record was in a topic of this queue."""
    workflow_id: str = ""
    since_ms: int = 0
    state: State | None = State.OPEN
    ids: frozenset[LetterId] = frozenset()

    def takes(self, letter: Letter) -> bool:
        """Whether it is among them, whatever its state."""
        return (
            (not self.ids or letter.id in self.ids)
            and self.reason in (None, letter.reason)
            and self.text.lower() in letter.message.lower()
            and self.workflow_id in ("", letter.workflow_id)
            and self.since_ms <= letter.time_ms
            and (not self.queue or _queue_in(letter.topic) == encode_queue(self.queue))
        )


def find_letters(log: Log, namespace: str, wanted: Filter) -> list[Letter]:
    """The letters that are meant, in the order of the log.

    Raises:
        TopicMissing: the namespace has no dead-letter topic.
    """
    found: list[Letter] = []
    for partition in _partitions(log, namespace):
        matching: dict[int, Letter] = {}
        for record in _records(log, partition):
            mark = mark_of(record)
            if mark is None:
                letter = parse_letter(record)
                if wanted.takes(letter):
                    matching[record.offset] = letter
            elif mark.of.offset in matching:
                matching[mark.of.offset] = msgspec.structs.replace(
                    matching[mark.of.offset], state=mark.state, marked_ms=record.timestamp_ms
                )
        found += (one for one in matching.values() if wanted.state in (None, one.state))
    return found


def read_letters(
    log: Log, namespace: str, letters: Iterable[Letter]
) -> Iterator[tuple[Letter, Record]]:
    """Each with its record, in the order of the log. What retention took meanwhile is left out."""
    topic = dead_letters_topic(namespace)
    by_partition: dict[int, dict[int, Letter]] = {}
    for letter in letters:
        by_partition.setdefault(letter.id.partition, {})[letter.id.offset] = letter
    for number, wanted in sorted(by_partition.items()):
        partition = TopicPartition(topic, number)
        for record in _records(log, partition, min(wanted), max(wanted) + 1):
            if record.offset in wanted:
                yield wanted[record.offset], record


def read_letter(log: Log, namespace: str, letter_id: LetterId) -> tuple[Letter, Record]:
    """One letter with its record.

    Raises:
        LetterMissing: it is not there, or that place holds something else.
    """
    wanted = Filter(ids=frozenset([letter_id]), state=None)
    for letter, record in read_letters(log, namespace, find_letters(log, namespace, wanted)):
        return letter, record
    raise LetterMissing(
        f"Expected a letter {letter_id} in {dead_letters_topic(namespace)}, found none; "
        "`streamflow dlq list --state all` shows those there are"
    )


def closed_below(log: Log, namespace: str) -> dict[TopicPartition, int]:
    """For each partition, the offset below which no letter is open: what may be deleted for good."""
    oldest = _ends(log, _partitions(log, namespace))
    topic = dead_letters_topic(namespace)
    for letter in find_letters(log, namespace, Filter()):
        place = TopicPartition(topic, letter.id.partition)
        oldest[place] = min(oldest[place], letter.id.offset)
    return oldest


def _queue_in(topic: str) -> str:
    """The queue in a topic's name, encoded; dots only separate."""
    parts = topic.split(".")
    return parts[1] if len(parts) == 3 else ""


def _partitions(log: Log, namespace: str) -> list[TopicPartition]:
    topic = dead_letters_topic(namespace)
    state = log.topics().get(topic) or log.describe_topics([topic]).get(topic)
    if state is None:
        raise TopicMissing(
            f"Expected topic {topic}, found none: namespace {namespace!r} was not made. "
            f"Make it with: streamflow namespace create {namespace}",
            [topic],
        )
    return [TopicPartition(topic, number) for number in range(state.partitions)]


def _ends(log: Log, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    reader = log.reader()
    try:
        return reader.end_offsets(partitions)
    finally:
        reader.close()


def _records(
    log: Log, partition: TopicPartition, start: int = 0, end: int | None = None
) -> Iterator[Record]:
    reader = log.reader()
    try:
        start = max(start, reader.start_offset(partition))
        end = reader.end_offset(partition) if end is None else end
        for batch in reader.read(partition, start, end):
            yield from batch
    finally:
        reader.close()

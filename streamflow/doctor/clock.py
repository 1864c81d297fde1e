"""How far this machine's clock is from the broker's: told by the time that the log gives a record of ours."""

from __future__ import annotations

from typing import Final, NamedTuple
from uuid import uuid4

from streamflow.doctor.findings import Finding, fine, note, problem
from streamflow.ports import Log, LogError, OutRecord, Producer, Reader, TopicPartition
from streamflow.topology import replies_topic
from streamflow.wire.envelope import REQUEST_ID

WAIT_MS: Final = 10_000
SKEW_NOTED_MS: Final = 2_000
SKEW_STOPS_MS: Final = 30_000
"""As `ProcessorOptions.skew_stop_ms`: further behind than that, a processor fires no timers."""


def clock_findings(log: Log, namespace: str) -> list[Finding]:
    topic = replies_topic(namespace)
    if topic not in log.topics():
        return []  # which is told as a missing topic
    place = TopicPartition(topic, 0)
    reader = log.reader()
    try:
        skew = _skew(log, reader, place)
    except LogError as error:
        return [note("clock", f"Expected to compare it with the log's, found: {error}")]
    finally:
        reader.close()
    if skew is None:
        return [note("clock", f"Expected {topic} to take a record within {WAIT_MS} ms, found none")]
    ahead_ms, unsure_ms = skew
    told = f"{abs(ahead_ms)} ms {'ahead of' if ahead_ms >= 0 else 'behind'} the log's (to {unsure_ms} ms)"
    mend = "chronyc makestep, or timedatectl set-ntp true"
    if abs(ahead_ms) - unsure_ms > SKEW_STOPS_MS:
        return [
            problem("clock", f"Expected it to be within {SKEW_STOPS_MS} ms, found it {told}", mend)
        ]
    if abs(ahead_ms) - unsure_ms > SKEW_NOTED_MS:
        return [note("clock", f"It is {told}: timers are so much early or late", mend)]
    return [fine("clock", f"It is {told}")]


def _skew(log: Log, reader: Reader, place: TopicPartition) -> tuple[int, int] | None:
    """How far our clock is ahead, and how far that may be wrong; in ms."""
    start = reader.end_offset(place)
    producer = log.producer()
    try:
        # Once in vain: connecting takes longer than what is to be measured.
        _send(log, producer, place)
        sent = _send(log, producer, place)
    finally:
        producer.close()
    if sent is None:
        return None
    for batch in reader.read(place, start, reader.end_offset(place)):
        for record in batch:
            if (REQUEST_ID, sent.name) in record.headers:
                middle_ms = (sent.before_ms + sent.after_ms) // 2
                return middle_ms - record.timestamp_ms, (sent.after_ms - sent.before_ms + 1) // 2
    return None


class _Sent(NamedTuple):
    name: bytes
    before_ms: int
    after_ms: int


def _send(log: Log, producer: Producer, place: TopicPartition) -> _Sent | None:
    """One answer to a request that nobody made, which whoever listens passes over."""
    name = f"doctor-{uuid4().hex}".encode()
    errors: list[LogError | None] = []
    before_ms = log.clock.now_ms()
    headers = ((REQUEST_ID, name),)
    producer.send(OutRecord(place.topic, place.partition, None, None, headers), errors.append)
    producer.flush(WAIT_MS)
    after_ms = log.clock.now_ms()
    if not errors:
        return None
    if errors[0] is not None:
        raise errors[0]
    return _Sent(name, before_ms, after_ms)

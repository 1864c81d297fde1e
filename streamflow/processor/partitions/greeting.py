"""What everyone who waits is told when partitions are taken over from an owner that did not say goodbye.

The dead owner's list of waiters is gone, and so are answers that it had not sent. Whoever hears this asks again, so nobody
waits out a long poll. One small record for each partition of the replies topic, and only after an unclean end.

Whoever is greeted asks, which makes transactions, and where their outcomes stay unknown the partitions begin anew and would be
greeted for again: that is done once in a while, and is then for all that began anew meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence

from streamflow.model.answers import TakenOver
from streamflow.observability import get_logger
from streamflow.ports import LogError, OutRecord, Producer
from streamflow.processor.host.surroundings import Surroundings
from streamflow.topology import replies_topic
from streamflow.wire.entities import encode
from streamflow.wire.envelope import EVERYBODY, REQUEST_ID

log = get_logger("processor")

EVERY_MS = 1_000
"""How often takeovers are told at most."""


class Greeter:
    """Of one processor; the first takeover is told at once."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._taken: set[int] = set()
        """Partitions of which it has still to be told."""
        self._next_ms = 0
        """When it may be told again, on the monotonic clock."""

    @property
    def wait_ms(self) -> int | None:
        """How long until something is to be told; ``None`` if there is nothing."""
        if not self._taken:
            return None
        return max(0, self._next_ms - self._around.clock.monotonic_ms())

    def turn(self, taken: Sequence[int], producer: Producer) -> None:
        """``taken`` were taken over since the last turn."""
        self._taken.update(taken)
        if self.wait_ms == 0:
            greet(sorted(self._taken), producer, self._around)
            self._taken.clear()
            self._next_ms = self._around.clock.monotonic_ms() + EVERY_MS


def greet(partitions: Sequence[int], producer: Producer, around: Surroundings) -> None:
    """Not heard, it is no harm: long polls are renewed in any case."""
    taken = TakenOver(inbox_topic=around.inbox_topic, partitions=tuple(partitions))
    topic = replies_topic(around.options.namespace)
    value, headers = encode(taken), ((REQUEST_ID, EVERYBODY.encode()),)
    for partition in range(around.destinations.partitions(topic)):
        try:
            producer.send(OutRecord(topic, partition, None, value, headers))
        except LogError as error:
            log.info("waiters_not_told", partitions=list(partitions), reason=str(error))
            return

"""What everyone who waits is told when partitions are taken over from an owner that did not say goodbye.

The dead owner's list of waiters is gone, and so are answers that it had not sent. Whoever hears this asks again, so nobody
waits out a long poll. One small record for each partition of the replies topic, and only after an unclean end.
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

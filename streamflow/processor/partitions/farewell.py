"""Partitions that go elsewhere in good order: what the log is told, and those who wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from streamflow.model.answers import RunResult, UpdateOutcome
from streamflow.model.ids import RunId
from streamflow.model.options import Status
from streamflow.observability import get_logger
from streamflow.ports import (
    Fenced,
    LogError,
    OutcomeUnknown,
    Producer,
    StoreCorrupted,
    StoreUnwritable,
)
from streamflow.processor.host.destinations import Destinations
from streamflow.processor.partitions.connections import Connections
from streamflow.processor.state.batch import Batch
from streamflow.processor.state.partition import Partition
from streamflow.processor.state.waiters import parse_key
from streamflow.wire.inbox import reply_record

log = get_logger("processor")


def hand_over(
    numbers: Sequence[int],
    partitions: Mapping[int, Partition],
    commit: Callable[[Batch], None],
    connections: Connections,
    destinations: Destinations,
) -> bool:
    """Says who owns them no more. Nothing is left to drain: between two turns all that was taken is committed.

    With an empty owner in the log, nobody waits for us or fences us. Whether it was ours to say: if not, nothing is.
    """
    ours = True
    batch = Batch()
    for number in numbers:
        batch.part(number).hand_over = True
    try:
        commit(batch)
    except OutcomeUnknown as error:
        connections.doubt()  # the partitions that stay are committed only after it is decided
        log.warning("hand_over_doubtful", partitions=list(numbers), reason=str(error))
    except Fenced as error:
        ours = False
        log.warning("hand_over_failed", partitions=list(numbers), reason=str(error))
    except (LogError, StoreCorrupted, StoreUnwritable) as error:
        log.warning("hand_over_failed", partitions=list(numbers), reason=str(error))
    for number in numbers:
        send_waiters_on(partitions[number], connections.producer, destinations)
    return ours


def send_waiters_on(partition: Partition, producer: Producer, destinations: Destinations) -> None:
    """Tells who waits for results that there is none yet: they ask again at once, and the successor hears it."""
    for key, to in partition.waiters.everyone():
        if destinations.may_reply(to):
            run_id, update_id = parse_key(key)
            running: RunResult | UpdateOutcome
            if update_id:
                running = UpdateOutcome(run_id=RunId(run_id), update_id=update_id, completed=False)
            else:
                running = RunResult(run_id=RunId(run_id), status=Status.RUNNING)
            try:
                producer.send(reply_record(to, running))
            except LogError as error:
                log.info("waiters_not_told", partition=partition.number, reason=str(error))
                break
        partition.waiters.forget(key)

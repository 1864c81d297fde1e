"""What those who wait are told when their partition goes elsewhere."""

from __future__ import annotations

from streamflow.model.answers import RunResult, UpdateOutcome
from streamflow.model.ids import RunId
from streamflow.model.options import Status
from streamflow.observability import get_logger
from streamflow.ports import LogError, Producer
from streamflow.processor.host.destinations import Destinations
from streamflow.processor.state.partition import Partition
from streamflow.processor.state.waiters import parse_key
from streamflow.wire.inbox import reply_record

log = get_logger("processor")


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

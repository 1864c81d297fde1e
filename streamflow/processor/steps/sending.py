"""Commands that runs of this queue send to workflows of this queue and others: records of the same transaction.

Each names its message after the run and the event that it comes from, so that a copy is known as one wherever it arrives.
"""

from __future__ import annotations

from streamflow.model.commands import Command, Envelope, ReplyTo
from streamflow.model.ids import MessageId
from streamflow.observability import get_logger
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.state.batch import Batch
from streamflow.topology import partition_for
from streamflow.wire.inbox import to_inbox

log = get_logger("processor")


def message_of(run_id: str, seq: int, number: int) -> MessageId:
    """Names the n-th message that an event of a run sends."""
    return MessageId(f"{run_id}/{seq}/{number}")


def send_command(
    batch: Batch,
    around: Surroundings,
    queue: str,
    command: Command,
    message_id: MessageId,
    *,
    reply_to: ReplyTo | None = None,
) -> bool:
    """Puts the command into the queue's inbox. False where there is no such queue (any more): then nobody can be told."""
    queues = around.destinations.workflow_queues
    if queue not in queues:
        around.destinations.look_for(queues.topic(queue))
    if queue not in queues:
        around.counters.undeliverable += 1
        log.warning(
            "command_undeliverable",
            queue=queue,
            workflow_id=command.workflow_id,
            command=type(command).__name__,
        )
        return False
    partition = partition_for(command.workflow_id, queues[queue])
    envelope = Envelope(message_id=message_id, reply_to=reply_to)
    batch.append(to_inbox(queues.topic(queue), partition, command, envelope))
    return True

"""Where what a step asks for would go: queues that nobody heard of are looked for, and one that takes nothing of us is named
before anything is recorded."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from streamflow.engine.state import Run
from streamflow.model.intents import (
    CancelRun,
    CompleteRun,
    ContinueAsNew,
    FailRun,
    Intent,
    ScheduleActivity,
)
from streamflow.model.relations import CancelExternal, SignalExternal, StartChild
from streamflow.ports import Unavailable
from streamflow.processor.host.destinations import QueueTopics
from streamflow.processor.host.surroundings import Surroundings


class NotGrantedThere(Exception):
    """The step wants to send to a queue whose inbox this processor may not write."""


def look_up(run: Run, intents: Iterable[Intent], around: Surroundings) -> None:
    """Looks for queues that the processor does not know: they may have been made a moment ago.

    Raises:
        NotGrantedThere: a queue's inbox lately took nothing, as a grant is missing. (An activity waits instead, with a hint.)
    """
    for queues, queue in _named(run, intents, around):
        topic = queues.topic(queue)
        if queues is around.destinations.workflow_queues and around.destinations.withholds(topic):
            raise NotGrantedThere(
                f"Expected to write topic {topic}, found that the log takes nothing of this processor. "
                f"Grant it Write on topic {topic}: `streamflow topology acls --role processor --queue "
                f"{around.options.queue} --reaches {queue}` prints how"
            )
        if queue not in queues:
            # Without an answer an activity waits, with a hint, and its queue is looked for again later.
            with contextlib.suppress(Unavailable):
                around.destinations.look_for(topic)


def _named(
    run: Run, intents: Iterable[Intent], around: Surroundings
) -> Iterator[tuple[QueueTopics, str]]:
    """The queues that are named, each beside the topics of the kind that is meant."""
    inboxes = around.destinations.workflow_queues
    for intent in intents:
        match intent:
            case ScheduleActivity(queue=queue) if queue:
                yield around.destinations.activity_queues, queue
            case StartChild(queue=queue) if queue:
                yield inboxes, queue
            case SignalExternal(target=target) | CancelExternal(target=target) if target.queue:
                yield inboxes, target.queue
            case ContinueAsNew(queue=queue) if queue:
                yield inboxes, queue
            case CompleteRun() | FailRun() | CancelRun() if run.start.parent is not None:
                yield inboxes, run.start.parent.queue
            case _:
                pass

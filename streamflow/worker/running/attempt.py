"""One attempt on its way through a worker: waiting, running, ended. Handed from the poll thread to the event loop.

made --claim--> running --ended--> reported
  '--withdraw--> (its partition was taken away before it began: someone else makes it)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from streamflow.activity.cancellation import Cancellation
from streamflow.converter import DataConverter
from streamflow.model.commands import ActivityOutcome
from streamflow.model.failure import Failure
from streamflow.model.payload import Payload, Payloads
from streamflow.model.tasks import ActivityTask
from streamflow.worker.capacity.tuning import SlotPermit
from streamflow.worker.running.beating import Beats


class Outcome(NamedTuple):
    """How an attempt ended."""

    kind: ActivityOutcome
    result: Payload | None = None
    failure: Failure | None = None
    later: bool = False
    """Nothing is reported: someone else will complete the activity."""


Ended = Callable[["Attempt", Outcome], None]
Heartbeat = Callable[["Attempt", Payloads], None]


class Attempt:
    """Mutable; owned by the event loop from `claim` on. Its cancellation may be asked for from any thread."""

    __slots__ = (
        "_permit",
        "beat_timer",
        "beaten_s",
        "beats",
        "cancellation",
        "converter",
        "earlier",
        "ended",
        "heartbeat",
        "in_code",
        "is_local",
        "last_details",
        "loop_task",
        "must_run",
        "outcome",
        "slot",
        "started_ms",
        "task",
        "timer",
    )

    def __init__(
        self,
        task: ActivityTask,
        *,
        ended: Ended,
        heartbeat: Heartbeat | None = None,
        is_local: bool = False,
        must_run: bool = False,
        earlier: int = 0,
    ) -> None:
        self.task = task
        self.earlier = earlier
        """How often the task was begun before without an end: its code is told of a later attempt by so many."""
        self.ended = ended
        """Called once, on the event loop."""
        self.heartbeat = heartbeat
        """Called from the attempt's task or thread, or, with a codec, from the event loop."""
        self.beats: Beats | None = None
        """Heartbeats that a codec has yet to encode."""
        self.converter = DataConverter.default
        """The worker's, for values of this activity; set when the attempt begins."""
        self.is_local = is_local
        self.must_run = must_run
        """Whether nobody else will be given the task, so that a worker that shuts down still makes it."""
        self.cancellation = Cancellation()
        self.last_details = task.heartbeat_details
        """What the attempt before had reported; as stored until it begins, then as the converter made them."""
        self.started_ms = 0
        self.in_code = False
        """Whether user code is being run, so that cancelling its task strikes there and nowhere else."""
        self.outcome: Outcome | None = None
        self.slot: SlotPermit | None = None
        """Taken for it, until it has ended."""
        self.loop_task: asyncio.Task[None] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.beat_timer: asyncio.TimerHandle | None = None
        self.beaten_s = 0.0
        """When the code last said that it lives, by the loop's clock."""
        # Taking a list's last element is one step for every thread: who has it decides what becomes of the attempt.
        self._permit = [True]

    def claim(self) -> bool:
        """Whether the caller may begin it, or withdraw it; true once."""
        try:
            return self._permit.pop()
        except IndexError:
            return False

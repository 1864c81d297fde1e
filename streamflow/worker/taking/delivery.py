"""What the poll thread knows of each task that it was given, and of each partition that gave it."""

from __future__ import annotations

from enum import Enum, auto

from streamflow.model.commands import TaskRef
from streamflow.model.payload import Payloads
from streamflow.model.tasks import ActivityTask
from streamflow.ports import Committed, TopicPartition
from streamflow.worker.running.attempt import Attempt
from streamflow.worker.taking.window import Window


class Stage(Enum):
    """Where a task is on its way.

    confirming --still pending--> announcing (maximum_attempts=1 only) --acknowledged--> handed --ended--> reported
    """

    CONFIRMING = auto()
    """Redelivered, or not known to be wanted for a while: its owner is asked whether it still is."""
    WAITING = auto()
    """May be made once only, and there is no slot for it yet: its time does not run before it begins."""
    ANNOUNCING = auto()
    """Its start must be known to its owner, and its offset committed, before it may begin."""
    HANDED = auto()
    """With the executor."""
    REPORTED = auto()
    """Ended; its report is on its way."""


class Partition:
    """One assigned partition, until it is taken away."""

    def __init__(
        self, name: TopicPartition, offset: int, metadata: str, redelivered_below: int
    ) -> None:
        self.name = name
        self.window = Window(offset, metadata)
        self.redelivered_below = redelivered_below
        """The end at the assignment: an earlier owner may have begun, or finished, what is below."""
        self.committed: Committed | None = Committed(offset, metadata)
        """``None`` after a commit that failed: the log may have taken it all the same."""
        self.owned = True

    def due_commit(self) -> Committed | None:
        """What to commit now, if it is not what is committed."""
        due = Committed(*self.window.commit())
        return None if due == self.committed else due


class Delivery:
    """One task from its delivery until its report is durable. Owned by the poll thread, heartbeats excepted."""

    __slots__ = (
        "announced",
        "ask_again_ms",
        "ask_apart_ms",
        "attempt",
        "earlier",
        "heartbeat_sent_ms",
        "lag_ms",
        "offset",
        "partition",
        "stage",
        "sure_until_ms",
        "taken",
        "task",
        "unanswered",
        "unsent_heartbeat",
    )

    def __init__(
        self, partition: Partition, offset: int, task: ActivityTask, sure_until_ms: int
    ) -> None:
        self.partition = partition
        self.offset = offset
        self.task = task
        self.earlier = partition.window.times_begun(offset)
        """How often this very task is known to have been begun before, here or by a worker that is gone."""
        self.stage = Stage.CONFIRMING
        self.attempt: Attempt | None = None
        self.sure_until_ms = sure_until_ms
        """Until when it may go to the executor without another question to its owner."""
        self.lag_ms = 0
        """How old the last answer about it was when it came."""
        self.ask_again_ms = 0
        """When its owner is asked about it again, if it has not answered by then."""
        self.ask_apart_ms = 0
        """How long it is given for its answer this time."""
        self.unanswered = False
        """Whether its owner has been silent for so long that it takes no room from the tasks of others."""
        self.announced = False
        """Whether its start was sent to its owner."""
        self.taken = False
        """Whether its start is durable, so that its timeouts watch over it without a redelivery."""
        self.heartbeat_sent_ms: int | None = None
        self.unsent_heartbeat: Payloads | None = None

    @property
    def redelivered(self) -> bool:
        """Whether an earlier owner of its partition may have begun it."""
        return self.offset < self.partition.redelivered_below

    @property
    def ref(self) -> TaskRef:
        task = self.task
        return TaskRef(run_id=task.run_id, op=task.op, attempt=task.attempt, token=task.token)

    def is_wanted(self, at_ms: int, now_ms: int, sure_for_ms: int) -> None:
        """Its owner said so at that time. An answer that is as late as the one before is as good as a new one: none comes sooner."""
        lag_ms = now_ms - at_ms
        late_ms = min(2 * self.lag_ms, lag_ms + sure_for_ms)
        self.sure_until_ms = at_ms + max(sure_for_ms, late_ms)
        self.lag_ms = lag_ms
        self.ask_apart_ms = 0

    @property
    def started_ms(self) -> int:
        """0 if its code has not begun."""
        return self.attempt.started_ms if self.attempt else 0

    @property
    def runs(self) -> bool:
        attempt = self.attempt
        return attempt is not None and attempt.started_ms > 0 and attempt.outcome is None

"""Tasks: around each of our activations a scheduled, a started and a completed one.

    ours      1 started     2 activated(1)      3 activity scheduled  4 activity completed    5 activated(4) ...
    told      1 started  2 task scheduled  3 task started  4 task completed  5 activity scheduled  6 activity started
              7 activity completed  8 task scheduled  9 task started  10 task completed ...

A task is scheduled by the first input that waits for it; an activation starts and completes it. Local activities end within
the task that asked for them: until the code has gone on with their results, other inputs are held back, and the
activation that only takes such results is no task of its own.
"""

from __future__ import annotations

from streamflow.api.enums.v1 import EventType, VersioningBehavior, WorkflowTaskFailedCause
from streamflow.api.failure.v1 import Failure
from streamflow.api.history.telling import inputs
from streamflow.api.history.telling.ledger import Ledger
from streamflow.api.history.telling.outcomes import local_ended
from streamflow.api.history.telling.values import fill_duration, fill_failure, fill_queue
from streamflow.model import events as facts
from streamflow.model.answers import Trouble
from streamflow.model.control import PAUSED
from streamflow.model.events import Input, Recorded
from streamflow.model.ids import Op, Seq

_DEFAULT_TASK_MS = 10_000
_NONDETERMINISM = "nondeterminism"


class Steps:
    """Which task is scheduled, and which inputs wait to be told."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._scheduled_id = 0
        """Of the task that has not been completed; 0 without one."""
        self._not_before_ms = 0
        self._updates: list[Recorded] = []
        """Accepted just before the activation that begins their handlers: told after it."""
        self._held: list[Recorded] = []
        self._local: dict[Op, tuple[facts.ActivityScheduled, int]] = {}
        """Local activities that have not ended, each with its number among all activities."""
        self._ended_locally: set[Seq] = set()
        """Events that ended such ones, until the code has gone on with them."""
        self._trouble_since: tuple[str, int] = ("", 0)

    def take_input(self, recorded: Recorded, event: Input) -> None:
        match event:
            case facts.UpdateAccepted():
                self._updates.append(recorded)
            case facts.ActivityCompleted() | facts.ActivityFailed() | facts.ActivityCanceled() if (
                event.op in self._local
            ):
                scheduled, number = self._local.pop(event.op)
                self._ended_locally.add(recorded.seq)
                local_ended(self._ledger, recorded, event, scheduled, number)
            case _ if self._local or self._ended_locally:
                self._held.append(recorded)
            case _:
                self._tell(recorded, event)

    def begin_locally(self, recorded: Recorded, event: facts.ActivityScheduled) -> None:
        """Nothing tells of a local activity before its end."""
        self._local[event.op] = event, self._ledger.next_activity()
        self._ledger.leave_unsaid(recorded)

    def activate(self, recorded: Recorded, event: facts.Activated) -> None:
        taken, updates = set(event.inputs), self._updates
        ended, self._ended_locally = self._ended_locally & taken, self._ended_locally - taken
        if ended == taken and ended:
            self._ledger.leave_unsaid(recorded)
            return
        self.release()
        self._schedule(event.now_ms)
        started_id = self._start(event.now_ms)
        self._complete(recorded, event, started_id)
        self._updates = []
        for update in updates:
            assert isinstance(update.event, facts.UpdateAccepted)
            inputs.update_accepted(self._ledger, update, update.event, self._scheduled_id)
        self._scheduled_id = 0

    def release(self) -> None:
        """Tells the inputs that were held back."""
        held, self._held = self._held, []
        for recorded in held:
            event = recorded.event
            assert isinstance(event, Input)
            self._tell(recorded, event)

    def fail(self, trouble: Trouble) -> None:
        """The run is stuck: its task has failed, and is told of once however often it is tried."""
        since = (trouble.kind, trouble.since_ms)
        if since == self._trouble_since:
            return
        self._trouble_since = since
        self.release()
        if trouble.kind == PAUSED:
            paused = self._ledger.add(
                EventType.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED, trouble.since_ms
            )
            paused.workflow_execution_paused_event_attributes.reason = trouble.message
            return
        self._schedule(trouble.since_ms)
        started_id = self._start(trouble.since_ms)
        event = self._ledger.add(EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED, trouble.since_ms)
        failed = event.workflow_task_failed_event_attributes
        failed.scheduled_event_id, failed.started_event_id = self._scheduled_id, started_id
        failed.cause = (
            WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
            if trouble.kind == _NONDETERMINISM
            else WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
        )
        if trouble.failure is None:
            failed.failure.CopyFrom(Failure(message=trouble.message))
        else:
            fill_failure(failed.failure, trouble.failure)
        self._scheduled_id = 0

    def waiting(self) -> list[Recorded]:
        """What is not told yet."""
        return [*self._held, *self._updates]

    # -- tasks --------------------------------------------------------------------------------------------------

    def _tell(self, recorded: Recorded, event: Input) -> None:
        if isinstance(event, facts.WorkflowStarted):
            self._not_before_ms = event.not_before_ms
        inputs.tell(self._ledger, recorded, event)
        if recorded.time_ms >= self._not_before_ms:
            self._schedule(recorded.time_ms)

    def _schedule(self, time_ms: int) -> None:
        if self._scheduled_id:
            return
        event = self._ledger.add(EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, time_ms)
        attributes = event.workflow_task_scheduled_event_attributes
        fill_queue(attributes.task_queue, self._ledger.queue)
        limit_ms = self._ledger.task_timeout_ms or _DEFAULT_TASK_MS
        fill_duration(attributes.start_to_close_timeout, limit_ms)
        attributes.attempt = 1
        self._scheduled_id = event.event_id

    def _start(self, time_ms: int) -> int:
        event = self._ledger.add(EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED, time_ms)
        attributes = event.workflow_task_started_event_attributes
        attributes.scheduled_event_id = self._scheduled_id
        return event.event_id

    def _complete(self, recorded: Recorded, event: facts.Activated, started_id: int) -> None:
        told = self._ledger.add(
            EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
            recorded.time_ms,
            recorded,
            *self._updates,
        )
        attributes = told.workflow_task_completed_event_attributes
        attributes.scheduled_event_id = self._scheduled_id
        attributes.started_event_id = started_id
        if event.build_id:
            attributes.worker_version.build_id = event.build_id
        if event.deployment:
            attributes.worker_deployment_name = event.deployment
            attributes.worker_deployment_version = f"{event.deployment}.{event.build_id}"
            attributes.deployment_version.deployment_name = event.deployment
            attributes.deployment_version.build_id = event.build_id
            attributes.versioning_behavior = (
                VersioningBehavior.VERSIONING_BEHAVIOR_PINNED
                if event.pinned
                else VersioningBehavior.VERSIONING_BEHAVIOR_AUTO_UPGRADE
            )
        self._ledger.completed_id = told.event_id

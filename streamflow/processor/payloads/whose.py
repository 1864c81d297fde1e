"""Whose the payloads of an event or an intent are: what a payload codec and an external storage that ask for it are told."""

from __future__ import annotations

from dataclasses import dataclass

from streamflow.converter import StorageDriverWorkflowInfo
from streamflow.converter.serialization_context import (
    ActivitySerializationContext,
    SerializationContext,
    WorkflowSerializationContext,
)
from streamflow.coroutine.facts import RunFacts
from streamflow.model.events import (
    ActivityCanceled,
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
)
from streamflow.model.ids import Op
from streamflow.model.intents import CompleteRun, FailRun, ScheduleActivity
from streamflow.model.relations import (
    CancelExternal,
    ChildClosed,
    ChildInitiated,
    ExternalAnswered,
    ExternalCancelSent,
    ExternalSignalSent,
    SignalExternal,
    StartChild,
)
from streamflow.schedules.facts import SCHEDULES_QUEUE


@dataclass(frozen=True, slots=True)
class Owner:
    """What a codec is told, and what a storage driver is told: of what an activity takes and gives, that its run keeps it."""

    context: SerializationContext
    target: StorageDriverWorkflowInfo


def owner_of_run(namespace: str, workflow_id: str, run_id: str, workflow_type: str) -> Owner:
    return Owner(
        WorkflowSerializationContext(namespace, workflow_id),
        StorageDriverWorkflowInfo(
            namespace=namespace, id=workflow_id, run_id=run_id, type=workflow_type
        ),
    )


class Whose:
    """For one run. It has to see the begin of each activity and child, to know whose the end is."""

    def __init__(self, facts: RunFacts) -> None:
        self._facts = facts
        self.workflow = owner_of_run(
            facts.namespace, facts.workflow_id, facts.run_id, facts.started.workflow_type
        )
        self._ending = self._of_ending()
        self._of: dict[Op, Owner] = {}

    def of(self, value: object) -> Owner:
        """The owner of an event's or an intent's payloads."""
        match value:
            case ScheduleActivity() | ActivityScheduled():
                owner = self._of[value.op] = self._activity(value)
                return owner
            case ActivityCompleted() | ActivityFailed() | ActivityCanceled():
                # Kept: after a replay an end that still waits for its step is asked for a second time.
                return self._of.get(value.op, self.workflow)
            case StartChild():
                return self._begun(value.op, value.workflow_id, None, value.workflow_type)
            case ChildInitiated():
                return self._begun(value.op, value.child_workflow_id, None, value.workflow_type)
            case SignalExternal() | CancelExternal() | ExternalSignalSent() | ExternalCancelSent():
                target = value.target
                return self._begun(value.op, target.workflow_id, target.run_id, None)
            case ChildClosed() | ExternalAnswered():
                return self._of.get(value.op, self.workflow)
            case CompleteRun() | FailRun():
                return self._ending
            case _:
                return self.workflow

    def _of_ending(self) -> Owner:
        """What a child ends with is read by its parent, and kept for it."""
        parent = self._facts.started.parent
        if parent is None or parent.queue == SCHEDULES_QUEUE:
            return self.workflow
        target = StorageDriverWorkflowInfo(
            namespace=parent.namespace, id=parent.workflow_id, run_id=parent.run_id
        )
        return Owner(self.workflow.context, target)

    def _begun(
        self, op: Op, workflow_id: str, run_id: str | None, workflow_type: str | None
    ) -> Owner:
        """Of a child, or of a workflow that is sent a message."""
        namespace = self._facts.namespace
        owner = self._of[op] = Owner(
            WorkflowSerializationContext(namespace, workflow_id),
            StorageDriverWorkflowInfo(
                namespace=namespace, id=workflow_id, run_id=run_id, type=workflow_type
            ),
        )
        return owner

    def _activity(self, begun: ScheduleActivity | ActivityScheduled) -> Owner:
        facts = self._facts
        context = ActivitySerializationContext(
            namespace=facts.namespace,
            activity_id=begun.activity_id,
            activity_type=begun.activity_type,
            activity_task_queue=begun.queue or facts.queue,
            workflow_id=facts.workflow_id,
            workflow_type=facts.started.workflow_type,
            is_local=begun.local,
        )
        return Owner(context, self.workflow.target)

"""Whose the payloads of an event or an intent are: what a payload codec that asks for a context is told."""

from __future__ import annotations

from streamflow.converter.serialization_context import (
    ActivitySerializationContext,
    SerializationContext,
    WorkflowSerializationContext,
)
from streamflow.model.events import (
    ActivityCanceled,
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
)
from streamflow.model.ids import Op
from streamflow.model.intents import ScheduleActivity
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


class Whose:
    """For one run. It has to see the begin of each activity and child, to know whose the end is."""

    def __init__(self, namespace: str, queue: str, workflow_id: str, workflow_type: str) -> None:
        self.workflow = WorkflowSerializationContext(namespace, workflow_id)
        self._queue = queue
        self._workflow_type = workflow_type
        self._of: dict[Op, SerializationContext] = {}

    def of(self, value: object) -> SerializationContext:
        """The context of an event's or an intent's payloads."""
        match value:
            case ScheduleActivity() | ActivityScheduled():
                context = self._of[value.op] = self._activity(value)
                return context
            case ActivityCompleted() | ActivityFailed() | ActivityCanceled():
                # Kept: after a replay an end that still waits for its step is asked for a second time.
                return self._of.get(value.op, self.workflow)
            case StartChild():
                return self._begun(value.op, value.workflow_id)
            case ChildInitiated():
                return self._begun(value.op, value.child_workflow_id)
            case SignalExternal() | CancelExternal() | ExternalSignalSent() | ExternalCancelSent():
                return self._begun(value.op, value.target.workflow_id)
            case ChildClosed() | ExternalAnswered():
                return self._of.get(value.op, self.workflow)
            case _:
                return self.workflow

    def _begun(self, op: Op, workflow_id: str) -> SerializationContext:
        """Of a child, or of a workflow that is sent a message."""
        context = WorkflowSerializationContext(self.workflow.namespace, workflow_id)
        self._of[op] = context
        return context

    def _activity(self, begun: ScheduleActivity | ActivityScheduled) -> SerializationContext:
        return ActivitySerializationContext(
            namespace=self.workflow.namespace,
            activity_id=begun.activity_id,
            activity_type=begun.activity_type,
            activity_task_queue=begun.queue or self._queue,
            workflow_id=self.workflow.workflow_id,
            workflow_type=self._workflow_type,
            is_local=begun.local,
        )

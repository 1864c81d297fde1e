"""What has been told of a run so far: the number of the next event, and the numbers that later events refer to."""

from __future__ import annotations

from dataclasses import dataclass

from streamflow.api.enums.v1 import EventType
from streamflow.api.history.telling.values import json_payload
from streamflow.api.history.v1 import HistoryEvent
from streamflow.model.events import ActivityScheduled, Recorded, TimerStarted
from streamflow.model.ids import Op
from streamflow.model.relations import ChildInitiated, ExternalCancelSent, ExternalSignalSent

Beginning = (
    ActivityScheduled | TimerStarted | ChildInitiated | ExternalSignalSent | ExternalCancelSent
)


@dataclass(slots=True)
class Begun:
    """An operation that has not ended: by which event it began, and what happened to it since."""

    fact: Beginning
    event_id: int
    name: str = ""
    """A timer's or an activity's ID."""
    started_id: int = 0
    run_id: str = ""
    """A child's."""
    cancel_id: int = 0
    """Of the event that asked for its cancellation."""


class Ledger:
    """Events are added to it in their order; `take` hands them out."""

    def __init__(self, workflow_id: str, run_id: str, namespace: str = "") -> None:
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.namespace = namespace
        self.queue = ""
        self.task_timeout_ms = 0
        self.begun: dict[Op, Begun] = {}
        self.accepted: dict[str, int] = {}
        """The event that accepted an update, by the update's ID; until the update is complete."""
        self._timers = 0
        self._activities = 0
        self.completed_id = 0
        """Of the last task that was completed: of its commands the events that follow are."""
        self._next_id = 1
        self._told: list[HistoryEvent] = []
        self.unsaid: list[Recorded] = []
        """What the next event stands for as well, having none of its own."""

    def add(
        self,
        event_type: EventType,
        time_ms: int,
        recorded: Recorded | None = None,
        *also: Recorded,
    ) -> HistoryEvent:
        """The next event, with the attributes of its type there, but nothing set in them."""
        event = HistoryEvent(event_id=self._next_id, event_type=event_type)
        event.event_time.FromMilliseconds(time_ms)
        name = f"{event_type.name.removeprefix('EVENT_TYPE_').lower()}_event_attributes"
        getattr(event, name).SetInParent()
        if recorded is not None:
            event.recorded = recorded
            event.sources = (*self.unsaid, *also, recorded)
            self.unsaid.clear()
        self._next_id += 1
        self._told.append(event)
        return event

    def tell(self, event_type: EventType, recorded: Recorded) -> HistoryEvent:
        """The event that one of ours is."""
        return self.add(event_type, recorded.time_ms, recorded)

    def leave_unsaid(self, recorded: Recorded) -> None:
        """It has no event of its own; the next event stands for it as well."""
        self.unsaid.append(recorded)

    def take(self) -> list[HistoryEvent]:
        told, self._told = self._told, []
        return told

    def next_timer(self) -> str:
        self._timers += 1
        return str(self._timers)

    def next_activity(self) -> int:
        self._activities += 1
        return self._activities


def say(event: HistoryEvent, summary: str, details: str = "") -> None:
    """For people, where something was said."""
    if summary:
        event.user_metadata.summary.CopyFrom(json_payload(summary))
    if details:
        event.user_metadata.details.CopyFrom(json_payload(details))

"""Tells our history in the events that ported code knows. Pure: the same events of ours give the same events, with the
same numbers, from 1 without a gap.

`inputs` and `children` tell what a run learns, `outcomes` what its code asked for, `closing` how it ended, and `steps` the tasks
around our activations. The way back, from a file that another engine's tools wrote, is `streamflow.client.temporal_json`.
"""

from __future__ import annotations

from collections.abc import Iterator

from streamflow.api.history.telling import closing, outcomes
from streamflow.api.history.telling.closing import CLOSINGS
from streamflow.api.history.telling.ledger import Ledger
from streamflow.api.history.telling.steps import Steps
from streamflow.api.history.v1 import HistoryEvent
from streamflow.model import events as facts
from streamflow.model.answers import Trouble
from streamflow.model.events import History, Input, Recorded

__all__ = ["CLOSINGS", "Telling", "told"]


class Telling:
    """Takes a run's events from the first, in their order."""

    def __init__(self, workflow_id: str, run_id: str, namespace: str = "") -> None:
        self._ledger = Ledger(workflow_id, run_id, namespace)
        self._steps = Steps(self._ledger)

    def tell(self, recorded: Recorded) -> list[HistoryEvent]:
        """What this event adds. An event that another one has to precede may be held back until it has come."""
        event = recorded.event
        if isinstance(event, facts.Activated):
            self._steps.activate(recorded, event)
        elif isinstance(event, facts.ActivityScheduled) and event.local:
            self._steps.begin_locally(recorded, event)
        elif isinstance(event, facts.WorkflowTerminated | facts.WorkflowTimedOut):
            self._steps.release()
            closing.tell(self._ledger, recorded, event)
        elif isinstance(event, Input):
            self._steps.take_input(recorded, event)
        else:
            outcomes.tell(self._ledger, recorded, event)
        return self._ledger.take()

    def untold(self) -> tuple[Recorded, ...]:
        """What was taken and is part of no event yet."""
        return (*self._ledger.unsaid, *self._steps.waiting())

    def tell_trouble(self, trouble: Trouble) -> list[HistoryEvent]:
        """What is added for a run that is stuck, or paused. Our history has nothing of that, so it is gone when that is over."""
        self._steps.fail(trouble)
        return self._ledger.take()


def told(history: History, namespace: str = "") -> Iterator[HistoryEvent]:
    telling = Telling(history.workflow_id, history.run_id, namespace)
    for recorded in history.events:
        yield from telling.tell(recorded)

"""What a run that is reset has begun with other workflows, and what of it the new run goes on with.

child or message    begun before the step that is made anew     the new run's: what others said of it since then is said to
                                                                the new run, and what they will say goes there
                    begun in that step or later                 the old run's: its children go the way of their parent
                                                                close policy, and the code begins them anew
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from streamflow.engine.apply import apply
from streamflow.engine.context import Context
from streamflow.engine.state import Run
from streamflow.model.events import Event, Recorded
from streamflow.model.ids import Op, Seq
from streamflow.model.relations import (
    ChildCancelDelivered,
    ChildClosed,
    ChildStarted,
    ChildStartFailed,
    ExternalAnswered,
)

_ENDS = (ChildClosed, ChildStartFailed, ExternalAnswered)


@dataclass(slots=True)
class Adopted:
    """Of one reset."""

    children: set[Op] = field(default_factory=set[Op])
    messages: set[Op] = field(default_factory=set[Op])
    heard: dict[Seq, Event] = field(default_factory=dict[Seq, Event])
    """What the old run has heard of them after the copy, by its number there."""

    @property
    def unheard(self) -> set[Op]:
        """Those whose outcome the old run does not know."""
        return (self.children | self.messages) - {
            event.op for event in self.heard.values() if isinstance(event, _ENDS)
        }

    def named(self) -> str:
        kinds = {
            "child workflows": self.children & self.unheard,
            "messages to other workflows": self.messages & self.unheard,
        }
        return " and ".join(kind for kind, ops in kinds.items() if ops)

    def leave(self, run: Run) -> None:
        """The old run, which is about to be ended, has them no more: no parent close policy is carried out on them.

        Not an event: a closed run has no children either, so whoever folds its history comes to the same.
        """
        for op in self.children & run.children.keys():
            del run.children[op]


def adopted(run: Run, events: Sequence[Recorded], length: int, context: Context) -> Adopted:
    """What is under way with others at the end of the copy, which has so many of the run's events."""
    folded = Run(run.workflow_id, run.run_id)
    for recorded in events[:length]:
        apply(folded, recorded, context.limits)
    found = Adopted({*folded.children}, {*folded.messages})
    asked_to_stop = {op for op, child in folded.children.items() if child.cancel_requested}
    for recorded in events[length:]:
        match recorded.event:
            case ChildStarted(op=op) | ChildStartFailed(op=op) | ChildClosed(op=op):
                is_heard = op in found.children
            case ChildCancelDelivered(op=op):
                # Nobody asks the new run's child to stop unless the code does so once more.
                is_heard = op in asked_to_stop
            case ExternalAnswered(op=op):
                is_heard = op in found.messages
            case _:
                is_heard = False
        if is_heard:
            found.heard[recorded.seq] = recorded.event
    return found

"""The history that is travelled in: a beginning of it, which may be read on as further steps are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from streamflow.coroutine.replay import RecordedStep, recorded_steps
from streamflow.model.events import Closed, History, Input, Recorded, WorkflowStarted
from streamflow.wire.events import encode_event


class Log:
    """Events of one run from the first on, and the steps that they make. Steps count from 1."""

    def __init__(self, workflow_id: str, run_id: str, events: Sequence[Recorded] = ()) -> None:
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.events: list[Recorded] = []
        self.steps: list[RecordedStep] = []
        self._bytes_before: list[int] = [0]
        self.extend(events)

    @staticmethod
    def of(history: History) -> Log:
        return Log(history.workflow_id, history.run_id, history.events)

    @property
    def started(self) -> WorkflowStarted:
        """The first event. Raises ValueError unless it is a start."""
        first = self.events[0].event if self.events else None
        if not isinstance(first, WorkflowStarted):
            raise ValueError(
                f"Expected the history of workflow {self.workflow_id!r} to begin with its start, found {first}"
            )
        return first

    @property
    def last_seq(self) -> int:
        return len(self.events)

    def extend(self, events: Sequence[Recorded]) -> None:
        """The events that follow those which are here. Those that are here already are passed over."""
        missing = [recorded for recorded in events if recorded.seq > len(self.events)]
        if not missing:
            return
        assert missing[0].seq == len(self.events) + 1, (missing[0].seq, len(self.events))
        self.events += missing
        self.steps = [*recorded_steps(self.events)]

    def events_of(self, number: int) -> Sequence[Recorded]:
        """What belongs to a step: the inputs that it consumed, and what was recorded with it, in their order."""
        step = self.steps[number - 1]
        own = [step.activated, *step.outcomes]
        return sorted([*step.inputs, *own], key=lambda recorded: recorded.seq)

    def events_after(self, number: int) -> Sequence[Recorded]:
        """What came after a step and is of no later one: what waits for the code, or an end that it had no part in."""
        if number < len(self.steps):
            return ()
        taken = {
            recorded.seq
            for step in self.steps
            for recorded in (step.activated, *step.inputs, *step.outcomes)
        }
        return [recorded for recorded in self.events if recorded.seq not in taken]

    def waiting(self) -> Sequence[Recorded]:
        """Inputs that no step has consumed, as far as the log was read; none of a run that has ended."""
        after = self.events_after(len(self.steps))
        if any(isinstance(recorded.event, Closed) for recorded in self.events[-2:]):
            return ()
        return [recorded for recorded in after if isinstance(recorded.event, Input)]

    def bytes_before(self, position: int) -> int:
        """The size of the history before an event, counted from 0, as the code may ask for it."""
        sizes = self._bytes_before
        for recorded in self.events[len(sizes) - 1 : position]:
            sizes.append(sizes[-1] + self._size(recorded))
        return sizes[position]

    def _size(self, recorded: Recorded) -> int:
        return len(
            encode_event(
                self.workflow_id,
                self.run_id,
                recorded.seq,
                recorded.step,
                recorded.time_ms,
                recorded.event,
            )
        )

"""The events read so far of a history of Temporal's, and how the numbers in it are to be read.

It knows when a step begins and ends; what each event means, `commands` and `inputs` know.
"""

from __future__ import annotations

from streamflow.client.temporal_json.values import Table
from streamflow.coroutine.flags import Flag
from streamflow.model import events as facts
from streamflow.model.events import Event, Recorded
from streamflow.model.ids import Op, Seq


class Tape:
    """What has been read so far."""

    def __init__(self) -> None:
        self.recorded: list[Recorded] = []
        self.workflow_id = ""
        self.run_id = ""
        self.time_ms = 0
        """When the event that is being read happened."""
        self.task_ms = 0
        """When the task that was started last began."""
        self.commands: list[Event] | None = None
        """Outcomes of the task that was completed last, until they end; ``None`` outside."""
        self.accepted: list[facts.UpdateAccepted] = []
        self.ops: dict[int, Op] = {}
        """By the numbers of the events that began or steer them."""
        self.activities = 0
        self.updates: dict[int, str] = {}
        self._step = 0
        self._begun = 0
        self._waiting: list[Seq] = []
        """Inputs that no task has taken yet."""
        self._taken = 0
        """How many of them the task that was started last takes."""

    def begin_task(self) -> None:
        """Its inputs are what has come before."""
        self._taken = len(self._waiting)
        self.task_ms = self.time_ms

    def end_step(self) -> None:
        """Records the task that was completed last: its inputs' activation, and what it asked for."""
        commands, self.commands = self.commands, None
        if commands is not None:
            self._activate(commands)

    def split_step(self, event: Event) -> None:
        """Ends the step within its task, as the code goes on with this input in another."""
        assert self.commands is not None
        self._activate(self.commands)
        self._waiting.insert(0, self._record(event))
        self._taken = 1
        self.commands = []

    def input(self, event: Event | None) -> None:
        if event is None:
            return
        seq = self._record(event)
        if not isinstance(event, facts.WorkflowTerminated | facts.WorkflowTimedOut):
            self._waiting.append(seq)

    def outcome(self, event: Event) -> None:
        assert self.commands is not None
        self.commands.append(event)

    def begin(self, number: int) -> Op:
        """The number of the operation that the event with this one begins."""
        self._begun += 1
        op = self.ops[number] = Op(self._begun)
        return op

    def op_of(self, attributes: Table, name: str) -> Op:
        """The operation that these attributes name."""
        if not attributes.get(name):
            raise KeyError(name)
        return self.ops[int(attributes[name])]

    def _activate(self, commands: list[Event]) -> None:
        inputs = self._waiting[: self._taken]
        del self._waiting[: self._taken]
        self._taken = 0
        # As here they are recorded just before the activation that begins their handlers.
        inputs += [self._record(update) for update in self.accepted]
        self.accepted = []
        if not inputs and not commands:
            return  # a task that only kept a local activity's workflow alive
        self._step += 1
        # What operations ended with reached the code there after the same turns.
        flags = int(Flag.OUTCOMES_TAKE_TURNS)
        self._record(
            facts.Activated(inputs=tuple(inputs), now_ms=self.task_ms, seed=0, flags=flags)
        )
        for command in commands:
            self._record(command)

    def _record(self, event: Event) -> Seq:
        seq = Seq(len(self.recorded) + 1)
        self.recorded.append(Recorded(seq, self._step, self.time_ms, event))
        return seq

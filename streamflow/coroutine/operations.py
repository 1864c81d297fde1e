"""What a run's code has begun: the machine of each operation, and the intents of the current step, in order.

An operation gets its number when the step ends, so one that is begun and cancelled within a step leaves no trace.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple, Protocol

from streamflow.coroutine.errors import NondeterminismError
from streamflow.coroutine.source import Place, calling_place
from streamflow.model.events import ActivityCanceled, ActivityCompleted, ActivityFailed, TimerFired
from streamflow.model.ids import Op
from streamflow.model.intents import Intent, MarkPatch
from streamflow.model.relations import (
    ChildCancelDelivered,
    ChildClosed,
    ChildStarted,
    ChildStartFailed,
    ExternalAnswered,
)

Resolution = (
    TimerFired
    | ActivityCompleted
    | ActivityFailed
    | ActivityCanceled
    | ChildStarted
    | ChildStartFailed
    | ChildCancelDelivered
    | ChildClosed
    | ExternalAnswered
)
"""Inputs that tell one operation how it went."""


class Machine(Protocol):
    """One operation, from its begin to its resolution. Each kind has its transition table in `machines/`."""

    op: Op
    place: Place | None
    """Where in user code it was begun."""

    @property
    def dropped(self) -> bool:
        """Whether it was cancelled before its intent left."""
        ...

    @property
    def ended(self) -> bool:
        """Whether no further event may come for it."""
        ...

    def intent(self) -> Intent:
        """Asks for the operation; called once, when ``op`` is known."""
        ...

    def cancel_intent(self) -> Intent: ...

    def part(self) -> None:
        """It and what it settles need each other no more, and let go: only the collector would free the two together."""
        ...

    def resolve(self, event: Resolution) -> None:
        """Takes an event of the history in.

        Raises:
            NondeterminismError: this operation cannot be told this now.
        """
        ...


class Statement(NamedTuple):
    """An intent that begins nothing: no event will ever come for it."""

    intent: Intent
    place: Place | None


class Operations:
    """The operations of one run."""

    def __init__(self, refuse_changes: Callable[[], None]) -> None:
        self._refuse_changes = refuse_changes
        self._pending: dict[Op, Machine] = {}
        self._outbox: list[tuple[Machine | Statement, bool]] = []
        self._asks = 0
        """Of the outbox, what counts towards `asked_max`: not statements, for code may leave out a patch's mark some day."""
        self._begun = 0
        self.places: list[Place | None] = []
        """Where each intent of the last step came from, in step with the intents."""
        self.run_cancelled = False
        """Whether the run was asked to cancel."""
        self.closed = False
        """Set with the run's end: what is asked after it is dropped."""
        self.asked_max = sys.maxsize
        """How much one step may ask for before the code has to wait for the next."""
        self.marks_at_once = False
        """Whether marks of patches leave with the step that met them (`Flag.MARKS_AT_ONCE`)."""

    def full(self) -> bool:
        """Whether this step has asked for enough. Never once the run has ended: all that is left of it goes with its end."""
        return self._asks >= self.asked_max and not self.closed

    def begin(self, machine: Machine) -> None:
        self._refuse_changes()
        if not self.closed:
            machine.place = calling_place()
            self._asks += 1
            self._outbox.append((machine, False))

    def state(self, intent: Intent) -> None:
        """Says something of the run that is done with being recorded."""
        self._refuse_changes()
        if not self.closed:
            self._outbox.append((Statement(intent, calling_place()), False))

    def cancel(self, machine: Machine) -> None:
        """Asks for the cancellation of an operation whose intent has left."""
        self._refuse_changes()
        if not self.closed:
            self._asks += 1
            self._outbox.append((machine, True))

    def collect(self) -> list[Intent]:
        """The intents of the step that ends now, numbered; what is too much for it stays for the next, but for marks."""
        self.places = places = list[Place | None]()
        intents: list[Intent] = []
        left = sys.maxsize if self.closed else self.asked_max
        taken = 0
        for machine, cancelling in self._outbox:
            if not left:
                break
            taken += 1
            if isinstance(machine, Statement):
                intents.append(machine.intent)
                places.append(machine.place)
                continue
            left -= 1
            self._asks -= 1
            if cancelling and machine.op not in self._pending:
                continue  # it ended while this waited in a full step's outbox
            if cancelling:
                intents.append(machine.cancel_intent())
            elif machine.dropped:
                continue
            else:
                self._begun += 1
                machine.op = Op(self._begun)
                self._pending[machine.op] = machine
                intents.append(machine.intent())
            places.append(machine.place)
            if machine.ended:
                self._pending.pop(machine.op, None)
        del self._outbox[:taken]
        if self.marks_at_once and self._outbox:
            intents += self._take_marks()
        return intents

    def _take_marks(self) -> list[Intent]:
        """Marks of patches that stand behind what is too much for the step."""
        marks: list[Intent] = []
        waiting = list[tuple[Machine | Statement, bool]]()
        for entry in self._outbox:
            statement = entry[0]
            if isinstance(statement, Statement) and isinstance(statement.intent, MarkPatch):
                marks.append(statement.intent)
                self.places.append(statement.place)
            else:
                waiting.append(entry)
        self._outbox = waiting
        return marks

    def drop(self) -> None:
        """Forgets all: the run is taken down."""
        for machine in self._pending.values():
            machine.part()
        self._pending.clear()
        self._outbox.clear()

    def pending(self) -> list[Machine]:
        """Operations of steps that have ended which may still hear of an event, in their order."""
        return [*self._pending.values()]

    def resolve(self, event: Resolution) -> None:
        machine = self._pending.get(event.op)
        if machine is None:
            raise NondeterminismError(
                f"Expected a pending operation {event.op} for the recorded {type(event).__name__}, found none: the code "
                "has begun other operations than the history tells"
            )
        machine.resolve(event)
        if machine.ended:
            del self._pending[event.op]

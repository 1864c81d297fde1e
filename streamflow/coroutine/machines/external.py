"""A message to another run: a signal, or a request to cancel it. Awaited until its outcome is known.

    CREATED --SENT--> SENT --ANSWERED--> ANSWERED
       |               |
     CANCEL          CANCEL: it is on its way, and its outcome is awaited all the same
       v               v
    DROPPED          SENT

A request to cancel cannot itself be cancelled: then the code stops waiting for it, and it goes on (`ABANDON`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import msgspec

from streamflow.coroutine.loop import WorkflowLoop
from streamflow.coroutine.machines.settling import DIRECT, Settling
from streamflow.coroutine.machines.transitions import misfit, next_state
from streamflow.coroutine.operations import Operations, Resolution
from streamflow.coroutine.ordered import WorkflowFuture
from streamflow.coroutine.source import Place
from streamflow.coroutine.values import Values
from streamflow.exceptions import CancelledError
from streamflow.model.ids import Op
from streamflow.model.intents import Intent
from streamflow.model.payload import Payload, Payloads
from streamflow.model.relations import (
    CancelExternal,
    ExternalAnswered,
    SignalExternal,
    Target,
    TargetStart,
)


class State(IntEnum):
    CREATED = 1
    SENT = 2
    ANSWERED = 3
    DROPPED = 4


class Cue(IntEnum):
    SENT = 1
    ANSWERED = 2
    CANCEL = 3
    ABANDON = 4


TABLE: dict[tuple[State, Cue], State] = {
    (State.CREATED, Cue.SENT): State.SENT,
    (State.CREATED, Cue.CANCEL): State.DROPPED,
    (State.CREATED, Cue.ABANDON): State.CREATED,
    (State.SENT, Cue.ANSWERED): State.ANSWERED,
    (State.SENT, Cue.CANCEL): State.SENT,
    (State.SENT, Cue.ABANDON): State.SENT,
}
_ENDED = frozenset({State.ANSWERED, State.DROPPED})


class SignalRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A signal as the code asked for it."""

    target: Target
    signal_name: str
    args: Payloads = ()
    headers: Mapping[str, Payload] = {}
    start: TargetStart | None = None


class CancelRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request to cancel, as the code asked for it."""

    target: Target
    reason: str = ""


class Delivery(WorkflowFuture[str | None]):
    """Done when the outcome is known, with the run that was begun or met by a start with the signal; raises what kept
    the message from its target.
    """

    __slots__ = ("_machine",)
    _machine: ExternalMachine | None

    def cancel(self, msg: Any | None = None) -> bool:
        """A signal that has not left is called back; one that has is waited for. Of a request, the code lets go."""
        machine = self._machine
        if machine is None:
            return False
        if machine.settling is not None:
            return machine.settling.cancel(msg)
        if machine.cancel():
            return True
        self._machine = None
        return super().cancel(msg)


class ExternalMachine:
    """One message and the future that it settles."""

    __slots__ = (
        "_loop",
        "_operations",
        "_request",
        "_values",
        "delivery",
        "op",
        "place",
        "settling",
        "state",
    )

    def __init__(
        self,
        operations: Operations,
        loop: WorkflowLoop,
        values: Values,
        request: SignalRequest | CancelRequest,
    ) -> None:
        self.op = Op(0)
        self.place: Place | None = None
        self.state = State.CREATED
        self.settling: Settling | None = None
        self._loop = loop
        self._operations = operations
        self._values = values
        self._request = request
        operations.begin(self)
        self.delivery = Delivery(loop=loop, order=loop.next_order())
        self.delivery._machine = self

    @property
    def dropped(self) -> bool:
        return self.state is State.DROPPED

    @property
    def ended(self) -> bool:
        return self.state in _ENDED

    def intent(self) -> SignalExternal | CancelExternal:
        self._step(Cue.SENT)
        request, place = self._request, str(self.place or "")
        if isinstance(request, CancelRequest):
            return CancelExternal(
                op=self.op, target=request.target, reason=request.reason, place=place
            )
        return SignalExternal(
            op=self.op,
            target=request.target,
            signal_name=request.signal_name,
            args=request.args,
            headers=request.headers,
            start=request.start,
            place=place,
        )

    def cancel_intent(self) -> Intent:
        raise AssertionError("A message that has left is not called back")

    def cancel(self) -> bool:
        """Whether the code goes on waiting for the message, or has been told that it was called back."""
        if isinstance(self._request, CancelRequest):
            self._step(Cue.ABANDON)
            return False
        self._step(Cue.CANCEL)
        if self.state is State.DROPPED:
            self._settled().set_exception(CancelledError("Signal was cancelled before being sent"))
        return True

    def resolve(self, event: Resolution) -> None:
        if type(event) is not ExternalAnswered:
            raise misfit(event, self, self.place)
        self._step(Cue.ANSWERED)
        if self.delivery.done():
            return
        error = None if event.failure is None else self._values.from_failure(event.failure)
        if self._loop.outcomes_take_turns and isinstance(self._request, SignalRequest):
            self.settling = Settling(
                self._loop, self.delivery, DIRECT, result=event.target_run_id, error=error
            )
        elif error is not None:
            self._settled().set_exception(error)
        else:
            self._settled().set_result(event.target_run_id)

    def part(self) -> None:
        self.delivery._machine = None

    def _settled(self) -> Delivery:
        self.part()
        return self.delivery

    def _step(self, cue: Cue) -> None:
        self.state = next_state(TABLE, self.state, cue, self, self.place)

    def __str__(self) -> str:
        what = "cancellation" if isinstance(self._request, CancelRequest) else "signal"
        return f"{what} of workflow {self._request.target.workflow_id!r} ({self.op})"

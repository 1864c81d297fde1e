"""An activity, ordinary or local (they differ only in who runs it), and the handle that code awaits.

    CREATED --SENT--> SCHEDULED --COMPLETED, FAILED, CANCELED--> RESOLVED
       |                |   |  |
     any cancel         |   |  +--CANCEL_AND_WAIT (intent)--> CANCELING --COMPLETED, FAILED, CANCELED--> RESOLVED
       v                |   +--CANCEL_AND_GO (intent)--> DETACHED --COMPLETED, FAILED, CANCELED--> RESOLVED
    DROPPED             +--ABANDON (no intent)---------> DETACHED

In DETACHED the code has been told that the activity is cancelled, and what the activity says later changes nothing.
What it ended with is `settling` for some turns of the loop; whoever cancels it in them is told asyncio.CancelledError.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, TypeVar

import msgspec

from streamflow.coroutine.loop import WorkflowLoop
from streamflow.coroutine.machines.settling import TASK, Settling
from streamflow.coroutine.machines.transitions import misfit, next_state
from streamflow.coroutine.operations import Operations, Resolution
from streamflow.coroutine.ordered import WorkflowFuture
from streamflow.coroutine.source import Place
from streamflow.coroutine.values import Values
from streamflow.model.events import ActivityCanceled, ActivityCompleted, ActivityFailed
from streamflow.model.failure import CANCELLED, Failure, FailureKind, RetryState
from streamflow.model.ids import Op
from streamflow.model.intents import CancelActivity, ScheduleActivity
from streamflow.model.options import ActivityTimeouts, CancellationType, RetryPolicy
from streamflow.model.payload import Payload, Payloads

T = TypeVar("T")


class State(IntEnum):
    CREATED = 1
    SCHEDULED = 2
    CANCELING = 3
    DETACHED = 4
    RESOLVED = 5
    DROPPED = 6


class Cue(IntEnum):
    SENT = 1
    COMPLETED = 2
    FAILED = 3
    CANCELED = 4
    CANCEL_AND_GO = 5
    CANCEL_AND_WAIT = 6
    ABANDON = 7


TABLE: dict[tuple[State, Cue], State] = {
    (State.CREATED, Cue.SENT): State.SCHEDULED,
    (State.CREATED, Cue.CANCEL_AND_GO): State.DROPPED,
    (State.CREATED, Cue.CANCEL_AND_WAIT): State.DROPPED,
    (State.CREATED, Cue.ABANDON): State.DROPPED,
    (State.SCHEDULED, Cue.COMPLETED): State.RESOLVED,
    (State.SCHEDULED, Cue.FAILED): State.RESOLVED,
    (State.SCHEDULED, Cue.CANCELED): State.RESOLVED,
    (State.SCHEDULED, Cue.CANCEL_AND_GO): State.DETACHED,
    (State.SCHEDULED, Cue.CANCEL_AND_WAIT): State.CANCELING,
    (State.SCHEDULED, Cue.ABANDON): State.DETACHED,
    (State.CANCELING, Cue.COMPLETED): State.RESOLVED,
    (State.CANCELING, Cue.FAILED): State.RESOLVED,
    (State.CANCELING, Cue.CANCELED): State.RESOLVED,
    (State.CANCELING, Cue.CANCEL_AND_WAIT): State.CANCELING,
    (State.DETACHED, Cue.COMPLETED): State.RESOLVED,
    (State.DETACHED, Cue.FAILED): State.RESOLVED,
    (State.DETACHED, Cue.CANCELED): State.RESOLVED,
}
_ENDED = frozenset({State.RESOLVED, State.DROPPED})
_CANCEL_CUES = {
    CancellationType.TRY_CANCEL: Cue.CANCEL_AND_GO,
    CancellationType.WAIT_CANCELLATION_COMPLETED: Cue.CANCEL_AND_WAIT,
    CancellationType.ABANDON: Cue.ABANDON,
}


class ActivityRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An activity as the code asked for it. ``activity_id`` empty is its number among the run's operations."""

    activity_type: str
    timeouts: ActivityTimeouts
    args: Payloads = ()
    activity_id: str = ""
    queue: str = ""
    retry_policy: RetryPolicy = RetryPolicy()
    cancellation_type: CancellationType = CancellationType.TRY_CANCEL
    headers: Mapping[str, Payload] = {}
    summary: str = ""
    priority: int = 0
    local: bool = False
    local_retry_threshold_ms: int | None = None
    fairness_key: str = ""
    fairness_weight: float = 1.0
    start_delay_ms: int = 0


class ActivityHandle(WorkflowFuture[T]):
    """A begun activity: await it for its result, ``cancel()`` it as its cancellation type says."""

    __slots__ = ("_machine",)
    _machine: ActivityMachine | None

    def cancel(self, msg: Any | None = None) -> bool:
        """Asks for cancellation; awaiting then raises ActivityError, at once or when the activity has ended.

        Before the code that began it has waited for anything, no activity is begun and awaiting raises
        asyncio.CancelledError, as a task does that is cancelled before it runs.
        """
        machine = self._machine
        if machine is None:
            return False
        if machine.settling is not None:
            return machine.settling.cancel(msg)
        if machine.drop():
            return super().cancel(msg)
        machine.cancel()
        return True


class ActivityMachine:
    """One activity and the handle that it settles."""

    __slots__ = (
        "_loop",
        "_operations",
        "_request",
        "_result_type",
        "_turn",
        "_values",
        "handle",
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
        request: ActivityRequest,
        result_type: Any,
    ) -> None:
        self.op = Op(0)
        self.place: Place | None = None
        self.state = State.CREATED
        self.settling: Settling | None = None
        self._operations = operations
        self._values = values
        self._request = request
        self._result_type = result_type
        operations.begin(self)
        self.handle: ActivityHandle[Any] = ActivityHandle(loop=loop, order=loop.next_order())
        self.handle._machine = self
        self._loop = loop
        self._turn = loop.next_turn()

    @property
    def dropped(self) -> bool:
        return self.state is State.DROPPED

    @property
    def ended(self) -> bool:
        return self.state in _ENDED

    @property
    def _canceled_message(self) -> str:
        return "Local Activity cancelled" if self._request.local else "Activity cancelled"

    @property
    def _activity_id(self) -> str:
        return self._request.activity_id or str(self.op)

    def intent(self) -> ScheduleActivity:
        self._step(Cue.SENT)
        request = self._request
        return ScheduleActivity(
            op=self.op,
            activity_id=self._activity_id,
            activity_type=request.activity_type,
            queue=request.queue,
            args=request.args,
            timeouts=request.timeouts,
            retry_policy=request.retry_policy,
            cancellation_type=request.cancellation_type,
            headers=request.headers,
            summary=request.summary,
            priority=request.priority,
            local=request.local,
            local_retry_threshold_ms=request.local_retry_threshold_ms,
            fairness_key=request.fairness_key,
            fairness_weight=request.fairness_weight,
            start_delay_ms=request.start_delay_ms,
        )

    def cancel_intent(self) -> CancelActivity:
        return CancelActivity(op=self.op)

    def part(self) -> None:
        self.handle._machine = None

    def drop(self) -> bool:
        """Never asks for it, if a task that awaits it would not have run yet; its handle is then the caller's to settle."""
        if self.state is not State.CREATED or self._loop.has_passed(self._turn):
            return False
        self._step(_CANCEL_CUES[self._request.cancellation_type])
        self.part()
        return True

    def cancel(self) -> None:
        before = self.state
        cue = _CANCEL_CUES[self._request.cancellation_type]
        if before is State.SCHEDULED and cue is not Cue.ABANDON:
            self._operations.cancel(self)
        self._step(cue)
        if self.state is not State.CANCELING:
            error = self._error(self._canceled_message, CANCELLED, RetryState.CANCEL_REQUESTED, "")
            self._settled().set_exception(error)

    def resolve(self, event: Resolution) -> None:
        detached = self.state is State.DETACHED
        match event:
            case ActivityCompleted():
                self._step(Cue.COMPLETED)
                if not detached:
                    self._complete(event)
            case ActivityFailed():
                self._step(Cue.FAILED)
                if not detached:
                    self._failed(event)
            case ActivityCanceled():
                self._step(Cue.CANCELED)
                if not detached:
                    self._fail(
                        self._canceled_message,
                        event.failure,
                        RetryState.CANCEL_REQUESTED,
                        event.identity,
                        event.scheduled_seq,
                    )
            case _:
                raise misfit(event, self, self.place)

    def _complete(self, event: ActivityCompleted) -> None:
        try:
            result = self._values.decode_one(event.result, self._result_type)
        except Exception as error:
            # It is the awaiting code's: what leaves run because of it is judged like any other exception.
            self._settle(error=error)
        else:
            self._settle(result=result)

    def _failed(self, event: ActivityFailed) -> None:
        """What a local activity failed with is the code's own, with nothing around it, unless it ran out of time."""
        timed_out = event.failure.kind is FailureKind.TIMEOUT
        if self._request.local and not timed_out:
            self._settle(error=self._values.from_failure(event.failure))
            return
        if self._request.local:
            message = "Local Activity timed out"
        else:
            message = "Activity task timed out" if timed_out else "Activity task failed"
        self._fail(message, event.failure, event.retry_state, event.identity, event.scheduled_seq)

    def _fail(
        self,
        message: str,
        cause: Failure,
        state: RetryState,
        identity: str,
        scheduled_seq: int,
    ) -> None:
        self._settle(error=self._error(message, cause, state, identity, scheduled_seq))

    def _error(
        self,
        message: str,
        cause: Failure,
        state: RetryState,
        identity: str,
        scheduled_seq: int = 0,
    ) -> BaseException:
        # Through a failure, so that the error is stored again as it came, whatever it is raised from.
        failure = Failure(
            kind=FailureKind.ACTIVITY,
            message=message,
            cause=cause,
            name=self._request.activity_type,
            activity_id=self._activity_id,
            identity=identity,
            scheduled_seq=scheduled_seq,
            retry_state=state,
        )
        return self._values.from_failure(failure)

    def _settle(self, *, result: Any = None, error: BaseException | None = None) -> None:
        """Tells the code what an event says."""
        if self._loop.outcomes_take_turns:
            self.settling = Settling(self._loop, self.handle, TASK, result=result, error=error)
        elif error is not None:
            self._settled().set_exception(error)
        else:
            self._settled().set_result(result)

    def _settled(self) -> ActivityHandle[Any]:
        """The handle, which needs its machine no more: without the cycle it is freed as soon as the code lets go."""
        self.part()
        return self.handle

    def _step(self, cue: Cue) -> None:
        self.state = next_state(TABLE, self.state, cue, self, self.place)

    def __str__(self) -> str:
        return f"activity {self._request.activity_type!r} ({self.op})"

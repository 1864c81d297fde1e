"""A child workflow: its start, which code awaits first, and its result.

    CREATED --SENT--> INITIATED --STARTED--> STARTED --CLOSED--> RESOLVED
       |               |  |  |                |  |  |
    any cancel         |  |  START_FAILED     |  |  CANCEL_AND_WAIT (intent)--> CANCELING --CLOSED--> RESOLVED
       v               |  |  v                |  |                                 CANCEL_DELIVERED--> DETACHED
    DROPPED            |  |  RESOLVED         |  CANCEL_AND_GO (intent)----> DETACHED --CLOSED--> RESOLVED
                       |  CANCEL_AND_GO ------|------------------------------^
                       |                      ABANDON (no intent)------------^
                       CANCEL_AND_WAIT (intent)--> CANCELING_START --STARTED--> CANCELING

In DETACHED the code has been told that the child is cancelled, and what the child says later changes nothing.
CANCEL_DELIVERED comes for WAIT_CANCELLATION_REQUESTED alone. Code that let go of the start when its run was cancelled is told
nothing more, whatever becomes of the child. What happened is `settling` for some turns of the loop, as with activities.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, TypeVar

import msgspec

from streamflow.coroutine.loop import WorkflowLoop
from streamflow.coroutine.machines.settling import DIRECT, TASK, Settling
from streamflow.coroutine.machines.transitions import misfit, next_state
from streamflow.coroutine.operations import Operations, Resolution
from streamflow.coroutine.ordered import WorkflowFuture
from streamflow.coroutine.source import Place
from streamflow.coroutine.values import Values
from streamflow.exceptions import WorkflowAlreadyStartedError
from streamflow.model.failure import CANCELLED, Failure, FailureKind, RetryState
from streamflow.model.ids import Op, WorkflowId
from streamflow.model.options import Status
from streamflow.model.payload import Payload, Payloads
from streamflow.model.relations import (
    CancelChild,
    ChildCancelDelivered,
    ChildCancellationType,
    ChildClosed,
    ChildOptions,
    ChildStarted,
    ChildStartFailed,
    StartChild,
    StartRefusal,
)

T = TypeVar("T")


class State(IntEnum):
    CREATED = 1
    INITIATED = 2
    STARTED = 3
    CANCELING_START = 4
    CANCELING = 5
    DETACHED = 6
    RESOLVED = 7
    DROPPED = 8


class Cue(IntEnum):
    SENT = 1
    STARTED = 2
    START_FAILED = 3
    CLOSED = 4
    CANCEL_DELIVERED = 5
    CANCEL_AND_GO = 6
    CANCEL_AND_WAIT = 7
    ABANDON = 8


TABLE: dict[tuple[State, Cue], State] = {
    (State.CREATED, Cue.SENT): State.INITIATED,
    (State.CREATED, Cue.CANCEL_AND_GO): State.DROPPED,
    (State.CREATED, Cue.CANCEL_AND_WAIT): State.DROPPED,
    (State.CREATED, Cue.ABANDON): State.DROPPED,
    (State.INITIATED, Cue.STARTED): State.STARTED,
    (State.INITIATED, Cue.START_FAILED): State.RESOLVED,
    (State.INITIATED, Cue.CANCEL_AND_GO): State.DETACHED,
    (State.INITIATED, Cue.CANCEL_AND_WAIT): State.CANCELING_START,
    (State.INITIATED, Cue.ABANDON): State.DETACHED,
    (State.STARTED, Cue.CLOSED): State.RESOLVED,
    (State.STARTED, Cue.CANCEL_AND_GO): State.DETACHED,
    (State.STARTED, Cue.CANCEL_AND_WAIT): State.CANCELING,
    (State.STARTED, Cue.ABANDON): State.DETACHED,
    (State.CANCELING_START, Cue.STARTED): State.CANCELING,
    (State.CANCELING_START, Cue.START_FAILED): State.RESOLVED,
    (State.CANCELING_START, Cue.CANCEL_AND_WAIT): State.CANCELING_START,
    (State.CANCELING, Cue.CLOSED): State.RESOLVED,
    (State.CANCELING, Cue.CANCEL_DELIVERED): State.DETACHED,
    (State.CANCELING, Cue.CANCEL_AND_WAIT): State.CANCELING,
    (State.DETACHED, Cue.STARTED): State.DETACHED,
    (State.DETACHED, Cue.START_FAILED): State.RESOLVED,
    (State.DETACHED, Cue.CLOSED): State.RESOLVED,
}
_ENDED = frozenset({State.RESOLVED, State.DROPPED})
_OVER = _ENDED | {State.DETACHED}
_ASKS = frozenset({State.INITIATED, State.STARTED})
_CANCEL_CUES = {
    ChildCancellationType.TRY_CANCEL: Cue.CANCEL_AND_GO,
    ChildCancellationType.WAIT_CANCELLATION_COMPLETED: Cue.CANCEL_AND_WAIT,
    ChildCancellationType.WAIT_CANCELLATION_REQUESTED: Cue.CANCEL_AND_WAIT,
    ChildCancellationType.ABANDON: Cue.ABANDON,
}
_ENDINGS = {
    Status.FAILED: "Child Workflow execution failed",
    Status.CANCELED: "Child Workflow execution cancelled",
    Status.TERMINATED: "Child Workflow execution terminated",
    Status.TIMED_OUT: "Child Workflow execution timed out",
}


class ChildRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A child as the code asked for it."""

    workflow_id: WorkflowId
    workflow_type: str
    queue: str = ""
    args: Payloads = ()
    headers: Mapping[str, Payload] = {}
    options: ChildOptions = ChildOptions()


class _Cancelling(WorkflowFuture[T]):
    """A future whose cancellation asks the child to stop; it settles when the cancellation type says."""

    __slots__ = ("_machine",)
    _machine: ChildMachine | None

    def cancel(self, msg: Any | None = None) -> bool:
        """Asks for cancellation; awaiting then raises ChildWorkflowError, at once or when the child has ended."""
        machine = self._machine
        if machine is None:
            return False
        if machine.settling is not None:
            return machine.settling.cancel(msg)
        machine.cancel()
        return True


class ChildStart(_Cancelling[None]):
    """Done when the child has started. Who awaits it says so to the machine (`ChildMachine.leave`) if cancelled meanwhile."""

    __slots__ = ()

    def cancel(self, msg: Any | None = None) -> bool:
        """As of any part of a child; but the run's own cancellation, or one that comes as the start does, raises
        asyncio.CancelledError at once."""
        machine = self._machine
        if machine is None:
            return False
        if machine.starting is not None:
            return machine.starting.cancel(msg)
        if machine.may_be_left:
            self._machine = None
            return super(_Cancelling, self).cancel(msg)
        return super().cancel(msg)


class ChildHandle(_Cancelling[T]):
    """A started child: await it for its result. `streamflow.workflow` gives it its public face."""

    __slots__ = ("first_run_id", "op", "queue", "workflow_id")
    workflow_id: WorkflowId
    queue: str
    op: Op
    first_run_id: str | None


class ChildMachine:
    """One child, its start and the handle that it settles."""

    __slots__ = (
        "_left",
        "_loop",
        "_namespace",
        "_operations",
        "_request",
        "_result_type",
        "_values",
        "handle",
        "op",
        "place",
        "settling",
        "start",
        "starting",
        "state",
    )

    def __init__(
        self,
        operations: Operations,
        loop: WorkflowLoop,
        values: Values,
        request: ChildRequest,
        result_type: Any,
        *,
        namespace: str,
        handle_class: type[ChildHandle[Any]] = ChildHandle,
    ) -> None:
        self.op = Op(0)
        self.place: Place | None = None
        self.state = State.CREATED
        self.starting: Settling | None = None
        self.settling: Settling | None = None
        """How the start went, and what the child ended with, on their way to the code."""
        self._left = False
        self._loop = loop
        self._operations = operations
        self._values = values
        self._request = request
        self._result_type = result_type
        self._namespace = namespace
        operations.begin(self)
        self.start = ChildStart(loop=loop, order=loop.next_order())
        self.start._machine = self
        self.handle: ChildHandle[Any] = handle_class(loop=loop, order=loop.next_order())
        self.handle._machine = self
        self.handle.workflow_id = request.workflow_id
        self.handle.queue = request.queue
        self.handle.op = self.op
        self.handle.first_run_id = None

    @property
    def dropped(self) -> bool:
        return self.state is State.DROPPED

    @property
    def ended(self) -> bool:
        return self.state in _ENDED

    def intent(self) -> StartChild:
        self._step(Cue.SENT)
        self.handle.op = self.op
        request = self._request
        return StartChild(
            op=self.op,
            workflow_id=request.workflow_id,
            workflow_type=request.workflow_type,
            queue=request.queue,
            args=request.args,
            headers=request.headers,
            options=request.options,
            place=str(self.place or ""),
        )

    def cancel_intent(self) -> CancelChild:
        return CancelChild(op=self.op)

    @property
    def may_be_left(self) -> bool:
        """Whether who awaits the start goes on without it when cancelled."""
        return self._loop.outcomes_take_turns and self._operations.run_cancelled

    def part(self) -> None:
        self.start._machine = self.handle._machine = None

    def leave(self) -> None:
        """Who awaited the start was cancelled: the child is told what its type says, and the code nothing more of it."""
        if not self._loop.outcomes_take_turns:
            return
        self._left = True
        self.handle._machine = None
        if self.settling is not None:
            self.settling.cancel(None)
        if self.state not in _OVER:
            self._ask_to_cancel()

    def cancel(self) -> None:
        self._ask_to_cancel()
        if self.state is State.DROPPED:
            message = "Child Workflow execution cancelled before scheduled"
        elif self.state is State.DETACHED:
            message = _ENDINGS[Status.CANCELED]
        else:
            return
        self._waited_for().set_exception(self._canceled(message))

    def _ask_to_cancel(self) -> None:
        """What the child is told of the cancellation."""
        before = self.state
        cue = _CANCEL_CUES[self._request.options.cancellation_type]
        if before in _ASKS and cue is not Cue.ABANDON:
            self._operations.cancel(self)
        self._step(cue)

    def resolve(self, event: Resolution) -> None:
        # A start that was cancelled is waited for no more, though who waited may not have said so yet: a step may have been full.
        told = self.state is State.DETACHED or self._left or self.start.cancelled()
        match event:
            case ChildStarted():
                self._step(Cue.STARTED)
                if not told:
                    self.handle.first_run_id = event.child_run_id
                    self._settle()
            case ChildStartFailed():
                self._step(Cue.START_FAILED)
                if not told:
                    self._settle(error=self._refused(event))
            case ChildCancelDelivered():
                self._step(Cue.CANCEL_DELIVERED)
                if not told:
                    self._settle(error=self._canceled(_ENDINGS[Status.CANCELED]))
            case ChildClosed():
                self._step(Cue.CLOSED)
                if not told:
                    self._closed(event)
            case _:
                raise misfit(event, self, self.place)

    def _closed(self, event: ChildClosed) -> None:
        if event.status is not Status.COMPLETED:
            assert event.failure is not None, event
            error = self._error(_ENDINGS[event.status], event.retry_state, event.failure)
            self._settle(error=error)
            return
        try:
            result = self._values.decode_one(event.result, self._result_type)
        except Exception as error:
            # It is the awaiting code's: what leaves run because of it is judged like any other exception.
            self._settle(error=error)
        else:
            self._settle(result=result)

    def _refused(self, event: ChildStartFailed) -> BaseException:
        request = self._request
        if event.refusal is StartRefusal.ALREADY_STARTED:
            return WorkflowAlreadyStartedError(
                request.workflow_id, request.workflow_type, run_id=event.taken_by
            )
        cause = Failure(
            kind=FailureKind.APPLICATION,
            message=event.message,
            type="TaskQueueNotFound" if _no_queue(event) else "InvalidArgument",
        )
        return self._error(
            "Child Workflow execution could not be started",
            RetryState.NON_RETRYABLE_FAILURE,
            cause,
        )

    def _canceled(self, message: str) -> BaseException:
        return self._error(message, RetryState.NON_RETRYABLE_FAILURE, CANCELLED)

    def _error(self, message: str, state: RetryState | None, cause: Failure) -> BaseException:
        """Through a failure, so that it is stored again as it came, whatever it is raised from."""
        failure = Failure(
            kind=FailureKind.CHILD_WORKFLOW,
            message=message,
            cause=cause,
            name=self._request.workflow_type,
            namespace=self._namespace,
            workflow_id=self._request.workflow_id,
            run_id=self.handle.first_run_id or "",
            retry_state=state,
        )
        return self._values.from_failure(failure)

    def _settle(self, *, result: Any = None, error: BaseException | None = None) -> None:
        """Tells who waits what an event says: first of the start, then of the result."""
        if self._loop.outcomes_take_turns:
            if self._is_begun:
                self.settling = Settling(self._loop, self.handle, TASK, result=result, error=error)
            else:
                self.starting = Settling(self._loop, self.start, DIRECT, error=error)
                if error is not None:
                    self.handle._machine = None
        elif error is not None:
            self._waited_for().set_exception(error)
        else:
            self._waited_for().set_result(result)

    @property
    def _is_begun(self) -> bool:
        """Whether how the start went is known."""
        return self.starting is not None or self.start.done()

    def _waited_for(self) -> ChildStart | ChildHandle[Any]:
        """What is settled now, which needs its machine no more: without the cycle it is freed as soon as the code lets go."""
        if self._is_begun:
            self.handle._machine = None
            return self.handle
        self.start._machine = None
        return self.start

    def _step(self, cue: Cue) -> None:
        self.state = next_state(TABLE, self.state, cue, self, self.place)

    def __str__(self) -> str:
        return f"child workflow {self._request.workflow_type!r} ({self.op})"


def _no_queue(event: ChildStartFailed) -> bool:
    return event.refusal is StartRefusal.NO_SUCH_QUEUE

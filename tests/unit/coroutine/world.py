"""A stand-in for the engine: keeps a run's history, activates its code, and turns intents into events.

world = World(Greeting, "Ada")
world.step()                      # runs the code
world.complete("greet", "hello")  # records an activity's result for the next step
assert world.step() == [...]
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from streamflow import workflow
from streamflow.converter import DataConverter
from streamflow.coroutine.definition import definition_of
from streamflow.coroutine.facts import RunFacts
from streamflow.coroutine.flags import CURRENT
from streamflow.coroutine.instance import Instance
from streamflow.coroutine.notices import Notice
from streamflow.coroutine.replay import replay
from streamflow.model.events import (
    Activated,
    ActivityCanceled,
    ActivityCancelRequested,
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    CancelRequested,
    Event,
    MemoUpserted,
    PatchMarked,
    Recorded,
    SearchAttributesUpserted,
    SignalReceived,
    TimerCanceled,
    TimerFired,
    TimerStarted,
    UpdateCompleted,
    WorkflowCanceled,
    WorkflowCompleted,
    WorkflowContinuedAsNew,
    WorkflowFailed,
    WorkflowStarted,
)
from streamflow.model.failure import Failure, FailureKind, RetryState
from streamflow.model.ids import Op, RunId, Seq, WorkflowId
from streamflow.model.intents import (
    Activation,
    CancelActivity,
    CancelRun,
    CancelTimer,
    CompleteRun,
    CompleteUpdate,
    ContinueAsNew,
    FailRun,
    Intent,
    MarkPatch,
    ScheduleActivity,
    StartTimer,
    UpsertMemo,
    UpsertSearchAttributes,
)
from streamflow.model.options import Status
from streamflow.model.payload import Payload
from streamflow.model.relations import (
    CancelChild,
    CancelExternal,
    ChildCancelDelivered,
    ChildCancelRequested,
    ChildClosed,
    ChildInitiated,
    ChildStarted,
    ChildStartFailed,
    ExternalAnswered,
    ExternalCancelSent,
    ExternalSignalSent,
    SignalExternal,
    StartChild,
    StartRefusal,
)

CONVERTER = DataConverter.default
START_MS = 1_700_000_000_000
MINUTE = timedelta(minutes=1)


async def act(name: str = "act", *args: Any, **options: Any) -> Any:
    """Activities in workflow code may take a minute, where a test does not care."""
    return await workflow.execute_activity(
        name, args=args, **{"start_to_close_timeout": MINUTE, **options}
    )


def payload(value: Any) -> Payload:
    return CONVERTER.payload_converter.to_payload(value)


def value_of(encoded: Payload | None) -> Any:
    return None if encoded is None else CONVERTER.payload_converter.from_payload(encoded)


def failure(message: str = "no", *, type: str = "Oops") -> Failure:
    return Failure(kind=FailureKind.APPLICATION, message=message, type=type)


class World:
    """One run and its history. Time moves only by `pass_ms`."""

    def __init__(
        self,
        cls: type,
        *args: Any,
        memo: dict[str, Any] | None = None,
        started: dict[str, Any] | None = None,
        flags: int = CURRENT,
        **options: Any,
    ) -> None:
        self.flags = flags
        self.definition = definition_of(cls)
        self.started = WorkflowStarted(
            workflow_type=self.definition.name or "Anything",
            queue="q",
            first_run_id=RunId("run-1"),
            args=tuple(payload(arg) for arg in args),
            memo={name: payload(value) for name, value in (memo or {}).items()},
            **(started or {}),
        )
        self.options = options
        self.history: list[Recorded] = []
        self.waiting: list[Recorded] = []
        self.asked: list[list[Intent]] = []
        self.notices: list[Notice] = []
        self.now_ms = START_MS
        self.steps = 0
        self.instance = self.fresh()
        self.record(self.started)

    def fresh(self) -> Instance:
        """An instance that has seen nothing of the history."""
        return Instance(
            self.definition,
            RunFacts(
                namespace="default",
                queue="q",
                workflow_id=WorkflowId("order-1"),
                run_id=RunId("run-1"),
                started=self.started,
                start_ms=START_MS,
            ),
            CONVERTER,
            notify=self.notices.append,
            **self.options,
        )

    def record(self, event: Event, *, input: bool = True) -> None:
        recorded = Recorded(Seq(len(self.history) + 1), self.steps, self.now_ms, event)
        self.history.append(recorded)
        if input:
            self.waiting.append(recorded)

    # what the world says

    def signal(self, name: str, *args: Any) -> World:
        self.record(SignalReceived(name=name, args=tuple(payload(arg) for arg in args)))
        return self

    def cancel(self, reason: str = "enough") -> World:
        self.record(CancelRequested(reason=reason))
        return self

    def fire(self, op: int) -> World:
        self.record(TimerFired(op=Op(op)))
        return self

    def complete(self, op: int, result: Any = None) -> World:
        self.record(ActivityCompleted(op=Op(op), attempt=1, result=payload(result)))
        return self

    def fail(self, op: int, why: Failure | None = None) -> World:
        state = RetryState.MAXIMUM_ATTEMPTS_REACHED
        self.record(
            ActivityFailed(op=Op(op), attempt=1, failure=why or failure(), retry_state=state)
        )
        return self

    def report_canceled(self, op: int) -> World:
        canceled = Failure(kind=FailureKind.CANCELED, message="stopped")
        self.record(ActivityCanceled(op=Op(op), attempt=1, failure=canceled))
        return self

    def child_started(self, op: int) -> World:
        self.record(ChildStarted(op=Op(op), child_run_id=RunId("child-run")))
        return self

    def child_refused(self, op: int) -> World:
        taken = StartRefusal.ALREADY_STARTED
        self.record(ChildStartFailed(op=Op(op), refusal=taken, taken_by=RunId("other-run")))
        return self

    def child_closed(
        self,
        op: int,
        result: Any = None,
        *,
        status: Status = Status.COMPLETED,
        why: Failure | None = None,
    ) -> World:
        self.record(
            ChildClosed(
                op=Op(op),
                child_run_id=RunId("child-run"),
                status=status,
                result=payload(result) if status is Status.COMPLETED else None,
                failure=why,
            )
        )
        return self

    def child_cancel_delivered(self, op: int) -> World:
        self.record(ChildCancelDelivered(op=Op(op)))
        return self

    def answered(self, op: int, why: Failure | None = None) -> World:
        self.record(ExternalAnswered(op=Op(op), failure=why))
        return self

    def pass_ms(self, duration_ms: int) -> World:
        self.now_ms += duration_ms
        return self

    # what the code does

    def step(self) -> list[Intent]:
        """Activates the code on all that waits, and records what it asked for."""
        activation = Activation(
            inputs=tuple(self.waiting),
            now_ms=self.now_ms,
            seed=self.steps * 7 + 1,
            flags=self.flags,
            history_length=len(self.history),
        )
        self.waiting = []
        intents = self.instance.activate(activation)
        self.steps += 1
        self.asked.append(intents)
        self.record(
            Activated(
                inputs=tuple(recorded.seq for recorded in activation.inputs),
                now_ms=activation.now_ms,
                seed=activation.seed,
                flags=activation.flags,
                goes_on=self.instance.goes_on,
            ),
            input=False,
        )
        for intent, place in zip(intents, self.instance.places(), strict=True):
            self.record(self._outcome(intent, place), input=False)
        return intents

    def to_rest(self) -> list[Intent]:
        """Activates the code until it does not go on by itself."""
        intents = list(self.step())
        while self.instance.goes_on:
            intents += self.step()
        return intents

    def rebuild(self) -> World:
        """Evicts the instance and brings a fresh one to the same place by replay."""
        assert self.instance.evict()
        self.instance = self.fresh()
        replay(self.instance, self.history)
        return self

    def query(self, name: str, *args: Any) -> Any:
        return value_of(self.instance.query(name, tuple(payload(arg) for arg in args)))

    @property
    def result(self) -> Any:
        """What the run completed with."""
        last = self.asked[-1][-1]
        assert isinstance(last, CompleteRun), last
        return value_of(last.result)

    def _outcome(self, intent: Intent, place: str) -> Event:
        match intent:
            case ScheduleActivity():
                return ActivityScheduled(
                    op=intent.op,
                    activity_id=intent.activity_id,
                    activity_type=intent.activity_type,
                    queue=intent.queue or "q",
                    args=intent.args,
                    timeouts=intent.timeouts,
                    retry_policy=intent.retry_policy,
                    cancellation_type=intent.cancellation_type,
                    local=intent.local,
                    place=place,
                )
            case CancelActivity():
                return ActivityCancelRequested(op=intent.op)
            case StartTimer():
                fire_at_ms = self.now_ms + intent.duration_ms
                return TimerStarted(
                    op=intent.op,
                    fire_at_ms=fire_at_ms,
                    duration_ms=intent.duration_ms,
                    place=place,
                )
            case CancelTimer():
                return TimerCanceled(op=intent.op)
            case MarkPatch():
                return PatchMarked(patch_id=intent.patch_id, deprecated=intent.deprecated)
            case UpsertMemo():
                return MemoUpserted(memo=intent.memo, removed=intent.removed)
            case UpsertSearchAttributes():
                return SearchAttributesUpserted(
                    search_attributes=intent.search_attributes, removed=intent.removed
                )
            case StartChild():
                return ChildInitiated(
                    op=intent.op,
                    child_workflow_id=intent.workflow_id,
                    workflow_type=intent.workflow_type,
                    queue=intent.queue or "q",
                    args=intent.args,
                    options=intent.options,
                )
            case CancelChild():
                return ChildCancelRequested(op=intent.op)
            case SignalExternal():
                return ExternalSignalSent(
                    op=intent.op,
                    target=intent.target,
                    signal_name=intent.signal_name,
                    args=intent.args,
                )
            case CancelExternal():
                return ExternalCancelSent(op=intent.op, target=intent.target, reason=intent.reason)
            case CompleteUpdate():
                return UpdateCompleted(
                    update_id=intent.update_id, result=intent.result, failure=intent.failure
                )
            case CompleteRun():
                return WorkflowCompleted(result=intent.result)
            case FailRun():
                return WorkflowFailed(failure=intent.failure)
            case CancelRun():
                return WorkflowCanceled(details=intent.details)
            case ContinueAsNew():
                return WorkflowContinuedAsNew(
                    new_run_id=RunId("run-2"), workflow_type=intent.workflow_type, queue="q"
                )


def kinds(intents: list[Intent]) -> list[str]:
    """The kinds of intents with their operation numbers, for short comparisons."""
    return [f"{type(intent).__name__} {getattr(intent, 'op', '')}".strip() for intent in intents]


def driven(code: Callable[..., Any]) -> type:
    """A workflow class around one async function without ``self``."""
    from streamflow import workflow

    class Driven:
        @workflow.run
        async def run(self, *args: Any) -> Any:
            return await code(*args)

    Driven.__qualname__ = Driven.__name__ = "Driven"
    return workflow.defn(Driven)

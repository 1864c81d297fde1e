"""Brings a fresh instance to where its history stands, and checks on the way that the code still does what it did.

A step is activated again at each `Activated` and nowhere else. What the code then asks for is held against what the
history says it asked for: kinds, operation numbers and the names of activities and timers' existence count; arguments,
timeouts, durations and results do not, so that those may be changed while runs are open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, assert_never, cast

from streamflow.coroutine.errors import NondeterminismError, Sides
from streamflow.coroutine.instance import Instance
from streamflow.coroutine.source import Place, suspended_place
from streamflow.model.events import (
    Activated,
    ActivityCancelRequested,
    ActivityScheduled,
    Event,
    MemoUpserted,
    Outcome,
    PatchMarked,
    Recorded,
    SearchAttributesUpserted,
    TimerCanceled,
    TimerStarted,
    UpdateAccepted,
    UpdateCompleted,
    WorkflowCanceled,
    WorkflowCompleted,
    WorkflowContinuedAsNew,
    WorkflowFailed,
    WorkflowStarted,
    WorkflowTerminated,
    WorkflowTimedOut,
)
from streamflow.model.failure import (
    HISTORY_TOO_LONG,
    NONDETERMINISM,
    NONDETERMINISM_SAID,
    FailureKind,
)
from streamflow.model.ids import Seq
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
from streamflow.model.options import Copied
from streamflow.model.relations import (
    CancelChild,
    CancelExternal,
    ChildCancelRequested,
    ChildInitiated,
    ExternalCancelSent,
    ExternalSignalSent,
    SignalExternal,
    StartChild,
)

_OUTCOMES = Outcome.__args__
_OUTCOME_SET = frozenset(_OUTCOMES)
_IGNORED = frozenset({WorkflowTerminated, WorkflowTimedOut})


def replay(
    instance: Instance, events: Sequence[Recorded], *, history_bytes: Sequence[int] | None = None
) -> None:
    """Runs every recorded step again. ``history_bytes`` is the size of the history before each event.

    Raises:
        NondeterminismError: the code and its history do not fit; the message shows expected, found and where.
        CodeFailed: the code raised what is no failure.
    """
    for step in recorded_steps(events):
        size = history_bytes[step.first_position] if history_bytes else 0
        replay_step(instance, step, history_bytes=size)


class RecordedStep(NamedTuple):
    """One activation as its history has it."""

    position: int
    """Of ``activated`` among the events, from 0."""
    activated: Recorded
    inputs: tuple[Recorded, ...]
    """What it consumed, in its order."""
    outcomes: list[Recorded]
    """What the code asked for in it."""
    accepted: int
    """How many updates it accepted: they were recorded with it, after the code had seen the history's length."""
    marked_later: tuple[str, ...] = ()
    """Patches whose marks are in the steps that go on with it, though it may have met them itself."""

    @property
    def first_position(self) -> int:
        """Of the first event that was recorded with the step: updates are, just before it."""
        return self.position - self.accepted


def recorded_steps(events: Iterable[Recorded]) -> Iterator[RecordedStep]:
    """The steps of a history in their order. No code is needed for that."""
    together: list[RecordedStep] = []
    for step in _each_step(events):
        together.append(step)
        if not cast("Activated", step.activated.event).goes_on:
            yield from _knowing_marks(together)
            together = []
    yield from _knowing_marks(together)


def _knowing_marks(steps: list[RecordedStep]) -> list[RecordedStep]:
    """Steps of which each goes on with the one before."""
    marked: tuple[str, ...] = ()
    known: list[RecordedStep] = []
    for step in reversed(steps):
        known.append(step._replace(marked_later=marked) if marked else step)
        marked = (*_marked(step.outcomes), *marked)
    return known[::-1]


def _each_step(events: Iterable[Recorded]) -> Iterator[RecordedStep]:
    inputs: dict[Seq, Recorded] = {}
    step: RecordedStep | None = None
    copied: tuple[Copied, ...] = ()
    for position, recorded in enumerate(events):
        kind = type(recorded.event)
        if kind in _OUTCOME_SET:
            if step is not None and not _ended_by_the_engine(recorded.event):
                step.outcomes.append(recorded)
        elif kind is Activated:
            if step is not None:
                yield step
            consumed = cast("Activated", recorded.event).inputs
            taken = tuple([inputs.pop(seq) for seq in consumed])
            step = RecordedStep(position, recorded, taken, [], _accepted(taken, recorded, copied))
        elif kind not in _IGNORED:
            inputs[recorded.seq] = recorded
            if kind is WorkflowStarted:
                copied = cast("WorkflowStarted", recorded.event).copied
    if step is not None:
        yield step


def _ended_by_the_engine(event: Event) -> bool:
    """Whether no code asked for this end: its history was too long, or did not fit."""
    if type(event) is not WorkflowFailed:
        return False
    failure = event.failure
    if failure.type == NONDETERMINISM:
        return failure.message.startswith(NONDETERMINISM_SAID)
    return failure.kind is FailureKind.SERVER and failure.type == HISTORY_TOO_LONG


def replay_step(instance: Instance, step: RecordedStep, *, history_bytes: int = 0) -> list[Intent]:
    """Runs the step again, and returns what the code asked for, which is what the history says.

    Raises:
        NondeterminismError: it is not; its ``sides`` are there, unless the code could not even take the inputs.
        CodeFailed: the code raised what is no failure.
    """
    event = step.activated.event
    assert isinstance(event, Activated)
    if instance.done:
        raise NondeterminismError(
            f"Expected the code to go on at event {step.activated.seq} (Activated), found that it had already ended"
        )
    intents = instance.activate(
        Activation(
            inputs=step.inputs,
            now_ms=event.now_ms,
            seed=event.seed,
            flags=event.flags,
            history_length=step.activated.seq - 1 - step.accepted,
            history_bytes=history_bytes,
            replaying=True,
            patches=(*_marked(step.outcomes), *step.marked_later),
            deployment=event.deployment,
            build_id=event.build_id,
            target_changed=event.target_changed,
        )
    )
    outcomes = _without_given_up(step.outcomes, intents)
    if len(intents) != len(outcomes) or not all(map(_fits, outcomes, intents)):
        raise _mismatch(instance, intents, outcomes)
    return intents


def _accepted(inputs: Sequence[Recorded], activated: Recorded, copied: Sequence[Copied]) -> int:
    """How many updates were recorded with the step. A reset that copied one, but not its step, left it waiting for another."""
    return sum(
        type(recorded.event) is UpdateAccepted
        and not any(recorded.seq <= one.length < activated.seq for one in copied)
        for recorded in inputs
    )


def _marked(outcomes: list[Recorded]) -> tuple[str, ...]:
    return tuple(
        [recorded.event.patch_id for recorded in outcomes if type(recorded.event) is PatchMarked]
    )


def _without_given_up(outcomes: list[Recorded], intents: list[Intent]) -> list[Recorded]:
    """Leaves out the marks of deprecated patches that the code does not mention any more."""
    given_up = {
        recorded.event.patch_id
        for recorded in outcomes
        if type(recorded.event) is PatchMarked and recorded.event.deprecated
    }
    if not given_up:
        return outcomes
    given_up -= {intent.patch_id for intent in intents if type(intent) is MarkPatch}
    return [
        recorded
        for recorded in outcomes
        if not (type(recorded.event) is PatchMarked and recorded.event.patch_id in given_up)
    ]


def _fits(recorded: Recorded, intent: Intent) -> bool:
    """Whether the code asks again for what the history has at this place."""
    event = recorded.event
    match intent:
        case ScheduleActivity():
            return (
                type(event) is ActivityScheduled
                and event.op == intent.op
                and event.activity_type == intent.activity_type
                and event.activity_id == intent.activity_id
                and event.local == intent.local
            )
        case StartTimer():
            return type(event) is TimerStarted and event.op == intent.op
        case CancelActivity():
            return type(event) is ActivityCancelRequested and event.op == intent.op
        case CancelTimer():
            return type(event) is TimerCanceled and event.op == intent.op
        case MarkPatch():
            return type(event) is PatchMarked and event.patch_id == intent.patch_id
        case UpsertMemo():
            return type(event) is MemoUpserted
        case UpsertSearchAttributes():
            return type(event) is SearchAttributesUpserted
        case StartChild():
            return (
                type(event) is ChildInitiated
                and event.op == intent.op
                and event.workflow_type == intent.workflow_type
                and event.child_workflow_id == intent.workflow_id
            )
        case CancelChild():
            return type(event) is ChildCancelRequested and event.op == intent.op
        case SignalExternal():
            return (
                type(event) is ExternalSignalSent
                and event.op == intent.op
                and event.signal_name == intent.signal_name
                and event.target.workflow_id == intent.target.workflow_id
            )
        case CancelExternal():
            return (
                type(event) is ExternalCancelSent
                and event.op == intent.op
                and event.target.workflow_id == intent.target.workflow_id
            )
        case CompleteUpdate():
            return type(event) is UpdateCompleted and event.update_id == intent.update_id
        case CompleteRun():
            return type(event) is WorkflowCompleted
        case FailRun():
            return type(event) is WorkflowFailed
        case CancelRun():
            return type(event) is WorkflowCanceled
        case ContinueAsNew():
            return type(event) is WorkflowContinuedAsNew
        case _:
            assert_never(intent)


def _mismatch(
    instance: Instance, intents: list[Intent], outcomes: list[Recorded]
) -> NondeterminismError:
    places: list[Place | None] = [*instance.operations.places, *[None] * len(outcomes)]
    at = next(
        (
            index
            for index, (recorded, intent) in enumerate(zip(outcomes, intents, strict=False))
            if not _fits(recorded, intent)
        ),
        min(len(outcomes), len(intents)),
    )
    expected = _event_text(outcomes[at]) if at < len(outcomes) else "nothing more in this step"
    if at < len(intents):
        found = f"{intent_text(intents[at])} asked for at {places[at] or 'the end of the code'}"
    else:
        found = f"nothing asked for; {_waiting_text(instance)}"
    error = NondeterminismError(
        f"Expected {expected}, found {found}: the code of workflow "
        f"{instance.definition.name or instance.facts.started.workflow_type!r} does not do what the history of run "
        f"{instance.facts.run_id} says; restore the old code or guard the change with workflow.patched()"
    )
    error.sides = Sides(tuple(outcomes), tuple(intents), tuple(places[: len(intents)]), at)
    return error


def _event_text(recorded: Recorded) -> str:
    event = recorded.event
    place = getattr(event, "place", "")
    asked = f", asked for at {place} then" if place else ""
    return f"event {recorded.seq} {type(event).__name__}{_label(event)}{asked}"


def intent_text(intent: Intent) -> str:
    return f"{type(intent).__name__}{_label(intent)}"


def _label(value: object) -> str:
    kind = getattr(value, "activity_type", "") or getattr(value, "patch_id", "")
    op = getattr(value, "op", 0)
    what = f" {kind!r}" if kind else ""
    return f"{what} (operation {op})" if op else what


def _waiting_text(instance: Instance) -> str:
    """Where the code waits instead."""
    if instance.done:
        return "the code had ended"
    tasks = instance.loop.unfinished()
    place = next((found for task in tasks if (found := suspended_place(task.get_coro()))), None)
    return f"the code waits at {place}" if place else "the code waits"

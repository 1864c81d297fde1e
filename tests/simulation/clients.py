"""What clients were told must agree with the log, and with what they were told before."""

from __future__ import annotations

from collections import Counter

from streamflow.client.errors import WorkflowFailureError, WorkflowUpdateFailedError
from streamflow.engine.state import STATUS_OF
from streamflow.exceptions import ApplicationError, WorkflowAlreadyStartedError
from streamflow.model.events import (
    CancelRequested,
    UpdateAccepted,
    UpdateCompleted,
    WorkflowCompleted,
    WorkflowTerminated,
)
from tests.simulation.histories import Histories, RunHistory, signals_of
from tests.simulation.programs import REFUSED, changed
from tests.simulation.scene import Call, World
from tests.simulation.values import json_of


def starts(world: World, histories: Histories) -> list[str]:
    found: list[str] = []
    for call in _answered(world, "start"):
        runs = histories.of(call.workflow.id)
        told = call.succeeded or isinstance(
            call.error, WorkflowAlreadyStartedError | WorkflowFailureError
        )
        if told and not runs:
            found.append(f"{call.workflow.id}: told of a start that is not in the log: {call}")
        elif call.succeeded and call.workflow.executes:
            last = runs[-1].events[-1].event
            result = json_of(last.result) if isinstance(last, WorkflowCompleted) else last
            if result != call.answer:
                found.append(f"{call.workflow.id}: told {call.answer}, log has {result}")
        elif call.succeeded and call.answer:
            # A start with a signal may have met the open run, and a later one of the chain.
            begun = [run.run_id for run in runs if run is runs[0] or call.workflow.with_signal]
            if call.answer not in begun:
                found.append(f"{call.workflow.id}: told of run {call.answer}, log has {begun}")
    return found


def signals_told(world: World, histories: Histories) -> list[str]:
    """A signal is there once if its sender was told so, and never twice."""
    found: list[str] = []
    for workflow in world.plan.workflows:
        there = Counter(signals_of(histories.of(workflow.id)))
        found += [
            f"{workflow.id}: signal {v} is there {n} times" for v, n in there.items() if n > 1
        ]
        for call in _answered(world, "signal"):
            missing = call.workflow is workflow and not there[call.value]
            if missing and call.succeeded and not _only_durable(world, call):
                found.append(
                    f"{workflow.id}: signal {call.value} was acknowledged and is not there"
                )
    return found


def updates_told(world: World, histories: Histories) -> list[str]:
    """An update is accepted once in all; who was told of its end was told what the log has, and of a refusal it has nothing."""
    found: list[str] = []
    for workflow in world.plan.workflows:
        events = [r.event for run in histories.of(workflow.id) for r in run.events]
        accepted = Counter(e.update_id for e in events if isinstance(e, UpdateAccepted))
        found += [f"update {id_} is accepted {n} times" for id_, n in accepted.items() if n > 1]
        ended = {e.update_id for e in events if isinstance(e, UpdateCompleted)}
        for call in _answered(world, "update"):
            if call.workflow is not workflow:
                continue
            if call.succeeded and (call.answer != changed(call.value) or call.value not in ended):
                found.append(f"{workflow.id}: update {call.value} told {call.answer}, log {ended}")
            if isinstance(call.error, WorkflowUpdateFailedError):
                cause = call.error.cause
                refused = isinstance(cause, ApplicationError) and cause.type == REFUSED
                if refused == (call.value in accepted):
                    found.append(f"{workflow.id}: update {call.value} failed with {cause!r}")
    return found


def ends_told(world: World, histories: Histories) -> list[str]:
    found: list[str] = []
    for kind, event in (("cancel", CancelRequested), ("end", WorkflowTerminated)):
        for call in _answered(world, kind):
            runs = histories.of(call.workflow.id)
            there = any(isinstance(r.event, event) for run in runs for r in run.events)
            excused = _only_durable(world, call) or (
                kind == "cancel" and _was_over(world, call, runs)
            )
            if call.succeeded and runs and not there and not excused:
                found.append(f"{call.workflow.id}: {kind} was acknowledged and is not there")
    return found


def _was_over(world: World, call: Call, runs: list[RunHistory]) -> bool:
    """Whether a run had ended by the answer, by the broker's clock: cancelling what is over is done. The marker of the end may
    come after that of the answer, on another partition."""
    assert call.answered_ms is not None
    clock = world.broker.clock
    answered_ms = call.answered_ms + clock.now_ms() - clock.monotonic_ms()
    return any(
        type(recorded.event) in STATUS_OF and line.record.timestamp_ms <= answered_ms
        for run in runs
        for recorded, line in zip(run.events, run.lines, strict=True)
    )


def queries_told(world: World, histories: Histories) -> list[str]:
    """A query sees every signal acknowledged before it was asked, in the order of the log, and none that is not there."""
    found: list[str] = []
    for call in _answered(world, "query"):
        if not call.succeeded or call.workflow.heals_late:
            continue
        runs = histories.of(call.workflow.id)
        order = signals_of(runs)
        if call.answer != order[: len(call.answer)]:
            found.append(f"{call.workflow.id}: query saw {call.answer}, log has {order}")
        for signal in _answered(world, "signal"):
            if signal.workflow is not call.workflow or not signal.succeeded:
                continue
            assert signal.answered_ms is not None
            if _only_durable(world, signal) or isinstance(
                runs[-1].events[-1].event, WorkflowTerminated
            ):
                continue  # not in the run yet, or never shown to its code
            if signal.answered_ms < call.sent_ms and signal.value not in call.answer:
                found.append(f"{call.workflow.id}: query at {call.sent_ms} missed {signal.value}")
    return found


def _only_durable(world: World, call: Call) -> bool:
    """Whether nobody was up to answer: then success only says that the command is in the log, and it may be refused yet."""
    assert call.answered_ms is not None
    return any(call.sent_ms - 1_000 <= at_ms <= call.answered_ms + 200 for at_ms in world.silent_ms)


def _answered(world: World, kind: str) -> list[Call]:
    return [c for c in world.calls if c.message.kind == kind and c.answered_ms is not None]

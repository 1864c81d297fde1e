"""The ways of a run, from its start to each kind of end: together they decide every kind of event."""

from __future__ import annotations

from streamflow.engine.decide.messages import decide_cancel, decide_terminate
from streamflow.engine.decide.relations import decide_child_report, decide_external_report
from streamflow.model.commands import ActivityOutcome, CancelWorkflow, TerminateWorkflow
from streamflow.model.ids import Op, RunId, WorkflowId
from streamflow.model.intents import (
    CancelActivity,
    CancelRun,
    CancelTimer,
    CompleteRun,
    CompleteUpdate,
    ContinueAsNew,
    FailRun,
    MarkPatch,
    StartTimer,
    UpsertMemo,
    UpsertSearchAttributes,
)
from streamflow.model.options import RetryPolicy, Status
from streamflow.model.relations import (
    CancelChild,
    CancelExternal,
    ChildNews,
    ReportChild,
    ReportExternal,
    SignalExternal,
    StartChild,
    Target,
)
from tests.unit.engine.driven import FAILED, Driven, W, charge


def completed() -> Driven:
    driven = Driven()
    driven.activate(charge(), StartTimer(op=Op(2), duration_ms=5_000))
    driven.report(ActivityOutcome.COMPLETED)
    driven.update("u")
    driven.activate(CompleteUpdate(update_id="u"))
    driven.activate(MarkPatch(patch_id="p"), UpsertMemo(), UpsertSearchAttributes())
    driven.pass_time(5_000)
    driven.decided(driven.signal())
    driven.activate(CompleteRun())
    return driven


def failed() -> Driven:
    driven = Driven()
    driven.activate(charge(retry_policy=RetryPolicy(maximum_attempts=1)))
    driven.report(ActivityOutcome.FAILED)
    driven.activate(FailRun(failure=FAILED))
    return driven


def canceled() -> Driven:
    driven = Driven()
    driven.activate(charge(), StartTimer(op=Op(2), duration_ms=5_000))
    driven.decided(decide_cancel(driven.run, CancelWorkflow(workflow_id=W)))
    driven.activate(CancelActivity(op=Op(1)), CancelTimer(op=Op(2)))
    driven.report(ActivityOutcome.CANCELED)
    driven.activate(CancelRun())
    return driven


def continued() -> Driven:
    driven = Driven()
    driven.activate(ContinueAsNew())
    return driven


def terminated() -> Driven:
    driven = Driven()
    driven.decided(decide_terminate(driven.run, TerminateWorkflow(workflow_id=W)))
    return driven


def timed_out() -> Driven:
    driven = Driven(execution_timeout_ms=1_000)
    driven.pass_time(1_000)
    return driven


def related() -> Driven:
    """Starts children and sends messages, and hears everything that there is to hear of them."""
    driven = Driven()
    driven.activate(
        StartChild(op=Op(1), workflow_id=WorkflowId("c"), workflow_type="Child"),
        StartChild(op=Op(2), workflow_id=WorkflowId("d"), workflow_type="Child", queue="no"),
        SignalExternal(op=Op(3), target=Target(workflow_id=WorkflowId("x")), signal_name="s"),
        CancelExternal(op=Op(4), target=Target(workflow_id=WorkflowId("x"), queue="no")),
    )
    child = RunId("child")
    for news in (ChildNews.STARTED, ChildNews.CANCEL_DELIVERED, ChildNews.CLOSED):
        report = ReportChild(
            workflow_id=W,
            run_id=driven.run.run_id,
            op=Op(1),
            news=news,
            child_run_id=child,
            status=Status.COMPLETED,
        )
        driven.decided(decide_child_report(driven.run, report))
        if news is ChildNews.STARTED:
            driven.activate(CancelChild(op=Op(1)))
    answered = ReportExternal(workflow_id=W, run_id=driven.run.run_id, op=Op(3))
    driven.decided(decide_external_report(driven.run, answered))
    return driven


WAYS = {
    Status.COMPLETED: completed,
    Status.FAILED: failed,
    Status.CANCELED: canceled,
    Status.CONTINUED_AS_NEW: continued,
    Status.TERMINATED: terminated,
    Status.TIMED_OUT: timed_out,
}

"""In which order one batch takes what has come."""

from __future__ import annotations

from streamflow.model.commands import (
    ActivityOutcome,
    ConfirmTasks,
    ReportActivity,
    StartWorkflow,
    TaskRef,
)
from streamflow.model.ids import Op, RunId, WorkflowId
from streamflow.processor.state.work import Work
from streamflow.processor.turns.inbound import Groups
from streamflow.processor.turns.order import in_turn


def test_a_question_about_tasks_waits_for_the_ends_that_stand_before_it() -> None:
    """It may be about workflows other than the one that it is filed under, even where that one's turn comes first."""
    first, second = _report("a"), _report("b")
    question = ConfirmTasks(
        workflow_id=first.workflow_id,
        tasks=((first.workflow_id, first.task), (second.workflow_id, second.task)),
    )

    order = _commands({(0, "a"): [Work(first), Work(question)], (0, "b"): [Work(second)]})

    assert order == [first, second, question]


def test_new_starts_come_after_what_others_wait_for() -> None:
    """A burst of starts does not hold up the runs that are under way."""
    start = StartWorkflow(workflow_id=WorkflowId("new"), workflow_type="Order")
    report = _report("old")

    order = _commands({(0, "new"): [Work(start)], (0, "old"): [Work(report)]})

    assert order == [report, start]


def _commands(groups: Groups) -> list[object]:
    return [work.command for _, works in in_turn(groups) for work in works]


def _report(workflow_id: str) -> ReportActivity:
    task = TaskRef(run_id=RunId(f"run-{workflow_id}"), op=Op(0), attempt=1, token=b"")
    return ReportActivity(
        workflow_id=WorkflowId(workflow_id), task=task, outcome=ActivityOutcome.COMPLETED
    )

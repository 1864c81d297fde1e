"""What the tests of commands ask of `programs.Counter`, and how they read the answers."""

from __future__ import annotations

from streamflow.model.answers import Description, Done, Reason, Rejection, Trouble
from streamflow.model.commands import DescribeWorkflow, QueryWorkflow, SignalWorkflow
from streamflow.model.ids import RunId, WorkflowId
from tests.unit.processor.stage import Stage, payload

W = WorkflowId("w")
RUN = RunId("11111111-1111-4111-8111-111111111111")
END = SignalWorkflow(workflow_id=W, signal_name="end")
COUNT = QueryWorkflow(workflow_id=W, query_name="count")


def add(what: str, workflow_id: str = "w") -> SignalWorkflow:
    return SignalWorkflow(
        workflow_id=WorkflowId(workflow_id), signal_name="add", args=(payload(what),)
    )


def run_of(answer: object) -> RunId:
    assert isinstance(answer, Done), answer
    return answer.run_id


def refusal(answer: object) -> Reason:
    assert isinstance(answer, Rejection), answer
    return answer.reason


def trouble(stage: Stage, workflow_id: str = "w") -> Trouble | None:
    description = stage.ask(DescribeWorkflow(workflow_id=WorkflowId(workflow_id)))
    assert isinstance(description, Description)
    return description.trouble

"""What a run may be asked of at most, through a whole processor."""

from __future__ import annotations

import pytest

from streamflow import workflow
from streamflow.engine.context import Limits
from streamflow.engine.sizes import failure_bytes
from streamflow.exceptions import ApplicationError
from streamflow.model.answers import Done, Reason, Rejection, UpdateOutcome
from streamflow.model.commands import SignalWorkflow, UpdateWorkflow
from streamflow.model.ids import WorkflowId
from streamflow.model.options import IdConflictPolicy
from tests.unit.processor.programs import Buggy, Fault
from tests.unit.processor.stage import Stage, payload, start

BOUND = 3


@workflow.defn
class Picky:
    """Refuses every update, at length."""

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def change(self) -> None: ...

    @change.validator
    def _check(self) -> None:
        raise ApplicationError("no", "x" * 2_000, type="No")


def test_a_start_with_a_signal_does_not_pass_the_bound_of_waiting_inputs_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A stuck run takes as many as it may, by either way, and then refuses both with advice."""
    monkeypatch.setattr(Fault, "error", ValueError("bug"))
    stage = Stage([Buggy], limits=Limits(waiting_inputs_max=BOUND))
    stage.begin("Buggy")
    signal = SignalWorkflow(workflow_id=WorkflowId("w"), signal_name="s", args=(payload(1),))
    beside = start("Buggy", signal_name="s", id_conflict_policy=IdConflictPolicy.USE_EXISTING)

    answers = [stage.ask(beside) for _ in range(BOUND + 1)]

    accepted = [answer for answer in answers if isinstance(answer, Done)]
    refused = [answer for answer in answers if isinstance(answer, Rejection)]
    assert len(accepted) < BOUND + 1
    assert {answer.reason for answer in refused} == {Reason.LIMIT_EXCEEDED}
    told = stage.ask(signal)
    assert isinstance(told, Rejection)
    assert told.message == refused[-1].message
    assert stage.kinds().count("SignalReceived") == len(accepted)


def test_an_update_is_refused_with_the_beginning_of_what_no_record_could_hold() -> None:
    """The refusal is remembered for copies; whole it would put the workflow aside."""
    stage = Stage([Picky], limits=Limits(payload_bytes_max=1_000))
    stage.begin("Picky")

    answer = stage.ask(
        UpdateWorkflow(workflow_id=WorkflowId("w"), update_id="u", update_name="change")
    )

    assert isinstance(answer, UpdateOutcome)
    assert answer.failure is not None
    assert answer.failure.type == "No"
    assert answer.failure.message.startswith("no (shortened")
    assert failure_bytes(answer.failure) <= 1_000

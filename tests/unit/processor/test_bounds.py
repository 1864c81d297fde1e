"""What a run may be asked of at most, through a whole processor."""

from __future__ import annotations

import pytest

from streamflow.engine.context import Limits
from streamflow.model.answers import Done, Reason, Rejection
from streamflow.model.commands import SignalWorkflow
from streamflow.model.ids import WorkflowId
from streamflow.model.options import IdConflictPolicy
from tests.unit.processor.programs import Buggy, Fault
from tests.unit.processor.stage import Stage, payload, start

BOUND = 3


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

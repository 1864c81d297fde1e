"""What a run that a reset made has from the one before it, and what begins anew."""

from __future__ import annotations

import asyncio

from streamflow import workflow
from streamflow.model.answers import Description, Done, QueryAnswer
from streamflow.model.commands import DescribeWorkflow, QueryWorkflow, UpdateWorkflow
from streamflow.model.control import ResetWorkflow
from streamflow.model.ids import WorkflowId
from tests.unit.processor.programs import Sleeper
from tests.unit.processor.stage import Stage, payload

W = WorkflowId("w")


@workflow.defn(name="Measuring")
class Measuring:
    """Its update does something else where the history is longer."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    @workflow.run
    async def run(self) -> None:
        await asyncio.sleep(3_600)

    @workflow.update
    async def look(self) -> None:
        info = workflow.info()
        length = info.get_current_history_length()
        self.seen.append((length, info.get_current_history_size()))
        if length > 3:
            await asyncio.sleep(7)

    @workflow.query
    def looked(self) -> list[tuple[int, int]]:
        return self.seen


def test_an_update_that_a_reset_left_waiting_sees_in_a_replay_what_it_saw() -> None:
    """It was in the history before the step that takes it: elsewhere both are recorded together."""
    stage = Stage([Measuring])
    stage.begin("Measuring")
    stage.ask(UpdateWorkflow(workflow_id=W, update_id="u", update_name="look"))
    accepted = stage.kinds().index("UpdateAccepted") + 1
    ask = QueryWorkflow(workflow_id=W, query_name="looked")

    assert isinstance(
        stage.ask(ResetWorkflow(workflow_id=W, run_id=None, event_id=accepted + 1)), Done
    )
    live = stage.ask(ask)
    stage.restart(crash=True)
    replayed = stage.ask(ask)
    stage.pass_time(10_000)

    assert isinstance(live, QueryAnswer)
    assert replayed == live
    described = stage.ask(DescribeWorkflow(workflow_id=W))
    assert isinstance(described, Description)
    assert described.trouble is None


def test_the_execution_timeout_counts_anew_from_a_reset() -> None:
    """Or a run that ended by it could not be gone on with."""
    stage = Stage([Sleeper])
    stage.begin("Sleeper", args=(payload(60),), execution_timeout_ms=90_000)
    stage.pass_time(61_000)
    first_timer = stage.kinds().index("TimerStarted") + 1
    stage.pass_time(60_000)

    assert isinstance(
        stage.ask(ResetWorkflow(workflow_id=W, run_id=None, event_id=first_timer)), Done
    )
    stage.pass_time(61_000)

    assert stage.kinds()[-1] == "WorkflowCompleted"

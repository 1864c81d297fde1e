"""What a processor believes of topics that were deleted while it runs."""

from __future__ import annotations

from streamflow import workflow
from streamflow.exceptions import ChildWorkflowError
from streamflow.memory.log import MemoryLog
from streamflow.model.answers import Done
from streamflow.model.commands import SignalWorkflow
from streamflow.model.ids import WorkflowId
from streamflow.processor.host.destinations import REFRESH_MS, Destinations
from streamflow.topology import inbox_topic
from tests.unit.processor.stage import NS, Stage, payload

OTHER = "other"
INBOX = inbox_topic(NS, OTHER)


@workflow.defn(name="Delegating")
class Delegating:
    """Starts a child on the other queue once it is told to."""

    def __init__(self) -> None:
        self.told = False

    @workflow.signal
    def add(self, what: str) -> None:
        self.told = True

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.told)
        try:
            await workflow.execute_child_workflow("Hello", id="child", task_queue=OTHER)
        except ChildWorkflowError:
            return "no such queue"
        return "?"


def delete(log: MemoryLog) -> None:
    log.delete_topics([topic for topic in log.topics() if f".{OTHER}." in topic])


def test_a_queue_that_was_deleted_is_none_to_start_a_child_on() -> None:
    stage = Stage([Delegating])
    setup = stage.another_queue(OTHER)
    stage.begin("Delegating")
    stage.pass_time(2 * REFRESH_MS)
    delete(setup)
    for _ in range(3):
        stage.clock.advance(REFRESH_MS)
        stage.settle()

    signal = SignalWorkflow(workflow_id=WorkflowId("w"), signal_name="add", args=(payload("x"),))

    assert isinstance(stage.ask(signal), Done)
    assert stage.kinds()[-1] == "WorkflowCompleted"
    assert "ChildStartFailed" in stage.kinds()


def test_one_snapshot_alone_forgets_nothing() -> None:
    """A broker may be behind the others, and not know yet what another has said."""
    stage = Stage([Delegating])
    setup = stage.another_queue(OTHER)
    destinations = Destinations(stage.log, NS)
    destinations.refresh()
    delete(setup)

    stage.clock.advance(REFRESH_MS)
    destinations.refresh()
    after_one = destinations.partitions(INBOX)
    stage.clock.advance(REFRESH_MS)
    destinations.refresh()

    assert after_one == 1
    assert destinations.partitions(INBOX) == 0

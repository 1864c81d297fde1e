"""A question to the log that fails in the middle of a batch: whoever the batch had not come to yet is stepped all the same."""

from __future__ import annotations

from streamflow.memory.faults import Faults, Rates
from streamflow.model.commands import FromRun, SignalWorkflow
from streamflow.model.ids import WorkflowId
from streamflow.model.options import Parent
from streamflow.topology import partition_for
from tests.unit.processor.programs import Local, Sleeper
from tests.unit.processor.stage import NS, Hands, Stage, payload

SENDER = Parent(
    namespace=NS,
    queue="q",
    workflow_id="sender",
    run_id="r",
    op=1,
    root_workflow_id="sender",
    root_run_id="r",
)


def in_partition(number: int) -> str:
    """A workflow of that partition of two."""
    names = (f"w{n}" for n in range(100))
    return next(name for name in names if partition_for(name, 2) == number)


def staged(hands: Hands | None = None) -> Stage:
    """Two partitions, another queue that a message may be meant for, and a log that will not say who lives there."""
    faults = Faults(unavailable_calls=frozenset({"live_members"}))
    stage = Stage([Sleeper, Local], partitions=2, local=hands, faults=faults)
    stage.another_queue("other")
    return stage


def fail_a_turn(stage: Stage) -> None:
    """Its first step, in the first partition, asks in vain where else a message might go."""
    stage.broker.faults.rates = Rates(unavailable=1.0)
    nobody = WorkflowId(in_partition(0))
    message = SignalWorkflow(
        workflow_id=nobody, signal_name="x", origin=FromRun(sender=SENDER, seeks=True)
    )
    stage.send(message, reply=False)
    aborted = stage.processor.counters.aborted
    stage.processor.turn()
    assert stage.processor.counters.aborted == aborted + 1
    stage.broker.faults.calm()


def test_a_timer_of_another_partition_still_fires() -> None:
    stage, sleeper = staged(), in_partition(1)
    stage.begin("Sleeper", sleeper, args=(payload(60),))
    stage.pass_time(59_500)
    stage.clock.advance(600)

    fail_a_turn(stage)
    stage.settle()

    assert stage.kinds(sleeper)[-1] == "WorkflowCompleted"


def test_the_end_of_a_local_activity_is_still_taken() -> None:
    hands = Hands()
    stage, calling = staged(hands), in_partition(1)
    stage.begin("Local", calling)
    hands.end(hands.begun[-1])

    fail_a_turn(stage)
    stage.settle()

    assert stage.kinds(calling)[-1] == "WorkflowCompleted"
    assert len(hands.begun) == 1

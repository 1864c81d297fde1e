"""The disk of the state folder takes nothing more: the processor says so, loses nothing, and goes on when there is room."""

from __future__ import annotations

import pytest

from streamflow.model.answers import Done, QueryAnswer
from streamflow.model.commands import QueryWorkflow, SignalWorkflow
from streamflow.model.ids import WorkflowId
from streamflow.processor.partitions.ownership import DISK_LOOK_MS
from tests.unit.processor.programs import Counter
from tests.unit.processor.stage import Stage, payload, start

COUNT = QueryWorkflow(workflow_id=WorkflowId("w"), query_name="count")
ADD = SignalWorkflow(workflow_id=WorkflowId("w"), signal_name="add", args=(payload("x"),))


def counting() -> Stage:
    stage = Stage([Counter])
    stage.begin("Counter")
    stage.send(ADD)
    stage.settle()
    return stage


def turns(stage: Stage, count: int) -> None:
    """With the time that the processor asks for in between."""
    for _ in range(count):
        stage.broker.run()
        stage.clock.advance(stage.processor.turn() or 1)
    stage.broker.run()


def test_a_processor_whose_disk_is_full_is_not_ready() -> None:
    stage = counting()
    stage.stores.full = True
    stage.send(ADD)
    turns(stage, 50)

    assert not stage.processor.ready
    assert stage.processor.counters.unwritable == 1


def test_it_goes_on_by_itself_when_there_is_room() -> None:
    """What was committed while the store could not follow is there, once; and so is what came meanwhile."""
    stage = counting()
    stage.stores.full = True
    for _ in range(3):
        stage.send(ADD)
        turns(stage, 20)
    stage.stores.full = False
    stage.clock.advance(DISK_LOOK_MS)

    assert stage.ask(COUNT) == QueryAnswer(result=payload(4))
    assert stage.processor.ready


def test_it_waits_without_haste() -> None:
    """Nothing is turned round and round while the disk is full."""
    stage = counting()
    stage.stores.full = True
    stage.send(ADD)
    turns(stage, 10)

    waits = [stage.processor.turn() for _ in range(5)]

    assert all(wait_ms is not None and wait_ms >= 50 for wait_ms in waits)


@pytest.mark.parametrize("disk", ["kept", "empty"])
def test_a_process_that_begins_on_a_full_disk_waits_for_room(disk: str) -> None:
    stage = counting()
    stage.log.crash()
    stage.stores.crash()
    if disk == "empty":
        stage.stores = type(stage.stores)()
    stage.stores.full = True
    stage.start()
    turns(stage, 20)
    assert not stage.processor.ready
    stage.stores.full = False
    turns(stage, 30)

    assert stage.ask(COUNT) == QueryAnswer(result=payload(1))


def test_others_may_take_over_meanwhile() -> None:
    """A process that ends on a full disk hands over what the log has."""
    stage = counting()
    stage.stores.full = True
    stage.send(ADD)
    turns(stage, 20)
    stage.processor.close()
    stage.stores = type(stage.stores)()
    stage.start("other")

    assert stage.ask(COUNT) == QueryAnswer(result=payload(2))
    assert isinstance(stage.ask(start("Counter", "another")), Done)

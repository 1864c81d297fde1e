"""The tables of children and of messages to other runs, exercised to the last entry, and what code sees on each way."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from streamflow import workflow
from streamflow.coroutine.beginning import begin_child, begin_message
from streamflow.coroutine.errors import NondeterminismError
from streamflow.coroutine.instance import Instance
from streamflow.coroutine.machines import child, external
from streamflow.coroutine.machines.child import ChildHandle, ChildMachine, ChildRequest
from streamflow.coroutine.machines.external import CancelRequest, ExternalMachine, SignalRequest
from streamflow.exceptions import ChildWorkflowError, RetryState
from streamflow.model.failure import Failure, FailureKind
from streamflow.model.ids import Op, RunId, WorkflowId
from streamflow.model.options import Status
from streamflow.model.relations import (
    ChildCancelDelivered,
    ChildCancellationType,
    ChildClosed,
    ChildOptions,
    ChildStarted,
    ChildStartFailed,
    ExternalAnswered,
    StartRefusal,
    Target,
)
from tests.unit.coroutine.test_machines import reach
from tests.unit.coroutine.world import World, driven, failure, kinds

C = child.Cue
CANCELS = {
    C.CANCEL_AND_GO: ChildCancellationType.TRY_CANCEL,
    C.CANCEL_AND_WAIT: ChildCancellationType.WAIT_CANCELLATION_REQUESTED,
    C.ABANDON: ChildCancellationType.ABANDON,
}


async def idle() -> None: ...


def instance() -> Instance:
    return World(driven(idle)).instance


def child_machine(
    kind: ChildCancellationType = ChildCancellationType.WAIT_CANCELLATION_REQUESTED,
) -> ChildMachine:
    owner = instance()
    request = ChildRequest(
        workflow_id=WorkflowId("c"),
        workflow_type="Child",
        options=ChildOptions(cancellation_type=kind),
    )
    return begin_child(owner, request, owner.values, None, handle_class=ChildHandle)


def say_child(machine: ChildMachine, cue: child.Cue) -> None:
    op, run_id = Op(1), RunId("r")
    match cue:
        case C.SENT:
            machine.intent()
        case C.STARTED:
            machine.resolve(ChildStarted(op=op, child_run_id=run_id))
        case C.START_FAILED:
            machine.resolve(ChildStartFailed(op=op, refusal=StartRefusal.ALREADY_STARTED))
        case C.CLOSED:
            machine.resolve(ChildClosed(op=op, child_run_id=run_id, status=Status.COMPLETED))
        case C.CANCEL_DELIVERED:
            machine.resolve(ChildCancelDelivered(op=op))
        case _:
            machine.cancel()


def settle(machine: ChildMachine) -> None:
    """Takes what was raised, so that nothing complains of it."""
    for future in (machine.start, machine.handle):
        if future.done():
            future.exception()


def test_every_transition_of_a_child_leads_where_its_table_says() -> None:
    for (state, cue), after in child.TABLE.items():
        path = [*reach(child.TABLE, child.State.CREATED, state), cue]
        asked = {CANCELS[step] for step in path if step in CANCELS}
        for kind in asked if len(asked) == 1 else {CANCELS.get(cue, CANCELS[C.CANCEL_AND_GO])}:
            machine = child_machine(kind)
            for step in path:
                say_child(machine, step)
            assert machine.state is after, (state, cue)
            settle(machine)


def test_what_a_child_cannot_say_now_is_nondeterminism() -> None:
    cues = [C.STARTED, C.START_FAILED, C.CLOSED, C.CANCEL_DELIVERED]
    for state, cue in itertools.product(child.State, cues):
        if (state, cue) in child.TABLE:
            continue
        machine = child_machine()
        machine.state = state
        with pytest.raises(NondeterminismError, match=f"in state {state.name}, found {cue.name}"):
            say_child(machine, cue)


X = external.Cue


def message_machine(cue: external.Cue = X.CANCEL) -> ExternalMachine:
    owner = instance()
    target = Target(workflow_id=WorkflowId("x"))
    request: SignalRequest | CancelRequest = SignalRequest(target=target, signal_name="s")
    if cue is X.ABANDON:
        request = CancelRequest(target=target)
    machine = begin_message(owner, request, owner.values)._machine
    assert machine is not None
    return machine


def say_message(machine: ExternalMachine, cue: external.Cue) -> None:
    match cue:
        case X.SENT:
            machine.intent()
        case X.ANSWERED:
            machine.resolve(ExternalAnswered(op=Op(1)))
        case _:
            machine.delivery.cancel()


def test_every_transition_of_a_message_leads_where_its_table_says() -> None:
    for (state, cue), after in external.TABLE.items():
        machine = message_machine(cue)
        for step in [*reach(external.TABLE, external.State.CREATED, state), cue]:
            say_message(machine, step)
        assert machine.state is after, (state, cue)
        if machine.delivery.done() and not machine.delivery.cancelled():
            machine.delivery.exception()


def test_an_answer_that_nobody_expects_is_nondeterminism() -> None:
    for state in external.State:
        if (state, X.ANSWERED) in external.TABLE:
            continue
        machine = message_machine()
        machine.state = state
        with pytest.raises(NondeterminismError, match=f"in state {state.name}"):
            say_message(machine, X.ANSWERED)


# -- what code sees --------------------------------------------------------------------------------------------------------


def test_a_child_is_asked_for_and_its_news_wake_the_code() -> None:
    async def code() -> list[Any]:
        handle = await workflow.start_child_workflow("Child", "a", id="c", task_queue="other")
        return [handle.id, handle.first_execution_run_id, await handle]

    world = World(driven(code))
    [asked] = world.step()
    assert (asked.workflow_id, asked.queue, asked.workflow_type) == ("c", "other", "Child")  # type: ignore[union-attr]

    world.child_started(1).rebuild()
    assert world.step() == []
    world.child_closed(1, "done").rebuild()
    world.step()

    assert world.result == ["c", "child-run", "done"]


def test_a_child_without_an_id_gets_the_same_one_on_every_replay() -> None:
    async def code() -> None:
        await workflow.execute_child_workflow("Child")

    world = World(driven(code))
    [asked] = world.step()
    assert len(asked.workflow_id) == 36  # type: ignore[union-attr]

    world.rebuild()


def test_another_child_than_the_history_has_is_nondeterminism() -> None:
    name = "Child"

    async def code() -> None:
        await workflow.execute_child_workflow(name, id="c")

    world = World(driven(code))
    world.step()
    name = "Other"

    with pytest.raises(NondeterminismError, match="Expected event 3 ChildInitiated"):
        world.rebuild()


def test_a_cancelled_child_says_which_it_was() -> None:
    async def code() -> None:
        handle = await workflow.start_child_workflow(
            "Child", id="c", cancellation_type=workflow.ChildWorkflowCancellationType.TRY_CANCEL
        )
        handle.cancel()
        with pytest.raises(ChildWorkflowError) as caught:
            await handle
        error = caught.value
        assert (error.workflow_id, error.workflow_type) == ("c", "Child")
        assert error.run_id == "child-run"
        assert error.retry_state is RetryState.NON_RETRYABLE_FAILURE
        assert handle.done()
        assert not handle.cancel()

    world = World(driven(code))
    world.step()
    world.child_started(1)

    assert kinds(world.step()) == ["CancelChild 1", "CompleteRun"]


def test_a_request_to_cancel_goes_on_when_the_code_lets_go() -> None:
    async def code() -> str:
        handle = workflow.get_external_workflow_handle("x")
        task = asyncio.create_task(handle.cancel())
        await workflow.sleep(1)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            await workflow.sleep(1)
            return "let go"
        return "waited"

    world = World(driven(code))
    assert kinds(world.step()) == ["StartTimer 1", "CancelExternal 2"]
    world.fire(1)
    assert kinds(world.step()) == ["StartTimer 3"]
    world.answered(2, failure("late")).fire(3)
    world.rebuild()
    world.step()

    assert world.result == "let go"


def test_a_child_that_failed_brings_the_whole_chain_of_causes() -> None:
    async def code() -> list[str]:
        with pytest.raises(ChildWorkflowError) as caught:
            await workflow.execute_child_workflow("Child", id="c")
        cause = caught.value.cause
        assert cause is not None
        return [caught.value.message, str(cause), type(cause.__cause__).__name__]

    why = Failure(
        kind=FailureKind.APPLICATION,
        message="no",
        type="Oops",
        cause=Failure(kind=FailureKind.CANCELED),
    )
    world = World(driven(code))
    world.step()
    world.child_started(1).child_closed(1, status=Status.FAILED, why=why)
    world.step()

    assert world.result == ["Child Workflow execution failed", "Oops: no", "CancelledError"]

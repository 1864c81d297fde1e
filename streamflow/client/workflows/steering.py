"""An operator's hand on a whole run. `WorkflowHandle` has these as methods."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from streamflow.client.calls.address import expect
from streamflow.model.answers import Done
from streamflow.model.control import ControlWorkflow, ResetWorkflow, WorkflowControl
from streamflow.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from streamflow.client.workflows.handle import WorkflowHandle


async def pause(
    handle: WorkflowHandle[Any, Any],
    *,
    reason: str = "",
    rpc_timeout: timedelta | None = None,
) -> None:
    """Holds the run's code back until `unpause`. Signals and updates wait, timers fire, and activities go on meanwhile.

    Queries are answered from where the code stands. A paused run shows in ``describe().trouble`` with the kind ``paused``,
    and is found by ``Trouble STARTS_WITH 'paused'``.

    Raises:
        ValueError: none of ``event_id`` and ``seq`` is given, or both.
        RPCError: NOT_FOUND for a run that does not exist, or has ended.
    """
    await _control(handle, WorkflowControl.PAUSE, reason, rpc_timeout)


async def unpause(
    handle: WorkflowHandle[Any, Any], *, rpc_timeout: timedelta | None = None
) -> None:
    """Lets a paused or a quarantined run go on with everything that has come meanwhile; nothing happens to another one.

    A quarantined run whose code ends the process again is put aside again.

    Raises:
        ValueError: none of ``event_id`` and ``seq`` is given, or both.
        RPCError: NOT_FOUND for a run that does not exist, or has ended.
    """
    await _control(handle, WorkflowControl.UNPAUSE, "", rpc_timeout)


async def delete(handle: WorkflowHandle[Any, Any], *, rpc_timeout: timedelta | None = None) -> None:
    """Takes a closed run away at once, with its history and its row in lists, as the end of its retention would.

    One whose history is broken need not be closed, since it takes no closing event.

    Raises:
        RPCError: FAILED_PRECONDITION for an open run: terminate it first. NOT_FOUND for one that does not exist.
    """
    await _control(handle, WorkflowControl.DELETE, "", rpc_timeout)


async def reset(
    handle: WorkflowHandle[Any, Any],
    *,
    event_id: int | None = None,
    seq: int | None = None,
    reapply_signals: bool = True,
    reason: str = "",
    rpc_timeout: timedelta | None = None,
) -> WorkflowHandle[Any, Any]:
    """Goes back to before a step: a new run has done what this one had until then, and makes that step anew.

    An open run is terminated. One whose history is broken is left as it is, and the new one goes on from before its break. The new run's code may be other code than the old one's, as long as it agrees with it up to
    that step. Activities whose results were known by then do not run again; those that were pending do.

    Args:
        event_id: An event of the step, or one that the step takes in, by the number that `fetch_history_events` gives it. As
            with the model a completed workflow task is usual: its step is made anew. 1 is the whole run.
        seq: The same by the number in our own history, which ``streamflow workflow history`` shows. Give one of the two.
        reapply_signals: Give the signals from there on to the new run. Default: yes.

    Returns:
        A handle to the new run.

    Raises:
        ValueError: none of ``event_id`` and ``seq`` is given, or both.
        RPCError: NOT_FOUND for a run that does not exist; INVALID_ARGUMENT for an event that no step follows;
            FAILED_PRECONDITION while child workflows or messages to other workflows are pending at that point.
    """
    from streamflow.client.workflows.handle import WorkflowHandle

    if (event_id is None) is (seq is None):
        raise ValueError(
            f"Expected event_id or seq, found {event_id=} and {seq=}: give one of them"
        )
    address = handle.address
    if seq is None:
        assert event_id is not None
        seq = await _seq_of(handle, event_id, rpc_timeout)
    command = ResetWorkflow(
        workflow_id=address.workflow_id,
        run_id=address.run_id,
        event_id=seq,
        reapply_signals=reapply_signals,
        reason=reason,
        identity=address.client.identity,
    )
    done = expect(await address.ask(command, rpc_timeout), Done)
    return WorkflowHandle(
        address.client,
        handle.id,
        run_id=done.run_id,
        result_run_id=done.run_id,
        first_execution_run_id=done.first_run_id,
        result_type=handle._result_type,
        task_queue=address.queue,
    )


async def _seq_of(
    handle: WorkflowHandle[Any, Any], event_id: int, rpc_timeout: timedelta | None
) -> int:
    """The event of our history that this one tells of, or the next one does where our history has none."""
    run_id, last = "", 0
    events = handle.fetch_history_events(rpc_timeout=rpc_timeout)
    async for event in events:
        run_id, last = events.run_id, event.event_id
        if last >= event_id >= 1 and event.recorded is not None:
            return event.recorded.seq
    raise RPCError(
        f"Expected an event of a step of run {run_id}, whose last event is {last}, found {event_id}",
        RPCStatusCode.INVALID_ARGUMENT,
    )


async def _control(
    handle: WorkflowHandle[Any, Any],
    control: WorkflowControl,
    reason: str,
    rpc_timeout: timedelta | None,
) -> None:
    address = handle.address
    command = ControlWorkflow(
        workflow_id=address.workflow_id,
        run_id=address.run_id,
        control=control,
        reason=reason,
        identity=address.client.identity,
    )
    expect(await address.ask(command, rpc_timeout), Done)

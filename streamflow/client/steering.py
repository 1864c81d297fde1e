"""An operator's hand on a whole run. `WorkflowHandle` has these as methods."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from streamflow.client.address import expect
from streamflow.client.errors import NotYetError
from streamflow.model.answers import Done
from streamflow.model.control import ControlWorkflow, WorkflowControl

if TYPE_CHECKING:
    from streamflow.client.handle import WorkflowHandle


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
        RPCError: NOT_FOUND for a run that does not exist, or has ended.
    """
    await _control(handle, WorkflowControl.PAUSE, reason, rpc_timeout)


async def unpause(
    handle: WorkflowHandle[Any, Any], *, rpc_timeout: timedelta | None = None
) -> None:
    """Lets a paused run go on with everything that has come meanwhile; nothing happens to one that is not paused.

    Raises:
        RPCError: NOT_FOUND for a run that does not exist, or has ended.
    """
    await _control(handle, WorkflowControl.UNPAUSE, "", rpc_timeout)


async def delete(handle: WorkflowHandle[Any, Any], *, rpc_timeout: timedelta | None = None) -> None:
    """Takes a closed run away at once, with its history and its row in lists, as the end of its retention would.

    Raises:
        RPCError: FAILED_PRECONDITION for an open run: terminate it first. NOT_FOUND for one that does not exist.
    """
    await _control(handle, WorkflowControl.DELETE, "", rpc_timeout)


async def reset(handle: WorkflowHandle[Any, Any], *_args: Any, **_options: Any) -> NoReturn:
    """Not in this release: start a new run with `id_reuse_policy`, or mend the code and let the run go on."""
    raise NotYetError("WorkflowHandle.reset")


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

"""An operator's hand on a workflow's pending activities. `WorkflowHandle` has these as methods."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from streamflow.client.activities.options import (
    ActivityExecutionOptions,
    ActivityOptionsUpdate,
    change_of,
    changed_options,
    options_of,
)
from streamflow.client.calls.address import expect
from streamflow.model.answers import Done
from streamflow.model.commands import ActivityControl, ControlActivity

if TYPE_CHECKING:
    from streamflow.client.workflows.handle import WorkflowHandle


async def pause_activity(
    handle: WorkflowHandle[Any, Any],
    activity_id: str | None = None,
    *,
    activity_type: str | None = None,
    reason: str = "",
    rpc_timeout: timedelta | None = None,
) -> None:
    """Begins no further attempt of a pending activity, or of all of a type, until `unpause_activity`.

    An attempt that runs may end; it is told of the pause with its next heartbeat
    (`activity.cancellation_details().paused`). Limits that span attempts go on.

    Raises:
        RPCError: NOT_FOUND when no such activity is pending.
    """
    await _control(
        handle,
        ActivityControl.PAUSE,
        activity_id,
        activity_type,
        rpc_timeout,
        reason=reason,
    )


async def unpause_activity(
    handle: WorkflowHandle[Any, Any],
    activity_id: str | None = None,
    *,
    activity_type: str | None = None,
    reset_attempts: bool = False,
    reset_heartbeat: bool = False,
    rpc_timeout: timedelta | None = None,
) -> None:
    """Lets a paused activity go on: what waits is sent at once.

    Args:
        reset_attempts: Count attempts from 1 again.
        reset_heartbeat: Let the next attempt find no heartbeat details.

    Raises:
        RPCError: NOT_FOUND when no such activity is pending.
    """
    await _control(
        handle,
        ActivityControl.UNPAUSE,
        activity_id,
        activity_type,
        rpc_timeout,
        reset_attempts=reset_attempts,
        reset_heartbeat=reset_heartbeat,
    )


async def reset_activity(
    handle: WorkflowHandle[Any, Any],
    activity_id: str | None = None,
    *,
    activity_type: str | None = None,
    keep_paused: bool = False,
    reset_heartbeat: bool = False,
    restore_original_options: bool = False,
    rpc_timeout: timedelta | None = None,
) -> None:
    """Counts attempts from 1 again, and sends what waits at once. An attempt that runs is followed by the first one if it
    fails; it is told of the reset with its next heartbeat.

    Args:
        keep_paused: Leave a paused activity paused. Default: it goes on.
        reset_heartbeat: Let the next attempt find no heartbeat details.
        restore_original_options: Take back what `update_activity_options` changed.

    Raises:
        RPCError: NOT_FOUND when no such activity is pending.
    """
    await _control(
        handle,
        ActivityControl.RESET,
        activity_id,
        activity_type,
        rpc_timeout,
        keep_paused=keep_paused,
        reset_heartbeat=reset_heartbeat,
        restore_options=restore_original_options,
    )


async def update_activity_options(
    handle: WorkflowHandle[Any, Any],
    activity_id: str | None = None,
    updates: Sequence[ActivityOptionsUpdate[Any]] = (),
    *,
    activity_type: str | None = None,
    restore_original: bool = False,
    rpc_timeout: timedelta | None = None,
) -> ActivityExecutionOptions:
    """Changes options of a pending activity, or of all of a type, and returns the last one's as they are then.

    A task that nobody has begun is sent to a new queue at once. The worker of an attempt that runs keeps to the limits that
    it was sent with, while the engine counts by the new ones.

    Args:
        updates: Made by `ActivityOptionsKeys`; of several for one option the last counts.
        restore_original: Take back earlier changes first. Default: they stay.

    Raises:
        ValueError: nothing is to be changed.
        RPCError: NOT_FOUND when no such activity is pending; INVALID_ARGUMENT when it cannot have these options.
    """
    if not updates and not restore_original:
        raise ValueError(
            "Expected at least one update, such as ActivityOptionsKeys.heartbeat_timeout.value_set(...), or "
            "restore_original=True; found neither"
        )
    done = await _control(
        handle,
        ActivityControl.UPDATE_OPTIONS,
        activity_id,
        activity_type,
        rpc_timeout,
        options=change_of(updates) if updates else None,
        restore_options=restore_original,
    )
    return options_of(changed_options(done))


async def _control(
    handle: WorkflowHandle[Any, Any],
    control: ActivityControl,
    activity_id: str | None,
    activity_type: str | None,
    rpc_timeout: timedelta | None,
    **asked: Any,
) -> Done:
    if (activity_id is None) == (activity_type is None):
        raise ValueError(
            "Expected either an activity_id or an activity_type, found both or neither"
        )
    address = handle.address
    command = ControlActivity(
        workflow_id=address.workflow_id,
        run_id=address.run_id,
        activity_id=activity_id or "",
        activity_type=activity_type or "",
        control=control,
        identity=address.client.identity,
        **asked,
    )
    return expect(await address.ask(command, rpc_timeout), Done)

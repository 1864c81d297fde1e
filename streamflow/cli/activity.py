"""``streamflow activity ...``: an operator's hand on pending activities, and ending those that wait for someone outside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from streamflow.cli.address import Connection, connected
from streamflow.cli.arguments import HERE, Input, Queue, Run, Seconds, WorkflowID, parse_inputs
from streamflow.cli.exits import CommandError, ExitCode

if TYPE_CHECKING:
    from streamflow.client import Client, WorkflowHandle

ActivityID = Annotated[
    str | None,
    Parameter(name=["--activity-id", "-a"], help="The activity's ID, as `workflow describe` says."),
]
ActivityType = Annotated[
    str | None, Parameter(name=["--type"], help="All pending activities of this type instead.")
]
ResetHeartbeat = Annotated[
    bool, Parameter(help="Let the next attempt find no heartbeat details.", negative=())
]


def pause(
    workflow_id: WorkflowID,
    /,
    *,
    activity_id: ActivityID = None,
    activity_type: ActivityType = None,
    reason: Annotated[str, Parameter(help="For whoever looks at it later.")] = "",
    queue: Queue = None,
    run_id: Run = None,
    timeout: Seconds = None,
    connection: Connection = HERE,
) -> int:
    """Begins no further attempt of an activity until it is unpaused; what runs may end."""
    return _control(
        connection,
        (workflow_id, run_id, queue),
        lambda handle: handle.pause_activity(
            activity_id,
            activity_type=_one_of(activity_id, activity_type),
            reason=reason,
            rpc_timeout=_duration(timeout),
        ),
    )


def unpause(
    workflow_id: WorkflowID,
    /,
    *,
    activity_id: ActivityID = None,
    activity_type: ActivityType = None,
    reset_attempts: Annotated[
        bool, Parameter(help="Count attempts from 1 again.", negative=())
    ] = False,
    reset_heartbeat: ResetHeartbeat = False,
    queue: Queue = None,
    run_id: Run = None,
    timeout: Seconds = None,
    connection: Connection = HERE,
) -> int:
    """Lets a paused activity go on, at once."""
    return _control(
        connection,
        (workflow_id, run_id, queue),
        lambda handle: handle.unpause_activity(
            activity_id,
            activity_type=_one_of(activity_id, activity_type),
            reset_attempts=reset_attempts,
            reset_heartbeat=reset_heartbeat,
            rpc_timeout=_duration(timeout),
        ),
    )


def reset(
    workflow_id: WorkflowID,
    /,
    *,
    activity_id: ActivityID = None,
    activity_type: ActivityType = None,
    keep_paused: Annotated[
        bool, Parameter(help="Leave a paused activity paused.", negative=())
    ] = False,
    reset_heartbeat: ResetHeartbeat = False,
    queue: Queue = None,
    run_id: Run = None,
    timeout: Seconds = None,
    connection: Connection = HERE,
) -> int:
    """Counts an activity's attempts from 1 again, and sends what waits at once."""
    return _control(
        connection,
        (workflow_id, run_id, queue),
        lambda handle: handle.reset_activity(
            activity_id,
            activity_type=_one_of(activity_id, activity_type),
            keep_paused=keep_paused,
            reset_heartbeat=reset_heartbeat,
            rpc_timeout=_duration(timeout),
        ),
    )


def complete(
    workflow_id: WorkflowID,
    activity_id: str,
    /,
    *,
    result: Input = None,
    run_id: Run = None,
    timeout: Seconds = None,
    connection: Connection = HERE,
) -> int:
    """Ends a pending activity with a result.

    Parameters
    ----------
    activity_id
        The activity's ID.
    result
        The result as JSON; none is null.
    """
    values = parse_inputs(result)
    if len(values) > 1:
        raise CommandError(
            f"Expected one --input as the result, found {len(values)}", ExitCode.USAGE
        )

    async def call(client: Client) -> int:
        handle = client.get_async_activity_handle(
            workflow_id=workflow_id, run_id=run_id, activity_id=activity_id
        )
        await handle.complete(*values, rpc_timeout=_duration(timeout))
        return ExitCode.OK

    return _run(connection, call)


def fail(
    workflow_id: WorkflowID,
    activity_id: str,
    /,
    *,
    reason: Annotated[str, Parameter(help="The failure's message.")],
    type: Annotated[str, Parameter(help="Its type, for retry policies.")] = "",
    non_retryable: Annotated[
        bool, Parameter(help="Begin no further attempt.", negative=())
    ] = False,
    run_id: Run = None,
    timeout: Seconds = None,
    connection: Connection = HERE,
) -> int:
    """Ends the present attempt of a pending activity; its retry policy says whether another follows.

    Parameters
    ----------
    activity_id
        The activity's ID.
    """
    from streamflow.exceptions import ApplicationError

    async def call(client: Client) -> int:
        handle = client.get_async_activity_handle(
            workflow_id=workflow_id, run_id=run_id, activity_id=activity_id
        )
        error = ApplicationError(reason, type=type or None, non_retryable=non_retryable)
        await handle.fail(error, rpc_timeout=_duration(timeout))
        return ExitCode.OK

    return _run(connection, call)


def _one_of(activity_id: str | None, activity_type: str | None) -> str | None:
    if (activity_id is None) == (activity_type is None):
        raise CommandError("Expected either --activity-id or --type", ExitCode.USAGE)
    return activity_type


def _control(
    connection: Connection,
    meant: tuple[str, str | None, str | None],
    act: Callable[[WorkflowHandle[Any, Any]], Awaitable[None]],
) -> int:
    workflow_id, run_id, queue = meant

    async def call(client: Client) -> int:
        await act(client.get_workflow_handle(workflow_id, run_id=run_id, task_queue=queue))
        return ExitCode.OK

    return _run(connection, call)


def _run(connection: Connection, call: Callable[[Client], Awaitable[int]]) -> int:
    async def connect_and_call() -> int:
        async with connected(connection) as client:
            return await call(client)

    return asyncio.run(connect_and_call())


def _duration(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)

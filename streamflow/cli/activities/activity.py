"""``streamflow activity ...``: an operator's hand on pending activities, and ending those that wait for someone outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from streamflow.cli.shared.address import Connection
from streamflow.cli.shared.arguments import (
    HERE,
    LATEST,
    Input,
    Run,
    Seconds,
    Target,
    WorkflowID,
    duration,
    parse_inputs,
)
from streamflow.cli.shared.calling import called, called_on
from streamflow.cli.shared.exits import CommandError, ExitCode

if TYPE_CHECKING:
    from streamflow.client import Client


@Parameter(name="*")
@dataclass(frozen=True)
class Which:
    """One pending activity of a workflow, or all of a type."""

    activity_id: Annotated[
        str | None,
        Parameter(
            name=["--activity-id", "-a"], help="The activity's ID, as `workflow describe` says."
        ),
    ] = None
    activity_type: Annotated[
        str | None, Parameter(name=["--type"], help="All pending activities of this type instead.")
    ] = None

    def of_one_kind(self) -> Which:
        """Raises `CommandError` unless it is either of the two."""
        if (self.activity_id is None) == (self.activity_type is None):
            raise CommandError("Expected either --activity-id or --type", ExitCode.USAGE)
        return self


NONE_SAID = Which()
ResetHeartbeat = Annotated[
    bool, Parameter(help="Let the next attempt find no heartbeat details.", negative=())
]


def pause(
    workflow_id: WorkflowID,
    /,
    *,
    which: Which = NONE_SAID,
    reason: Annotated[str, Parameter(help="For whoever looks at it later.")] = "",
    target: Target = LATEST,
    connection: Connection = HERE,
) -> int:
    """Begins no further attempt of an activity until it is unpaused; what runs may end."""
    return called_on(
        connection,
        workflow_id,
        target,
        lambda handle: handle.pause_activity(
            which.of_one_kind().activity_id,
            activity_type=which.activity_type,
            reason=reason,
            rpc_timeout=target.patience,
        ),
    )


def unpause(
    workflow_id: WorkflowID,
    /,
    *,
    which: Which = NONE_SAID,
    reset_attempts: Annotated[
        bool, Parameter(help="Count attempts from 1 again.", negative=())
    ] = False,
    reset_heartbeat: ResetHeartbeat = False,
    target: Target = LATEST,
    connection: Connection = HERE,
) -> int:
    """Lets a paused activity go on, at once."""
    return called_on(
        connection,
        workflow_id,
        target,
        lambda handle: handle.unpause_activity(
            which.of_one_kind().activity_id,
            activity_type=which.activity_type,
            reset_attempts=reset_attempts,
            reset_heartbeat=reset_heartbeat,
            rpc_timeout=target.patience,
        ),
    )


def reset(
    workflow_id: WorkflowID,
    /,
    *,
    which: Which = NONE_SAID,
    keep_paused: Annotated[
        bool, Parameter(help="Leave a paused activity paused.", negative=())
    ] = False,
    reset_heartbeat: ResetHeartbeat = False,
    target: Target = LATEST,
    connection: Connection = HERE,
) -> int:
    """Counts an activity's attempts from 1 again, and sends what waits at once."""
    return called_on(
        connection,
        workflow_id,
        target,
        lambda handle: handle.reset_activity(
            which.of_one_kind().activity_id,
            activity_type=which.activity_type,
            keep_paused=keep_paused,
            reset_heartbeat=reset_heartbeat,
            rpc_timeout=target.patience,
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
        await handle.complete(*values, rpc_timeout=duration(timeout))
        return ExitCode.OK

    return called(connection, call)


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
        await handle.fail(error, rpc_timeout=duration(timeout))
        return ExitCode.OK

    return called(connection, call)

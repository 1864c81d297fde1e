"""``streamflow activity start|list|count|describe|result|cancel|terminate``: activities of no workflow, which clients start."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from streamflow.cli.shared import completers
from streamflow.cli.shared.address import Connection
from streamflow.cli.shared.arguments import HERE, Input, Seconds, duration, parse_inputs
from streamflow.cli.shared.calling import called
from streamflow.cli.shared.exits import ExitCode
from streamflow.cli.shared.outcomes import failed_row, print_failure
from streamflow.cli.shared.output import Form, print_data, show, show_list, show_rows

if TYPE_CHECKING:
    from streamflow.client import ActivityHandle, Client

ActivityID = Annotated[str, Parameter(help="The activity's ID.")]
Run = Annotated[
    str | None, Parameter(name=["--run-id", "-r"], help="One of this ID; the latest when left out.")
]
Reason = Annotated[str, Parameter(help="For the history.")]
Query = Annotated[
    str,
    Parameter(name=["--query", "-q"], help="A list filter, such as `ActivityType = 'resize'`."),
]
ATTEMPT_S = 60.0


def start(
    activity_type: Annotated[str, Parameter(help="The name of the activity's type.")],
    /,
    *,
    queue: Annotated[
        str,
        Parameter(name=["--queue", "-q"], help="The task queue.", completer=completers.queues),
    ],
    id: Annotated[
        str | None, Parameter(name=["--id"], help="The activity's ID; random when left out.")
    ] = None,
    input: Input = None,
    start_to_close_timeout: Annotated[
        float, Parameter(help="How long an attempt may take, in seconds.")
    ] = ATTEMPT_S,
    maximum_attempts: Annotated[int, Parameter(help="0 is without limit.")] = 0,
    wait: Annotated[bool, Parameter(help="Wait for the result and print it.")] = False,
    timeout: Seconds = None,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Starts an activity without a workflow. It is tried again until it succeeds, or its attempts are over."""
    from streamflow.common import RetryPolicy

    args = parse_inputs(input)

    async def call(client: Client) -> int:
        handle: ActivityHandle[Any] = await client.start_activity(
            activity_type,
            args=args,
            id=id or str(uuid.uuid4()),
            task_queue=queue,
            start_to_close_timeout=timedelta(seconds=start_to_close_timeout),
            retry_policy=RetryPolicy(maximum_attempts=maximum_attempts),
        )
        if wait:
            return await _print_result(handle, duration(timeout), output)
        show({"activity_id": handle.id, "run_id": handle.run_id, "queue": queue}, output)
        return ExitCode.OK

    return called(connection, call)


def list_(
    *,
    query: Query = "",
    limit: Annotated[int, Parameter(name=["--limit", "-l"], help="At most so many.")] = 50,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Lists activities that clients started, newest first. Those of workflows are in `workflow describe`."""

    async def call(client: Client) -> int:
        rows = [
            {
                "status": one.status.name.lower(),
                "type": one.activity_type,
                "activity_id": one.activity_id,
                "run_id": one.activity_run_id,
                "queue": one.task_queue,
                "scheduled": one.schedule_time,
                "closed": one.close_time,
            }
            async for one in client.list_activities(query, limit=limit)
        ]
        none = "No activity is found by this filter."
        show_list(f"{len(rows)} activities", rows, output, none=none)
        return ExitCode.OK

    return called(connection, call)


def count(*, query: Query = "", output: Form = "table", connection: Connection = HERE) -> int:
    """Counts activities that clients started; with GROUP BY in the filter also by group."""

    async def call(client: Client) -> int:
        found = await client.count_activities(query)
        groups = [
            {"count": group.count, "group": ", ".join(str(value) for value in group.group_values)}
            for group in found.groups
        ]
        if output != "table":
            print_data({"count": found.count, "groups": groups}, output)
        else:
            show({"count": found.count}, output)
            show_rows("Groups", groups)
        return ExitCode.OK

    return called(connection, call)


def describe(
    activity_id: ActivityID,
    /,
    *,
    run_id: Run = None,
    timeout: Seconds = None,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Shows where an activity stands: its attempts, what each of the latest failed with, and when the next one is."""

    async def call(handle: ActivityHandle[Any]) -> None:
        found = await handle.describe(rpc_timeout=duration(timeout))
        failure = await found.last_failure()
        heartbeat = await found.heartbeat_details() if found.has_heartbeat_details() else None
        facts = {
            "activity_id": found.activity_id,
            "run_id": found.activity_run_id,
            "type": found.activity_type,
            "queue": found.task_queue,
            "status": found.status.name.lower(),
            "state": found.run_state and found.run_state.name.lower(),
            "attempt": found.attempt,
            "last_failure": failure and str(failure),
            "next_attempt": found.next_attempt_schedule_time,
            "last_worker": found.last_worker_identity,
            "last_heartbeat": found.last_heartbeat_time,
            "heartbeat_details": heartbeat,
            "scheduled": found.schedule_time,
            "closed": found.close_time,
        }
        failed = [failed_row(attempts) for attempts in found.failed_attempts]
        if output != "table":
            show({**facts, "failed_attempts": failed}, output)
            return
        show(facts, output)
        show_rows("Failed attempts", failed)

    return _called_on(connection, activity_id, run_id, call)


def result(
    activity_id: ActivityID,
    /,
    *,
    run_id: Run = None,
    timeout: Seconds = None,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Waits for the activity's end and prints its result as JSON; a failed activity exits with 1."""
    return _called_on(
        connection,
        activity_id,
        run_id,
        lambda handle: _print_result(handle, duration(timeout), output),
    )


def cancel(
    activity_id: ActivityID,
    /,
    *,
    reason: Reason = "",
    run_id: Run = None,
    timeout: Seconds = None,
    connection: Connection = HERE,
) -> int:
    """Asks an activity to stop; it may clean up first."""
    return _called_on(
        connection,
        activity_id,
        run_id,
        lambda handle: handle.cancel(reason=reason, rpc_timeout=duration(timeout)),
    )


def terminate(
    activity_id: ActivityID,
    /,
    *,
    reason: Reason = "",
    run_id: Run = None,
    timeout: Seconds = None,
    connection: Connection = HERE,
) -> int:
    """Ends an activity at once; an attempt that runs is told that it is not wanted any more."""
    return _called_on(
        connection,
        activity_id,
        run_id,
        lambda handle: handle.terminate(reason=reason, rpc_timeout=duration(timeout)),
    )


def _called_on(
    connection: Connection,
    activity_id: str,
    run_id: str | None,
    call: Callable[[ActivityHandle[Any]], Awaitable[int | None]],
) -> int:
    async def call_on(client: Client) -> int:
        found = await call(client.get_activity_handle(activity_id, run_id=run_id))
        return ExitCode.OK if found is None else found

    return called(connection, call_on)


async def _print_result(
    handle: ActivityHandle[Any], patience: timedelta | None, output: Form
) -> int:
    from streamflow.client import ActivityFailureError

    try:
        print_data(await handle.result(rpc_timeout=patience), output)
    except ActivityFailureError as error:
        print_failure("Activity", error.cause, output)
        return ExitCode.FAILED
    return ExitCode.OK

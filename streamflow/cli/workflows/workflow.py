"""``streamflow workflow ...``: every client operation from a shell. Arguments are JSON."""

from __future__ import annotations

import sys
import uuid
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from streamflow.cli.shared import completers
from streamflow.cli.shared.address import Connection
from streamflow.cli.shared.arguments import (
    HERE,
    LATEST,
    Input,
    Seconds,
    Target,
    WorkflowID,
    WorkflowType,
    duration,
    parse_inputs,
)
from streamflow.cli.shared.calling import called, called_on
from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.outcomes import failed_row, print_failure
from streamflow.cli.shared.output import Form, print_data, show, show_rows

if TYPE_CHECKING:
    from streamflow.client import Client, WorkflowExecutionDescription, WorkflowHandle


def start(
    workflow_type: WorkflowType,
    /,
    *,
    queue: Annotated[
        str,
        Parameter(name=["--queue", "-q"], help="The task queue.", completer=completers.queues),
    ],
    id: Annotated[
        str | None, Parameter(name=["--id"], help="The workflow's ID; random when left out.")
    ] = None,
    input: Input = None,
    id_conflict: Annotated[
        Literal["fail", "use-existing", "terminate-existing"],
        Parameter(help="What to do when a run of this ID is open."),
    ] = "fail",
    id_reuse: Annotated[
        Literal["allow-duplicate", "allow-duplicate-failed-only", "reject-duplicate"],
        Parameter(help="What to do when the last run of this ID is closed."),
    ] = "allow-duplicate",
    start_delay: Annotated[float, Parameter(help="Seconds before the first step.")] = 0,
    signal_name: Annotated[
        str | None,
        Parameter(
            name=["--signal"],
            help="A signal that comes with the start: to the run that is open, or else to the new one.",
        ),
    ] = None,
    signal_input: Annotated[
        list[str] | None,
        Parameter(
            allow_leading_hyphen=True, negative=(), help="An argument of the signal, as --input."
        ),
    ] = None,
    wait: Annotated[bool, Parameter(help="Wait for the result and print it.")] = False,
    timeout: Seconds = None,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Starts a workflow of this type."""
    from streamflow.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

    args, signal_args = parse_inputs(input), parse_inputs(signal_input)
    if signal_args and signal_name is None:
        raise CommandError("Expected --signal with --signal-input, found none", ExitCode.USAGE)

    async def call(client: Client) -> int:
        handle: WorkflowHandle[Any, Any] = await client.start_workflow(
            workflow_type,
            args=args,
            id=id or str(uuid.uuid4()),
            task_queue=queue,
            id_conflict_policy=WorkflowIDConflictPolicy[id_conflict.replace("-", "_").upper()],
            id_reuse_policy=WorkflowIDReusePolicy[id_reuse.replace("-", "_").upper()],
            start_delay=timedelta(seconds=start_delay) if start_delay else None,
            start_signal=signal_name,
            start_signal_args=signal_args,
        )
        if wait:
            return await _print_result(handle, duration(timeout), output)
        show({"workflow_id": handle.id, "run_id": handle.result_run_id, "queue": queue}, output)
        return ExitCode.OK

    return called(connection, call)


def signal(
    workflow_id: WorkflowID,
    signal_name: str,
    /,
    *,
    input: Input = None,
    target: Target = LATEST,
    connection: Connection = HERE,
) -> int:
    """Sends a signal; once this returns it is never lost.

    Parameters
    ----------
    signal_name
        The signal's name.
    """
    args = parse_inputs(input)
    return called_on(
        connection,
        workflow_id,
        target,
        lambda handle: handle.signal(signal_name, args=args, rpc_timeout=target.patience),
    )


def query(
    workflow_id: WorkflowID,
    query_name: str,
    /,
    *,
    input: Input = None,
    target: Target = LATEST,
    output: Form = "json",
    connection: Connection = HERE,
) -> int:
    """Asks the workflow's code and prints the answer, as JSON unless told otherwise. Closed workflows answer too.

    Parameters
    ----------
    query_name
        The query's name.
    """
    args = parse_inputs(input)

    async def call(handle: WorkflowHandle[Any, Any]) -> None:
        answer = await handle.query(query_name, args=args, rpc_timeout=target.patience)
        print_data(answer, output)

    return called_on(connection, workflow_id, target, call)


def stack(
    workflow_id: WorkflowID,
    /,
    *,
    target: Target = LATEST,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Prints where the workflow's code stands: the stack of each of its tasks that waits."""

    async def call(handle: WorkflowHandle[Any, Any]) -> None:
        found = await handle.query("__stack_trace", rpc_timeout=target.patience)
        if output == "table":
            print(found)
        else:
            print_data(found, output)

    return called_on(connection, workflow_id, target, call)


def result(
    workflow_id: WorkflowID,
    /,
    *,
    target: Target = LATEST,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Waits for the workflow's end and prints its result as JSON; a failed workflow exits with 1."""
    return called_on(
        connection,
        workflow_id,
        target,
        lambda handle: _print_result(handle, target.patience, output),
    )


def cancel(
    workflow_id: WorkflowID,
    /,
    *,
    reason: Annotated[str, Parameter(help="For the history and the workflow's code.")] = "",
    target: Target = LATEST,
    connection: Connection = HERE,
) -> int:
    """Asks a workflow to stop; its code may clean up first."""
    return called_on(
        connection,
        workflow_id,
        target,
        lambda handle: handle.cancel(reason=reason, rpc_timeout=target.patience),
    )


def terminate(
    workflow_id: WorkflowID,
    /,
    *,
    reason: Annotated[str, Parameter(help="For the history.")] = "",
    target: Target = LATEST,
    connection: Connection = HERE,
) -> int:
    """Ends a workflow at once, without running more of its code."""
    return called_on(
        connection,
        workflow_id,
        target,
        lambda handle: handle.terminate(reason=reason, rpc_timeout=target.patience),
    )


def describe(
    workflow_id: WorkflowID,
    /,
    *,
    target: Target = LATEST,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Shows where a workflow stands: status, what it waits for, and why it does not move if its code failed."""

    async def call(handle: WorkflowHandle[Any, Any]) -> None:
        _show_description(await handle.describe(rpc_timeout=target.patience), output)

    return called_on(connection, workflow_id, target, call)


def history(
    workflow_id: WorkflowID,
    /,
    *,
    target: Target = LATEST,
    file: Annotated[
        Path | None,
        Parameter(name=["--file", "-f"], help="Write the history there, for `streamflow replay`."),
    ] = None,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Shows a run's events, or saves them as a file."""

    async def call(handle: WorkflowHandle[Any, Any]) -> None:
        found = await handle.fetch_history(rpc_timeout=target.patience)
        if file is not None:
            file.write_text(found.to_json() + "\n", encoding="utf-8")
            print(
                f"{len(found.recorded)} events of run {found.run_id} written to {file}",
                file=sys.stderr,
            )
        elif output == "json":
            print(found.to_json())
        elif output == "jsonl":
            print_data(found.to_json_dict()["events"], output)
        elif output == "yaml":
            print_data(found.to_json_dict(), output)
        else:
            for event in found.to_json_dict()["events"]:
                print(_event_line(event))

    return called_on(connection, workflow_id, target, call)


# -- input and output ---------------------------------------------------------------------------------------------


async def _print_result(
    handle: WorkflowHandle[Any, Any], patience: timedelta | None, output: Form
) -> int:
    from streamflow.client import WorkflowFailureError

    try:
        print_data(await handle.result(rpc_timeout=patience), output)
    except WorkflowFailureError as error:
        print_failure("Workflow", error.cause, output)
        return ExitCode.FAILED
    return ExitCode.OK


def _show_description(description: WorkflowExecutionDescription, output: Form) -> None:
    trouble = description.trouble
    facts: dict[str, Any] = {
        "workflow_id": description.id,
        "run_id": description.run_id,
        "type": description.workflow_type,
        "queue": description.task_queue,
        "status": description.status.name.lower(),
        "parent": description.parent_id,
        "cron_schedule": description.facts.cron_schedule or None,
        "started": description.start_time,
        "closed": description.close_time,
        "history_length": description.history_length,
        "cancel_requested": description.cancel_requested or None,
        "search_attributes": dict(description.search_attributes),
        "trouble": trouble and f"{trouble.kind}: {trouble.message}",
        "advice": trouble and trouble.advice,
    }
    activities = [
        {
            "activity": activity.activity_type,
            "id": activity.activity_id,
            "state": activity.state,
            "attempt": activity.attempt,
            "next_retry": activity.next_retry_time,
            "last_failure": activity.last_failure and str(activity.last_failure),
            "hint": activity.hint or None,
        }
        for activity in description.pending_activities
    ]
    failed = [
        {"id": activity.activity_id, **failed_row(attempts)}
        for activity in description.pending_activities
        for attempts in activity.failed_attempts
    ]
    timers = [
        {"timer": timer.op, "fires_at_ms": timer.fire_at_ms, "summary": timer.summary}
        for timer in description.pending_timers
    ]
    children = [
        {
            "child": child.workflow_type,
            "id": child.workflow_id,
            "run": child.run_id,
            "queue": child.queue,
            "state": child.state,
            "with_parent": child.parent_close_policy,
        }
        for child in description.pending_children
    ]
    if output != "table":
        pending = {
            "pending_activities": activities,
            "failed_attempts": failed,
            "pending_timers": timers,
            "pending_children": children,
        }
        show({**facts, **pending}, output)
        return
    show(facts, output)
    show_rows("Pending activities", activities)
    show_rows("Failed attempts", failed)
    show_rows("Pending children", children)
    show_rows("Pending timers", timers)


def _event_line(event: dict[str, Any]) -> str:
    from streamflow.client.calls.values import time_of

    when = time_of(event["time_ms"])
    body = event["event"]
    about = next(
        (
            str(body[key])
            for key in ("activity_type", "workflow_type", "name", "reason")
            if body.get(key)
        ),
        "",
    )
    op = f"#{body['op']}" if "op" in body else ""
    stamp = when.isoformat(timespec="milliseconds") if when else "-"
    return f"{event['seq']:>6}  {stamp}  {event['type']:<28} {op:<6} {about}".rstrip()

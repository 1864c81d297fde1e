"""``streamflow schedule ...``: schedules from a shell, and the process that runs them on Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from streamflow.cli.shared import completers
from streamflow.cli.shared.address import Connection
from streamflow.cli.shared.arguments import Input, parse_inputs
from streamflow.cli.shared.calling import called
from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.output import Form, print_data, show, show_list, show_rows

if TYPE_CHECKING:
    from streamflow.client import Client, ScheduleDescription, ScheduleHandle

HERE = Connection()

Overlap = Annotated[
    Literal["skip", "buffer-one", "buffer-all", "cancel-other", "terminate-other", "allow-all"]
    | None,
    Parameter(
        help="What becomes of an action that is due while an earlier one runs. Default: skip."
    ),
]
ScheduleID = Annotated[str, Parameter(help="Its ID.", completer=completers.schedule_ids)]
Note = Annotated[str | None, Parameter(help="Why.")]


def create(
    schedule_id: str,
    /,
    *,
    workflow_type: Annotated[
        str,
        Parameter(
            name=["--type"],
            help="The workflow's type.",
            completer=completers.workflow_types,
        ),
    ],
    queue: Annotated[
        str,
        Parameter(name=["--queue", "-q"], help="Its task queue.", completer=completers.queues),
    ],
    workflow_id: Annotated[
        str | None, Parameter(help="The time is appended to it. Default: the schedule's ID.")
    ] = None,
    cron: Annotated[list[str] | None, Parameter(help="A cron expression; again for more.")] = None,
    every: Annotated[float | None, Parameter(help="Seconds between actions.")] = None,
    time_zone: Annotated[str | None, Parameter(help="IANA name. Default: UTC.")] = None,
    input: Input = None,
    overlap: Overlap = None,
    paused: Annotated[bool, Parameter(help="Begin paused.")] = False,
    connection: Connection = HERE,
) -> int:
    """Makes a schedule.

    Parameters
    ----------
    schedule_id
        Its ID.
    """
    from streamflow.client import (
        Schedule,
        ScheduleActionStartWorkflow,
        ScheduleIntervalSpec,
        SchedulePolicy,
        ScheduleSpec,
        ScheduleState,
    )

    if not cron and every is None:
        raise CommandError("Expected --cron or --every, found neither", ExitCode.USAGE)
    args = parse_inputs(input)
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            workflow_type, args=args, id=workflow_id or schedule_id, task_queue=queue
        ),
        spec=ScheduleSpec(
            cron_expressions=cron or [],
            intervals=[] if every is None else [ScheduleIntervalSpec(timedelta(seconds=every))],
            time_zone_name=time_zone,
        ),
        policy=SchedulePolicy(overlap=_overlap(overlap) or SchedulePolicy().overlap),
        state=ScheduleState(paused=paused),
    )

    async def call(client: Client) -> int:
        await client.create_schedule(schedule_id, schedule)
        return ExitCode.OK

    return called(connection, call)


def describe(
    schedule_id: ScheduleID, /, *, output: Form = "table", connection: Connection = HERE
) -> int:
    """Shows a schedule, what it has done, and when it acts next."""

    async def call(client: Client) -> int:
        _show(await client.get_schedule_handle(schedule_id).describe(), output)
        return ExitCode.OK

    return called(connection, call)


def list_(*, output: Form = "table", connection: Connection = HERE) -> int:
    """Lists schedules."""

    async def call(client: Client) -> int:
        rows: list[dict[str, Any]] = []
        async for one in await client.list_schedules():
            paused = one.schedule is not None and one.schedule.state.paused
            upcoming = one.info.next_action_times if one.info else ()
            action: Any = one.schedule.action if one.schedule else None
            rows.append(
                {
                    "schedule": one.id,
                    "workflow": action.workflow if action else None,
                    "paused": "paused" if paused else None,
                    "next": upcoming[0] if upcoming else None,
                }
            )
        show_list("Schedules", rows, output, none="There is no schedule.")
        return ExitCode.OK

    return called(connection, call)


def pause(schedule_id: ScheduleID, /, *, note: Note = None, connection: Connection = HERE) -> int:
    """Pauses a schedule."""
    return _done(connection, schedule_id, lambda handle: handle.pause(note=note))


def unpause(schedule_id: ScheduleID, /, *, note: Note = None, connection: Connection = HERE) -> int:
    """Lets a paused schedule go on."""
    return _done(connection, schedule_id, lambda handle: handle.unpause(note=note))


def trigger(
    schedule_id: ScheduleID, /, *, overlap: Overlap = None, connection: Connection = HERE
) -> int:
    """Acts now."""
    return _done(connection, schedule_id, lambda handle: handle.trigger(overlap=_overlap(overlap)))


def delete(schedule_id: ScheduleID, /, *, connection: Connection = HERE) -> int:
    """Ends a schedule; workflows that it started go on."""
    return _done(connection, schedule_id, lambda handle: handle.delete())


def backfill(
    schedule_id: ScheduleID,
    /,
    *,
    start: Annotated[datetime, Parameter(help="From here on; UTC without a zone.")],
    end: Annotated[datetime, Parameter(help="Up to here.")],
    overlap: Overlap = None,
    connection: Connection = HERE,
) -> int:
    """Acts now for a stretch of time."""
    from streamflow.client import ScheduleBackfill

    one = ScheduleBackfill(start, end, _overlap(overlap))
    return _done(connection, schedule_id, lambda handle: handle.backfill(one))


def serve(
    *,
    create_topics: Annotated[
        bool, Parameter(help="Make the schedules' queue if it is not there.")
    ] = False,
    health_address: Annotated[
        str | None,
        Parameter(help="HOST:PORT for /livez, /readyz and /metrics. Default: nothing is served."),
    ] = None,
    connection: Connection = HERE,
) -> int:
    """Runs the schedules of a namespace on Kafka, until it is stopped."""
    from streamflow.cli.shared.address import resolve
    from streamflow.cli.shared.serving import until_stopped

    config = resolve(connection)
    if config.get("target_host", "").startswith(("http://", "https://")):
        raise CommandError(
            "Expected the address of Kafka, found that of a gateway, whose process runs schedules itself",
            ExitCode.USAGE,
        )
    serving = _serve(dict(config), create_topics=create_topics, health_address=health_address)
    asyncio.run(until_stopped(serving))
    return ExitCode.OK


async def _serve(
    config: dict[str, Any], *, create_topics: bool, health_address: str | None
) -> None:
    from streamflow.cli.shared.health import serve_health
    from streamflow.client import Client
    from streamflow.worker.hosts.schedule_host import ScheduleHost

    runtime, health = (None, None) if health_address is None else serve_health(health_address)
    config["create_topics"] = create_topics
    async with await Client.connect(**config, runtime=runtime) as client:
        worker = ScheduleHost(client).worker
        if health is not None:
            health.watch([worker])
        print(f"Running the schedules of namespace {client.namespace}", flush=True)
        await worker.run()


def _done(
    connection: Connection, schedule_id: str, act: Callable[[ScheduleHandle], Awaitable[None]]
) -> int:
    async def call(client: Client) -> int:
        await act(client.get_schedule_handle(schedule_id))
        return ExitCode.OK

    return called(connection, call)


def _overlap(name: str | None) -> Any:
    from streamflow.client import ScheduleOverlapPolicy

    return None if name is None else ScheduleOverlapPolicy[name.replace("-", "_").upper()]


def _show(found: ScheduleDescription, output: Form) -> None:
    schedule, info = found.schedule, found.info
    action: Any = schedule.action
    facts: dict[str, Any] = {
        "schedule": found.id,
        "workflow": action.workflow,
        "queue": action.task_queue,
        "paused": schedule.state.paused or None,
        "note": schedule.state.note,
        "overlap": schedule.policy.overlap.name.lower(),
        "actions": info.num_actions,
        "skipped": info.num_actions_skipped_overlap,
        "running": [getattr(one, "workflow_id", "") for one in info.running_actions],
        "created": info.created_at,
        "updated": info.last_updated_at,
        "next": [time.isoformat() for time in info.next_action_times[:3]],
    }
    recent = [
        {"scheduled": one.scheduled_at, "workflow_id": getattr(one.action, "workflow_id", "")}
        for one in info.recent_actions
    ]
    if output != "table":
        print_data({**facts, "recent": recent}, output)
        return
    show(facts, output)
    show_rows("Recent actions", recent)

"""``streamflow activity update-options``: other options for an activity that has begun."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from streamflow.cli.shared.address import Connection
from streamflow.cli.shared.arguments import HERE, LATEST, Target
from streamflow.cli.shared.calling import called
from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.output import Form, show

if TYPE_CHECKING:
    from streamflow.client import ActivityExecutionOptions, ActivityOptionsUpdate, Client

Limit = Annotated[float | None, Parameter(help="Seconds; 0 is none.")]


@Parameter(name="*")
@dataclass(frozen=True)
class Changes:
    """The options that can be changed, by the names of `ActivityOptionsKeys`; what is left out stays."""

    task_queue: Annotated[str | None, Parameter(help="The queue whose workers make it.")] = None
    schedule_to_close_timeout: Limit = None
    schedule_to_start_timeout: Limit = None
    start_to_close_timeout: Limit = None
    heartbeat_timeout: Limit = None
    start_delay: Limit = None
    retry_initial_interval: Annotated[
        float | None, Parameter(help="Before the second attempt, in seconds.")
    ] = None
    retry_backoff_coefficient: Annotated[
        float | None, Parameter(help="How much longer each further wait is.")
    ] = None
    retry_maximum_interval: Annotated[
        float | None, Parameter(help="The longest wait, in seconds.")
    ] = None
    retry_maximum_attempts: Annotated[int | None, Parameter(help="0 is without limit.")] = None
    priority: Annotated[int | None, Parameter(help="1 is first, 5 is last; 0 is unset.")] = None

    def updates(self) -> list[ActivityOptionsUpdate[Any]]:
        return [
            _update(field.name, getattr(self, field.name))
            for field in dataclasses.fields(self)
            if getattr(self, field.name) is not None
        ]


NO_CHANGES = Changes()


def update_options(
    workflow_id: Annotated[
        str | None,
        Parameter(help="The workflow's ID; left out for an activity that a client started."),
    ] = None,
    /,
    *,
    activity_id: Annotated[str | None, Parameter(name=["--activity-id", "-a"])] = None,
    activity_type: Annotated[str | None, Parameter(name=["--type"])] = None,
    changes: Changes = NO_CHANGES,
    restore: Annotated[
        bool,
        Parameter(help="Take back all earlier changes.", negative=()),
    ] = False,
    output: Form = "table",
    target: Target = LATEST,
    connection: Connection = HERE,
) -> int:
    """Changes options of a pending activity and shows all as they are then.

    Parameters
    ----------
    activity_id
        The activity's ID, as `workflow describe` says.
    activity_type
        All pending activities of this type of the workflow instead.
    """
    updates = changes.updates()
    if not updates and not restore:
        raise CommandError(
            "Expected an option to change, such as --heartbeat-timeout 30, or --restore",
            ExitCode.USAGE,
        )
    if (activity_id is None) == (activity_type is None) or not (workflow_id or activity_id):
        raise CommandError(
            "Expected either --activity-id, or a workflow's ID with --type", ExitCode.USAGE
        )

    async def call(client: Client) -> int:
        if workflow_id is None:
            found = await _of_client(client, str(activity_id), target, updates, restore=restore)
        else:
            found = await client.get_workflow_handle(
                workflow_id, run_id=target.run_id, task_queue=target.queue
            ).update_activity_options(
                activity_id,
                updates,
                activity_type=activity_type,
                restore_original=restore,
                rpc_timeout=target.patience,
            )
        show(_facts(found), output)
        return ExitCode.OK

    return called(connection, call)


async def _of_client(
    client: Client,
    activity_id: str,
    target: Target,
    updates: list[ActivityOptionsUpdate[Any]],
    *,
    restore: bool,
) -> ActivityExecutionOptions:
    handle = client.get_activity_handle(activity_id, run_id=target.run_id)
    if not restore:
        return await handle.update_options(updates, rpc_timeout=target.patience)
    restored = await handle.restore_original_options(rpc_timeout=target.patience)
    if not updates:
        return restored
    return await handle.update_options(updates, rpc_timeout=target.patience)


def _update(name: str, value: Any) -> ActivityOptionsUpdate[Any]:
    from streamflow.client import ActivityOptionsKeys
    from streamflow.common import Priority

    key = getattr(ActivityOptionsKeys, name)
    if name == "priority":
        update = key.value_set(Priority(priority_key=value or None))
    elif name.endswith(("_timeout", "_interval", "_delay")):
        update = key.value_set(timedelta(seconds=value))
    else:
        update = key.value_set(value)
    made: ActivityOptionsUpdate[Any] = update
    return made


def _facts(options: ActivityExecutionOptions) -> dict[str, Any]:
    policy = options.retry_policy
    return {
        "task_queue": options.task_queue,
        "schedule_to_close_timeout_s": _seconds(options.schedule_to_close_timeout),
        "schedule_to_start_timeout_s": _seconds(options.schedule_to_start_timeout),
        "start_to_close_timeout_s": _seconds(options.start_to_close_timeout),
        "heartbeat_timeout_s": _seconds(options.heartbeat_timeout),
        "start_delay_s": _seconds(options.start_delay),
        "retry_initial_interval_s": _seconds(policy.initial_interval),
        "retry_backoff_coefficient": policy.backoff_coefficient,
        "retry_maximum_interval_s": _seconds(policy.maximum_interval),
        "retry_maximum_attempts": policy.maximum_attempts,
        "priority": options.priority.priority_key,
    }


def _seconds(time: timedelta | None) -> float | None:
    return None if time is None else time.total_seconds()

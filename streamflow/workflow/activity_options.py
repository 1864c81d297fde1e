"""What can be said about an activity when it is begun, and how that becomes a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import Enum, IntEnum
from typing import Any, Final, TypedDict

from streamflow.common import Priority, RetryPolicy
from streamflow.common.options import shows
from streamflow.coroutine.beginning import begin_activity
from streamflow.coroutine.context import current
from streamflow.coroutine.instance import Instance
from streamflow.coroutine.machines.activity import ActivityHandle, ActivityRequest
from streamflow.model import options as model
from streamflow.model.payload import NO_HEADERS, Payload, Payloads
from streamflow.workflow.durations import optional_milliseconds
from streamflow.workflow.inputs import StartActivityInput, StartLocalActivityInput
from streamflow.workflow.interception import outbound

ACTIVITY = "__temporal_activity_definition"
"""Where `streamflow.activity.defn` leaves a definition; of it this module reads names and hints alone."""


class ActivityCancellationType(IntEnum):
    """What awaiting a cancelled activity does: raise at once, wait until it has ended, or leave it running."""

    TRY_CANCEL = 0
    WAIT_CANCELLATION_COMPLETED = 1
    ABANDON = 2


class VersioningIntent(Enum):
    """Accepted for compatibility, and without effect."""

    COMPATIBLE = 1
    DEFAULT = 2


class _Common(TypedDict, total=False):
    schedule_to_close_timeout: timedelta | None
    """From scheduling to the end of the last attempt. This or start_to_close_timeout is required."""
    schedule_to_start_timeout: timedelta | None
    """From scheduling until a worker takes it. Default: no limit."""
    start_to_close_timeout: timedelta | None
    """Of one attempt."""
    retry_policy: RetryPolicy | None
    """Default: `RetryPolicy()`, without limit of attempts."""
    cancellation_type: ActivityCancellationType
    """Default: TRY_CANCEL."""
    activity_id: str | None
    """Default: its number among the run's operations."""
    summary: str | None
    """A line for people."""


class ActivityConfig(_Common, total=False):
    """Options of an activity, for ``**options``."""

    task_queue: str | None
    """Default: the workflow's own."""
    heartbeat_timeout: timedelta | None
    """Between two heartbeats. Default: none are expected."""
    versioning_intent: VersioningIntent | None
    """Accepted for compatibility, and without effect."""
    priority: Priority
    """Default: none of its own."""


class LocalActivityConfig(_Common, total=False):
    """Options of a local activity, for ``**options``."""

    local_retry_threshold: timedelta | None
    """A longer wait between attempts becomes a timer. Default: one minute."""


class ActivityOptions(ActivityConfig, total=False):
    result_type: type | None
    """What to decode the result as; default: what the function's hints say."""


class LocalActivityOptions(LocalActivityConfig, total=False):
    result_type: type | None


_DEFAULTS: Final[Mapping[str, object]] = {
    "cancellation_type": ActivityCancellationType.TRY_CANCEL,
    "priority": Priority.default,
}
"""Those that are not here are None."""
takes_options = shows(ActivityOptions, _DEFAULTS)
takes_config = shows(ActivityConfig, _DEFAULTS)
takes_local_options = shows(LocalActivityOptions, _DEFAULTS)
takes_local_config = shows(LocalActivityConfig, _DEFAULTS)


_CANCELLATION = {
    ActivityCancellationType.TRY_CANCEL: model.CancellationType.TRY_CANCEL,
    ActivityCancellationType.WAIT_CANCELLATION_COMPLETED: model.CancellationType.WAIT_CANCELLATION_COMPLETED,
    ActivityCancellationType.ABANDON: model.CancellationType.ABANDON,
}
_DEFAULT_RETRY = model.RetryPolicy()
_KNOWN = frozenset(ActivityOptions.__annotations__)
_KNOWN_OF_LOCAL = frozenset(LocalActivityOptions.__annotations__)


def begin(
    activity: Any, arguments: Sequence[Any], options: Mapping[str, Any], *, local: bool
) -> ActivityHandle[Any]:
    """Begins an activity in the running workflow.

    Raises:
        ValueError: there is no such activity, the worker does not have the local one, or no timeout bounds it.
        TypeError: there is no such option.
    """
    instance = current()
    if unknown := options.keys() - (_KNOWN_OF_LOCAL if local else _KNOWN):
        kind = "a local activity" if local else "an activity"
        raise TypeError(f"Expected options of {kind}, found unknown {', '.join(sorted(unknown))}")
    name, result_type, arg_types = _named(activity)
    if local and instance.traits.check_local_activity is not None and not instance.replaying:
        instance.traits.check_local_activity(name)
    result_type = options.get("result_type") or result_type
    first = outbound()
    if first is not None:
        instance.refuse_changes()
        if local:
            given = _local_input(name, arguments, options, arg_types, result_type)
            return first.start_local_activity(given)
        return first.start_activity(_input(name, arguments, options, arg_types, result_type))
    args = _encoded(instance, name, arguments, options, local=local)
    return begin_activity(instance, _request(name, options, args, local=local), result_type)


def _encoded(
    instance: Instance,
    name: str,
    arguments: Sequence[Any],
    options: Mapping[str, Any],
    *,
    local: bool,
) -> Payloads:
    values = instance.values.of_activity(
        instance.facts,
        name,
        options.get("activity_id") or "",
        options.get("task_queue") or "",
        local=local,
    )
    return values.encode(arguments)


def begin_intercepted(given: StartActivityInput | StartLocalActivityInput) -> ActivityHandle[Any]:
    """Begins what the last interceptor passed on."""
    instance = current()
    local = isinstance(given, StartLocalActivityInput)
    request = _request(
        given.activity,
        vars(given),
        _encoded(instance, given.activity, given.args, vars(given), local=local),
        local=local,
        headers=given.headers,
    )
    return begin_activity(instance, request, given.ret_type)


def _input(
    name: str,
    args: Sequence[Any],
    options: Mapping[str, Any],
    arg_types: list[type] | None,
    ret_type: Any,
) -> StartActivityInput:
    get = options.get
    return StartActivityInput(
        activity=name,
        args=args,
        activity_id=get("activity_id"),
        task_queue=get("task_queue"),
        schedule_to_close_timeout=get("schedule_to_close_timeout"),
        schedule_to_start_timeout=get("schedule_to_start_timeout"),
        start_to_close_timeout=get("start_to_close_timeout"),
        heartbeat_timeout=get("heartbeat_timeout"),
        retry_policy=get("retry_policy"),
        cancellation_type=get("cancellation_type", ActivityCancellationType.TRY_CANCEL),
        headers=NO_HEADERS,
        disable_eager_execution=False,
        versioning_intent=get("versioning_intent"),
        summary=get("summary"),
        priority=get("priority", Priority.default),
        arg_types=arg_types,
        ret_type=ret_type,
    )


def _local_input(
    name: str,
    args: Sequence[Any],
    options: Mapping[str, Any],
    arg_types: list[type] | None,
    ret_type: Any,
) -> StartLocalActivityInput:
    get = options.get
    return StartLocalActivityInput(
        activity=name,
        args=args,
        activity_id=get("activity_id"),
        schedule_to_close_timeout=get("schedule_to_close_timeout"),
        schedule_to_start_timeout=get("schedule_to_start_timeout"),
        start_to_close_timeout=get("start_to_close_timeout"),
        retry_policy=get("retry_policy"),
        local_retry_threshold=get("local_retry_threshold"),
        cancellation_type=get("cancellation_type", ActivityCancellationType.TRY_CANCEL),
        headers=NO_HEADERS,
        summary=get("summary"),
        arg_types=arg_types,
        ret_type=ret_type,
    )


def _named(activity: Any) -> tuple[str, Any, list[type] | None]:
    """The activity's type, what its result is, and what its arguments are."""
    if isinstance(activity, str):
        return activity, None, None
    definition = getattr(activity, ACTIVITY, None)
    if definition is None:
        raise ValueError(
            f"Activity {getattr(activity, '__name__', activity)} missing attributes: expected one decorated with @activity.defn or the name of "
            f"one, found {activity!r}"
        )
    if definition.name is None:
        raise ValueError(
            f"Expected an activity with a name, found the dynamic activity {activity!r}; give the name it should be "
            "called by"
        )
    return definition.name, definition.ret_type, list(definition.arg_types or ())


def _request(
    name: str,
    options: Mapping[str, Any],
    args: Payloads,
    *,
    local: bool,
    headers: Mapping[str, Payload] = NO_HEADERS,
) -> ActivityRequest:
    get = options.get
    timeouts = model.ActivityTimeouts(
        schedule_to_close_ms=optional_milliseconds(get("schedule_to_close_timeout")),
        schedule_to_start_ms=optional_milliseconds(get("schedule_to_start_timeout")),
        start_to_close_ms=optional_milliseconds(get("start_to_close_timeout")),
        heartbeat_ms=optional_milliseconds(get("heartbeat_timeout")),
    )
    if timeouts.schedule_to_close_ms is None and timeouts.start_to_close_ms is None:
        raise ValueError(
            f"Expected start_to_close_timeout or schedule_to_close_timeout for activity {name!r}, found neither; say how "
            "long it may take"
        )
    policy: RetryPolicy | None = get("retry_policy")
    priority: Priority | None = get("priority")
    return ActivityRequest(
        activity_type=name,
        timeouts=timeouts,
        args=args,
        activity_id=get("activity_id") or "",
        queue=get("task_queue") or "",
        retry_policy=_DEFAULT_RETRY if policy is None else policy._to_model(),
        cancellation_type=_CANCELLATION[
            get("cancellation_type", ActivityCancellationType.TRY_CANCEL)
        ],
        headers=headers,
        summary=get("summary") or "",
        **(priority or Priority.default)._to_model(),
        local=local,
        local_retry_threshold_ms=optional_milliseconds(get("local_retry_threshold")),
    )

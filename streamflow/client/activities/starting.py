"""Starting an activity without a workflow: methods of `Client`. The work is `root.activities`'.

``..._class`` takes a callable class, ``..._method`` a method of a class by its unbound function; both exist so that type
checkers see the arguments. The overloads tell what is awaited: an async function's value, a plain function's, or anything by
name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Required, TypedDict, TypeVar, overload

from typing_extensions import Unpack

from streamflow.client.activities.handle import ActivityHandle
from streamflow.client.calls.start import NO_METADATA, check_options
from streamflow.client.calls.values import NOT_GIVEN, arguments
from streamflow.client.inputs import StartActivityInput
from streamflow.common import (
    ActivityIDConflictPolicy,
    ActivityIDReusePolicy,
    Priority,
    RetryPolicy,
    TypedSearchAttributes,
)
from streamflow.common.options import shows
from streamflow.model.payload import NO_HEADERS

if TYPE_CHECKING:
    from streamflow.activity.definition import ActivityDefinition
    from streamflow.client.client import Client

T = TypeVar("T")
ACTIVITY = "__temporal_activity_definition"
"""Where `streamflow.activity.defn` leaves a definition."""


class StartActivityOptions(TypedDict, total=False):
    """What can be said about an activity when a client starts it."""

    id: Required[str]
    task_queue: Required[str]
    """The queue whose workers make it."""
    schedule_to_close_timeout: timedelta | None
    """From its start to the end of the last attempt. This or start_to_close_timeout is required."""
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    """Of one attempt."""
    heartbeat_timeout: timedelta | None
    id_reuse_policy: ActivityIDReusePolicy
    """Default: ALLOW_DUPLICATE."""
    id_conflict_policy: ActivityIDConflictPolicy
    """Default: FAIL."""
    retry_policy: RetryPolicy | None
    """Default: `RetryPolicy()`, without limit of attempts."""
    search_attributes: TypedSearchAttributes | None
    summary: str | None
    """A line for people."""
    priority: Priority
    start_delay: timedelta | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    """Deadline of the call. Default: 10 s for a start, none for a result."""


_takes_options = shows(
    StartActivityOptions,
    {
        "id_reuse_policy": ActivityIDReusePolicy.ALLOW_DUPLICATE,
        "id_conflict_policy": ActivityIDConflictPolicy.FAIL,
        "priority": Priority.default,
        "rpc_metadata": NO_METADATA,
    },
)


@overload
async def start_activity(
    self: Client,
    activity: Callable[..., Awaitable[T]],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type | None = ...,
    **options: Unpack[StartActivityOptions],
) -> ActivityHandle[T]: ...


@overload
async def start_activity(
    self: Client,
    activity: Callable[..., T],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type | None = ...,
    **options: Unpack[StartActivityOptions],
) -> ActivityHandle[T]: ...


@overload
async def start_activity(
    self: Client,
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type[T],
    **options: Unpack[StartActivityOptions],
) -> ActivityHandle[T]: ...


@overload
async def start_activity(
    self: Client,
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[StartActivityOptions],
) -> ActivityHandle[Any]: ...


@_takes_options
async def start_activity(
    self: Client,
    activity: Any,
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    result_type: type | None = None,
    **options: Unpack[StartActivityOptions],
) -> ActivityHandle[Any]:
    """Starts an activity of no workflow and returns as soon as the log has it.

    Raises:
        ActivityAlreadyStartedError: one of this ID is running, or the policy refuses to follow one that has ended.
        RPCError: no timeout bounds it, or nobody answered in time.
    """
    return await _start(self, activity, arguments(arg, args), result_type, options)


@overload
async def execute_activity(
    self: Client,
    activity: Callable[..., Awaitable[T]],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type | None = ...,
    **options: Unpack[StartActivityOptions],
) -> T: ...


@overload
async def execute_activity(
    self: Client,
    activity: Callable[..., T],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type | None = ...,
    **options: Unpack[StartActivityOptions],
) -> T: ...


@overload
async def execute_activity(
    self: Client,
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type[T],
    **options: Unpack[StartActivityOptions],
) -> T: ...


@overload
async def execute_activity(
    self: Client,
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[StartActivityOptions],
) -> Any: ...


@_takes_options
async def execute_activity(
    self: Client,
    activity: Any,
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    result_type: type | None = None,
    **options: Unpack[StartActivityOptions],
) -> Any:
    """Starts an activity of no workflow and returns its result.

    Raises:
        ActivityFailureError: it ended without one; ``cause`` says how.
        ActivityAlreadyStartedError, RPCError: as `start_activity`.
    """
    handle = await _start(self, activity, arguments(arg, args), result_type, options)
    return await handle.result(rpc_timeout=options.get("rpc_timeout"))


@_takes_options
async def start_activity_class(
    self: Client,
    activity: type[Any],
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    result_type: type | None = None,
    **options: Unpack[StartActivityOptions],
) -> ActivityHandle[Any]:
    """`start_activity` for a callable class."""
    return await _start(self, activity, arguments(arg, args), result_type, options)


@_takes_options
async def execute_activity_class(
    self: Client,
    activity: type[Any],
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    result_type: type | None = None,
    **options: Unpack[StartActivityOptions],
) -> Any:
    """`execute_activity` for a callable class."""
    handle = await _start(self, activity, arguments(arg, args), result_type, options)
    return await handle.result(rpc_timeout=options.get("rpc_timeout"))


# For type checkers a method by its unbound function is a function like others.
start_activity_method = start_activity
execute_activity_method = execute_activity


@overload
def get_activity_handle(
    self: Client, activity_id: str, *, run_id: str | None = ..., result_type: type[T]
) -> ActivityHandle[T]: ...


@overload
def get_activity_handle(
    self: Client, activity_id: str, *, run_id: str | None = ...
) -> ActivityHandle[Any]: ...


def get_activity_handle(
    self: Client, activity_id: str, *, run_id: str | None = None, result_type: type | None = None
) -> ActivityHandle[Any]:
    """A handle to an activity that a client may have started; nothing is asked yet.

    For an activity whose end is reported from outside, see `get_async_activity_handle`.
    """
    return ActivityHandle(self, activity_id, run_id=run_id, result_type=result_type)


async def _start(
    client: Client,
    activity: Any,
    args: Sequence[Any],
    result_type: Any,
    options: StartActivityOptions,
) -> ActivityHandle[Any]:
    check_options("activity options", options, StartActivityOptions)
    name, hint = _named(activity)
    handle: ActivityHandle[Any] = await client.outbound.start_activity(
        StartActivityInput(
            activity_type=name,
            args=args,
            id=options["id"],
            task_queue=options["task_queue"],
            result_type=result_type or hint,
            schedule_to_close_timeout=options.get("schedule_to_close_timeout"),
            start_to_close_timeout=options.get("start_to_close_timeout"),
            schedule_to_start_timeout=options.get("schedule_to_start_timeout"),
            heartbeat_timeout=options.get("heartbeat_timeout"),
            id_reuse_policy=options.get("id_reuse_policy", ActivityIDReusePolicy.ALLOW_DUPLICATE),
            id_conflict_policy=options.get("id_conflict_policy", ActivityIDConflictPolicy.FAIL),
            retry_policy=options.get("retry_policy"),
            priority=options.get("priority", Priority.default),
            search_attributes=options.get("search_attributes"),
            summary=options.get("summary"),
            start_delay=options.get("start_delay"),
            headers=NO_HEADERS,
            rpc_metadata=options.get("rpc_metadata", NO_METADATA),
            rpc_timeout=options.get("rpc_timeout"),
        )
    )
    return handle


def _named(activity: Any) -> tuple[str, Any]:
    """The activity's type, and what its result is. Raises for what is no activity with a name."""
    if isinstance(activity, str):
        return activity, None
    definition: ActivityDefinition | None = getattr(activity, ACTIVITY, None)
    if definition is None:
        raise TypeError(
            f"Activity {getattr(activity, '__name__', activity)} missing attributes: expected one decorated with @activity.defn or the name of "
            f"one, found {activity!r}"
        )
    if definition.name is None:
        raise ValueError(
            f"Expected an activity with a name, found the dynamic activity {activity!r}; give the name it should be "
            "called by"
        )
    return definition.name, definition.ret_type

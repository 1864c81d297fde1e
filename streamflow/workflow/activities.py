"""Activities: `start_...` gives a handle to await and to cancel, `execute_...` awaits it. By function or name, by callable class, by method.

The overloads tell type checkers which arguments are taken, with ``arg`` where there is one and ``args`` where there are several,
and what is awaited: an async function's value, a plain function's, that of ``result_type`` for a name, or anything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, Unpack, overload

from streamflow.coroutine.machines.activity import ActivityHandle
from streamflow.workflow.activity_options import (
    ActivityConfig,
    ActivityOptions,
    begin,
    takes_config,
    takes_options,
)
from streamflow.workflow.arguments import NO_ARGUMENT, arguments_of
from streamflow.workflow.callables import AsyncCallable, SyncCallable

__all__ = [
    "execute_activity",
    "execute_activity_class",
    "execute_activity_method",
    "start_activity",
    "start_activity_class",
    "start_activity_method",
]

T = TypeVar("T")
ArgT = TypeVar("ArgT")


@overload
def start_activity(
    activity: Callable[[], Awaitable[T]],
    **options: Unpack[ActivityOptions],
) -> ActivityHandle[T]: ...


@overload
def start_activity(
    activity: Callable[[], T],
    **options: Unpack[ActivityOptions],
) -> ActivityHandle[T]: ...


@overload
def start_activity(
    activity: Callable[[ArgT], Awaitable[T]],
    arg: ArgT,
    **options: Unpack[ActivityOptions],
) -> ActivityHandle[T]: ...


@overload
def start_activity(
    activity: Callable[[ArgT], T],
    arg: ArgT,
    **options: Unpack[ActivityOptions],
) -> ActivityHandle[T]: ...


@overload
def start_activity(
    activity: Callable[..., Awaitable[T]],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityOptions],
) -> ActivityHandle[T]: ...


@overload
def start_activity(
    activity: Callable[..., T],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityOptions],
) -> ActivityHandle[T]: ...


@overload
def start_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type[T],
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[T]: ...


@overload
def start_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[ActivityOptions],
) -> ActivityHandle[Any]: ...


@takes_options
def start_activity(
    activity: Any,
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ActivityOptions],
) -> ActivityHandle[Any]:
    """Begins an activity.

    Raises:
        ValueError: neither start_to_close_timeout nor schedule_to_close_timeout is given.
    """
    return begin(activity, arguments_of(arg, args), {**options}, local=False)


@overload
def start_activity_class(
    activity: type[AsyncCallable[T]],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[T]: ...


@overload
def start_activity_class(
    activity: type[SyncCallable[T]],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[T]: ...


@takes_config
def start_activity_class(
    activity: Any,
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[Any]:
    """`start_activity` for a callable class."""
    return begin(activity, arguments_of(arg, args), {**options}, local=False)


@overload
def start_activity_method(
    activity: Callable[[Any], Awaitable[T]],
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[T]: ...


@overload
def start_activity_method(
    activity: Callable[[Any], T],
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[T]: ...


@overload
def start_activity_method(
    activity: Callable[[Any, ArgT], Awaitable[T]],
    arg: ArgT,
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[T]: ...


@overload
def start_activity_method(
    activity: Callable[[Any, ArgT], T],
    arg: ArgT,
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[T]: ...


@overload
def start_activity_method(
    activity: Callable[..., Awaitable[T]],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[T]: ...


@overload
def start_activity_method(
    activity: Callable[..., T],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[T]: ...


@takes_config
def start_activity_method(
    activity: Any,
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[Any]:
    """`start_activity` for a method, as ``Class.method``."""
    return begin(activity, arguments_of(arg, args), {**options}, local=False)


@overload
async def execute_activity(
    activity: Callable[[], Awaitable[T]],
    **options: Unpack[ActivityOptions],
) -> T: ...


@overload
async def execute_activity(
    activity: Callable[[], T],
    **options: Unpack[ActivityOptions],
) -> T: ...


@overload
async def execute_activity(
    activity: Callable[[ArgT], Awaitable[T]],
    arg: ArgT,
    **options: Unpack[ActivityOptions],
) -> T: ...


@overload
async def execute_activity(
    activity: Callable[[ArgT], T],
    arg: ArgT,
    **options: Unpack[ActivityOptions],
) -> T: ...


@overload
async def execute_activity(
    activity: Callable[..., Awaitable[T]],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityOptions],
) -> T: ...


@overload
async def execute_activity(
    activity: Callable[..., T],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityOptions],
) -> T: ...


@overload
async def execute_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type[T],
    **options: Unpack[ActivityConfig],
) -> T: ...


@overload
async def execute_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[ActivityOptions],
) -> Any: ...


@takes_options
async def execute_activity(
    activity: Any,
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ActivityOptions],
) -> Any:
    """The result of an activity.

    Raises:
        ActivityError: it ended without one; ``cause`` is why (ApplicationError, TimeoutError, CancelledError).
    """
    return await begin(activity, arguments_of(arg, args), {**options}, local=False)


@overload
async def execute_activity_class(
    activity: type[AsyncCallable[T]],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[ActivityConfig],
) -> T: ...


@overload
async def execute_activity_class(
    activity: type[SyncCallable[T]],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[ActivityConfig],
) -> T: ...


@takes_config
async def execute_activity_class(
    activity: Any,
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ActivityConfig],
) -> Any:
    """`execute_activity` for a callable class."""
    return await begin(activity, arguments_of(arg, args), {**options}, local=False)


@overload
async def execute_activity_method(
    activity: Callable[[Any], Awaitable[T]],
    **options: Unpack[ActivityConfig],
) -> T: ...


@overload
async def execute_activity_method(
    activity: Callable[[Any], T],
    **options: Unpack[ActivityConfig],
) -> T: ...


@overload
async def execute_activity_method(
    activity: Callable[[Any, ArgT], Awaitable[T]],
    arg: ArgT,
    **options: Unpack[ActivityConfig],
) -> T: ...


@overload
async def execute_activity_method(
    activity: Callable[[Any, ArgT], T],
    arg: ArgT,
    **options: Unpack[ActivityConfig],
) -> T: ...


@overload
async def execute_activity_method(
    activity: Callable[..., Awaitable[T]],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> T: ...


@overload
async def execute_activity_method(
    activity: Callable[..., T],
    *,
    args: Sequence[Any],
    **options: Unpack[ActivityConfig],
) -> T: ...


@takes_config
async def execute_activity_method(
    activity: Any,
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ActivityConfig],
) -> Any:
    """`execute_activity` for a method, as ``Class.method``."""
    return await begin(activity, arguments_of(arg, args), {**options}, local=False)

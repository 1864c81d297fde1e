"""Activities inside the processor: `start_...` gives a handle to await and to cancel, `execute_...` awaits it. By function or name, by callable class, by method.

The overloads tell type checkers which arguments are taken, with ``arg`` where there is one and ``args`` where there are several,
and what is awaited: an async function's value, a plain function's, that of ``result_type`` for a name, or anything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, Unpack, overload

from streamflow.coroutine.machines.activity import ActivityHandle
from streamflow.workflow.activity_options import (
    LocalActivityConfig,
    LocalActivityOptions,
    begin,
    takes_local_config,
    takes_local_options,
)
from streamflow.workflow.arguments import NO_ARGUMENT, arguments_of
from streamflow.workflow.callables import AsyncCallable, SyncCallable

__all__ = [
    "execute_local_activity",
    "execute_local_activity_class",
    "execute_local_activity_method",
    "start_local_activity",
    "start_local_activity_class",
    "start_local_activity_method",
]

T = TypeVar("T")
ArgT = TypeVar("ArgT")


@overload
def start_local_activity(
    activity: Callable[[], Awaitable[T]],
    **options: Unpack[LocalActivityOptions],
) -> ActivityHandle[T]: ...


@overload
def start_local_activity(
    activity: Callable[[], T],
    **options: Unpack[LocalActivityOptions],
) -> ActivityHandle[T]: ...


@overload
def start_local_activity(
    activity: Callable[[ArgT], Awaitable[T]],
    arg: ArgT,
    **options: Unpack[LocalActivityOptions],
) -> ActivityHandle[T]: ...


@overload
def start_local_activity(
    activity: Callable[[ArgT], T],
    arg: ArgT,
    **options: Unpack[LocalActivityOptions],
) -> ActivityHandle[T]: ...


@overload
def start_local_activity(
    activity: Callable[..., Awaitable[T]],
    *,
    args: Sequence[Any],
    **options: Unpack[LocalActivityOptions],
) -> ActivityHandle[T]: ...


@overload
def start_local_activity(
    activity: Callable[..., T],
    *,
    args: Sequence[Any],
    **options: Unpack[LocalActivityOptions],
) -> ActivityHandle[T]: ...


@overload
def start_local_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type[T],
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[T]: ...


@overload
def start_local_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[LocalActivityOptions],
) -> ActivityHandle[Any]: ...


@takes_local_options
def start_local_activity(
    activity: Any,
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityOptions],
) -> ActivityHandle[Any]:
    """Begins an activity inside the processor: for short work that commits with the step."""
    return begin(activity, arguments_of(arg, args), {**options}, local=True)


@overload
def start_local_activity_class(
    activity: type[AsyncCallable[T]],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[T]: ...


@overload
def start_local_activity_class(
    activity: type[SyncCallable[T]],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[T]: ...


@takes_local_config
def start_local_activity_class(
    activity: Any,
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[Any]:
    """`start_local_activity` for a callable class."""
    return begin(activity, arguments_of(arg, args), {**options}, local=True)


@overload
def start_local_activity_method(
    activity: Callable[[Any], Awaitable[T]],
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[T]: ...


@overload
def start_local_activity_method(
    activity: Callable[[Any], T],
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[T]: ...


@overload
def start_local_activity_method(
    activity: Callable[[Any, ArgT], Awaitable[T]],
    arg: ArgT,
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[T]: ...


@overload
def start_local_activity_method(
    activity: Callable[[Any, ArgT], T],
    arg: ArgT,
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[T]: ...


@overload
def start_local_activity_method(
    activity: Callable[..., Awaitable[T]],
    *,
    args: Sequence[Any],
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[T]: ...


@overload
def start_local_activity_method(
    activity: Callable[..., T],
    *,
    args: Sequence[Any],
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[T]: ...


@takes_local_config
def start_local_activity_method(
    activity: Any,
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[Any]:
    """`start_local_activity` for a method, as ``Class.method``."""
    return begin(activity, arguments_of(arg, args), {**options}, local=True)


@overload
async def execute_local_activity(
    activity: Callable[[], Awaitable[T]],
    **options: Unpack[LocalActivityOptions],
) -> T: ...


@overload
async def execute_local_activity(
    activity: Callable[[], T],
    **options: Unpack[LocalActivityOptions],
) -> T: ...


@overload
async def execute_local_activity(
    activity: Callable[[ArgT], Awaitable[T]],
    arg: ArgT,
    **options: Unpack[LocalActivityOptions],
) -> T: ...


@overload
async def execute_local_activity(
    activity: Callable[[ArgT], T],
    arg: ArgT,
    **options: Unpack[LocalActivityOptions],
) -> T: ...


@overload
async def execute_local_activity(
    activity: Callable[..., Awaitable[T]],
    *,
    args: Sequence[Any],
    **options: Unpack[LocalActivityOptions],
) -> T: ...


@overload
async def execute_local_activity(
    activity: Callable[..., T],
    *,
    args: Sequence[Any],
    **options: Unpack[LocalActivityOptions],
) -> T: ...


@overload
async def execute_local_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type[T],
    **options: Unpack[LocalActivityConfig],
) -> T: ...


@overload
async def execute_local_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[LocalActivityOptions],
) -> Any: ...


@takes_local_options
async def execute_local_activity(
    activity: Any,
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityOptions],
) -> Any:
    """The result of a local activity; raises like `execute_activity`."""
    return await begin(activity, arguments_of(arg, args), {**options}, local=True)


@overload
async def execute_local_activity_class(
    activity: type[AsyncCallable[T]],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[LocalActivityConfig],
) -> T: ...


@overload
async def execute_local_activity_class(
    activity: type[SyncCallable[T]],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[LocalActivityConfig],
) -> T: ...


@takes_local_config
async def execute_local_activity_class(
    activity: Any,
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityConfig],
) -> Any:
    """`execute_local_activity` for a callable class."""
    return await begin(activity, arguments_of(arg, args), {**options}, local=True)


@overload
async def execute_local_activity_method(
    activity: Callable[[Any], Awaitable[T]],
    **options: Unpack[LocalActivityConfig],
) -> T: ...


@overload
async def execute_local_activity_method(
    activity: Callable[[Any], T],
    **options: Unpack[LocalActivityConfig],
) -> T: ...


@overload
async def execute_local_activity_method(
    activity: Callable[[Any, ArgT], Awaitable[T]],
    arg: ArgT,
    **options: Unpack[LocalActivityConfig],
) -> T: ...


@overload
async def execute_local_activity_method(
    activity: Callable[[Any, ArgT], T],
    arg: ArgT,
    **options: Unpack[LocalActivityConfig],
) -> T: ...


@overload
async def execute_local_activity_method(
    activity: Callable[..., Awaitable[T]],
    *,
    args: Sequence[Any],
    **options: Unpack[LocalActivityConfig],
) -> T: ...


@overload
async def execute_local_activity_method(
    activity: Callable[..., T],
    *,
    args: Sequence[Any],
    **options: Unpack[LocalActivityConfig],
) -> T: ...


@takes_local_config
async def execute_local_activity_method(
    activity: Any,
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityConfig],
) -> Any:
    """`execute_local_activity` for a method, as ``Class.method``."""
    return await begin(activity, arguments_of(arg, args), {**options}, local=True)

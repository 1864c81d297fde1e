"""Activities from workflow code: begun (``start_...``, a handle to await or cancel) or begun and awaited (``execute_...``).

An activity is given as its function, or by name. ``..._class`` takes a callable class, ``..._method`` a method of a class
by its unbound function; both exist so that type checkers see the arguments. Local variants run inside the processor.
The overloads tell type checkers what is awaited: an async function's value, a plain function's, or anything by name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, Unpack, overload

from streamflow.coroutine.machines.activity import ActivityHandle
from streamflow.workflow.activity_options import (
    ActivityConfig,
    ActivityOptions,
    LocalActivityConfig,
    LocalActivityOptions,
    begin,
)
from streamflow.workflow.arguments import NO_ARGUMENT, arguments_of

T = TypeVar("T")


# -- begun -------------------------------------------------------------------------------------------------------------


@overload
def start_activity(
    activity: Callable[..., Awaitable[T]],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[ActivityOptions],
) -> ActivityHandle[T]: ...


@overload
def start_activity(
    activity: Callable[..., T],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[ActivityOptions],
) -> ActivityHandle[T]: ...


@overload
def start_activity(
    activity: str, arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[ActivityOptions]
) -> ActivityHandle[Any]: ...


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


def start_activity_class(
    activity: type[Any],
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[Any]:
    """`start_activity` for a callable class."""
    return begin(activity, arguments_of(arg, args), {**options}, local=False)


@overload
def start_activity_method(
    activity: Callable[..., Awaitable[T]],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[T]: ...


@overload
def start_activity_method(
    activity: Callable[..., T],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[T]: ...


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
def start_local_activity(
    activity: Callable[..., Awaitable[T]],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[LocalActivityOptions],
) -> ActivityHandle[T]: ...


@overload
def start_local_activity(
    activity: Callable[..., T],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[LocalActivityOptions],
) -> ActivityHandle[T]: ...


@overload
def start_local_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[LocalActivityOptions],
) -> ActivityHandle[Any]: ...


def start_local_activity(
    activity: Any,
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityOptions],
) -> ActivityHandle[Any]:
    """Begins an activity inside the processor: for short work that commits with the step."""
    return begin(activity, arguments_of(arg, args), {**options}, local=True)


def start_local_activity_class(
    activity: type[Any],
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[Any]:
    """`start_local_activity` for a callable class."""
    return begin(activity, arguments_of(arg, args), {**options}, local=True)


def start_local_activity_method(
    activity: Callable[..., Any],
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[Any]:
    """`start_local_activity` for a method, as ``Class.method``."""
    return begin(activity, arguments_of(arg, args), {**options}, local=True)


# -- begun and awaited ---------------------------------------------------------------------------------------------------


@overload
async def execute_activity(
    activity: Callable[..., Awaitable[T]],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[ActivityOptions],
) -> T: ...


@overload
async def execute_activity(
    activity: Callable[..., T],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[ActivityOptions],
) -> T: ...


@overload
async def execute_activity(
    activity: str, arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[ActivityOptions]
) -> Any: ...


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


async def execute_activity_class(
    activity: type[Any],
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ActivityConfig],
) -> Any:
    """`execute_activity` for a callable class."""
    return await begin(activity, arguments_of(arg, args), {**options}, local=False)


@overload
async def execute_activity_method(
    activity: Callable[..., Awaitable[T]],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[ActivityConfig],
) -> T: ...


@overload
async def execute_activity_method(
    activity: Callable[..., T],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[ActivityConfig],
) -> T: ...


async def execute_activity_method(
    activity: Any,
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ActivityConfig],
) -> Any:
    """`execute_activity` for a method, as ``Class.method``."""
    return await begin(activity, arguments_of(arg, args), {**options}, local=False)


@overload
async def execute_local_activity(
    activity: Callable[..., Awaitable[T]],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[LocalActivityOptions],
) -> T: ...


@overload
async def execute_local_activity(
    activity: Callable[..., T],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[LocalActivityOptions],
) -> T: ...


@overload
async def execute_local_activity(
    activity: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[LocalActivityOptions],
) -> Any: ...


async def execute_local_activity(
    activity: Any,
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityOptions],
) -> Any:
    """The result of a local activity; raises like `execute_activity`."""
    return await begin(activity, arguments_of(arg, args), {**options}, local=True)


async def execute_local_activity_class(
    activity: type[Any],
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityConfig],
) -> Any:
    """`execute_local_activity` for a callable class."""
    return await begin(activity, arguments_of(arg, args), {**options}, local=True)


@overload
async def execute_local_activity_method(
    activity: Callable[..., Awaitable[T]],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[LocalActivityConfig],
) -> T: ...


@overload
async def execute_local_activity_method(
    activity: Callable[..., T],
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[LocalActivityConfig],
) -> T: ...


async def execute_local_activity_method(
    activity: Any,
    arg: Any = NO_ARGUMENT,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityConfig],
) -> Any:
    """`execute_local_activity` for a method, as ``Class.method``."""
    return await begin(activity, arguments_of(arg, args), {**options}, local=True)

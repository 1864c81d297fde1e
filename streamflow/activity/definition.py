"""What a function says of itself as an activity. Read by workers, and by workflows through `ACTIVITY`."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast, overload

from streamflow.common import RawValue
from streamflow.coroutine.signatures import RAW_VALUES, signature_of

ACTIVITY = "__temporal_activity_definition"
"""The attribute of a decorated function (or callable class) that holds its `ActivityDefinition`. Programs look for it."""

CallableT = TypeVar("CallableT", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class ActivityDefinition:
    """An activity as a worker knows it."""

    name: str | None
    """Its type; ``None`` takes every type that no other activity has."""
    fn: Callable[..., Any]
    is_async: bool
    no_thread_cancel_exception: bool = False
    arg_types: Sequence[Any] | None = None
    """Hints of the positional parameters, ``None`` where there is none."""
    ret_type: Any = None
    variadic: bool = False

    @staticmethod
    def from_callable(fn: Callable[..., Any]) -> ActivityDefinition | None:
        """As `must_from_callable`, but ``None`` for what is not decorated."""
        definition = getattr(fn, ACTIVITY, None)
        if not isinstance(definition, ActivityDefinition):
            return None
        return dataclasses.replace(definition, fn=fn)

    @staticmethod
    def must_from_callable(fn: Callable[..., Any]) -> ActivityDefinition:
        """The definition of a decorated function, method or class, with ``fn`` being what was given. Raises TypeError."""
        definition = ActivityDefinition.from_callable(fn)
        if definition is None:
            raise TypeError(
                f"Activity {getattr(fn, '__name__', fn)} missing attributes: expected one decorated with "
                f"@activity.defn, found {fn!r}"
            )
        return definition

    @property
    def dynamic(self) -> bool:
        return self.name is None

    def hints_for(self, count: int) -> tuple[Any, ...]:
        """Hints for so many arguments; a dynamic activity takes them as they are stored."""
        if self.dynamic:
            return (RawValue,) * count
        return (*(self.arg_types or ()), *(None,) * count)[:count]


@overload
def defn(fn: CallableT) -> CallableT: ...


@overload
def defn(
    *, name: str | None = None, no_thread_cancel_exception: bool = False, dynamic: bool = False
) -> Callable[[CallableT], CallableT]: ...


def defn(
    fn: CallableT | None = None,
    *,
    name: str | None = None,
    no_thread_cancel_exception: bool = False,
    dynamic: bool = False,
) -> CallableT | Callable[[CallableT], CallableT]:
    """Declares a function, a method or a class with ``__call__`` to be an activity.

    Args:
        name: The activity's type. Default: the function's or class's name.
        no_thread_cancel_exception: Do not raise `CancelledError` into the thread of a sync activity.
        dynamic: Take every type without an activity of its own; the function gets ``Sequence[RawValue]``.
    """
    if dynamic and name is not None:
        raise RuntimeError(
            "Expected a dynamic activity without a name, found both; it takes any name"
        )

    def decorate(function: CallableT) -> CallableT:
        if ACTIVITY in getattr(function, "__dict__", {}):
            raise ValueError(
                f"Function already contains activity definition: expected one @activity.defn on {function!r}"
            )
        definition = _define(
            function,
            name=None if dynamic else name or _name_of(function),
            no_thread_cancel_exception=no_thread_cancel_exception,
        )
        setattr(function, ACTIVITY, definition)
        return function

    return decorate if fn is None else decorate(fn)


def definition_of(activity: Callable[..., Any]) -> ActivityDefinition:
    """The definition of a decorated function, bound method or callable object, with ``fn`` being what was given.

    Raises:
        TypeError: it was not decorated, or it is a class or an unbound method.
    """
    definition = ActivityDefinition.must_from_callable(activity)
    if inspect.isclass(activity):
        raise TypeError(
            f"Activity {activity.__qualname__} is a class instead of an instance; "
            f"register {activity.__qualname__}()"
        )
    return definition


def runs_on_loop(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine, for functions and callable objects."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  # is it a coroutine function, not: is it callable
    )


def _define(
    function: Callable[..., Any], *, name: str | None, no_thread_cancel_exception: bool
) -> ActivityDefinition:
    called, is_method = _called(function)
    _refuse_keyword_only(called)
    signature = signature_of(called, method=is_method)
    if name is None:
        _check_dynamic(signature.arguments)
    return ActivityDefinition(
        name=name,
        fn=function,
        is_async=inspect.iscoroutinefunction(called),
        no_thread_cancel_exception=no_thread_cancel_exception,
        arg_types=list(signature.arguments),
        ret_type=signature.result,
        variadic=signature.variadic,
    )


def _refuse_keyword_only(called: Callable[..., Any]) -> None:
    """Arguments travel by position; one with a default too would never be given."""
    for parameter in inspect.signature(called).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            raise TypeError(
                f"Expected only arguments by position, found {parameter.name!r} of {called!r}: activities cannot have "
                "keyword-only arguments"
            )


def _check_dynamic(arguments: tuple[Any, ...]) -> None:
    """It takes the values of any call, as they came."""
    if len(arguments) != 1 or arguments[0] not in RAW_VALUES:
        raise TypeError(
            f"Dynamic activity must accept a single Sequence[RawValue], found parameters {arguments}"
        )


def _called(function: Callable[..., Any]) -> tuple[Callable[..., Any], bool]:
    """The function that runs, and whether its first parameter is ``self``."""
    if inspect.isclass(function):
        call = function.__dict__.get("__call__") or function.__call__  # of the class
        return cast("Callable[..., Any]", call), True
    if not callable(function):
        raise TypeError(f"Expected a function or a class with __call__, found {function!r}")
    return function, not inspect.ismethod(function) and _looks_like_method(function)


def _looks_like_method(function: Callable[..., Any]) -> bool:
    """Within its class's body a method is still a function; its place in the source tells what it will be."""
    if not inspect.isfunction(function):
        return False
    before = function.__qualname__.split(".")[:-1]
    first = next(iter(inspect.signature(function).parameters), None)
    return bool(before) and before[-1] != "<locals>" and first == "self"


def _name_of(function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", None)
    if not name or name == "<lambda>":
        raise TypeError(f"Expected an activity with a name, found {function!r}; give name=...")
    return str(name)

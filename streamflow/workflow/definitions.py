"""The decorators that make a class a workflow and its methods handlers. They only mark; `coroutine.definition` checks."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, Protocol, TypeVar, cast, overload

from streamflow.common import VersioningBehavior
from streamflow.coroutine import definition as facts
from streamflow.coroutine.definition import (
    HandlerUnfinishedPolicy,
    QueryDefinition,
    SignalDefinition,
    UpdateDefinition,
)
from streamflow.coroutine.guarding import GUARDED, UNGUARDED
from streamflow.coroutine.signatures import (
    refuse_dynamic_parameters,
    refuse_keyword_only,
    signature_of,
)

ClassT = TypeVar("ClassT", bound=type)
FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
AsyncT = TypeVar("AsyncT", bound=Callable[..., Awaitable[Any]])
P = ParamSpec("P")
R = TypeVar("R", covariant=True)
T = TypeVar("T")

_WARN = HandlerUnfinishedPolicy.WARN_AND_ABANDON


@dataclass(frozen=True)
class DynamicWorkflowConfig:
    """What a dynamic workflow's `dynamic_config` method returns for each run."""

    failure_exception_types: Sequence[type[BaseException]] | None = None
    """In place of the decorator's; ``None`` keeps those."""
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED


@overload
def defn(cls: ClassT) -> ClassT: ...


@overload
def defn(
    *,
    name: str | None = None,
    sandboxed: bool = True,
    dynamic: bool = False,
    failure_exception_types: Sequence[type[BaseException]] = (),
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED,
) -> Callable[[ClassT], ClassT]: ...


def defn(
    cls: type | None = None,
    *,
    name: str | None = None,
    sandboxed: bool = True,
    dynamic: bool = False,
    failure_exception_types: Sequence[type[BaseException]] = (),
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED,
) -> Any:
    """Makes a class a workflow. Its type's name is the class's unless ``name`` is given.

    ``failure_exception_types`` fail the run like a `FailureError` does. ``sandboxed=False`` lets the code
    touch clocks, chance and I/O: that it replays alike is then its authors' care.

    Raises:
        ValueError: something about the class is wrong; the message lists all of it.
    """

    def decorate(cls: type) -> type:
        if name is not None and dynamic:
            raise ValueError("Expected a name or dynamic=True, found both")
        facts.define(
            cls,
            name=None if dynamic else name or cls.__name__,
            failure_exception_types=failure_exception_types,
            versioning_behavior=versioning_behavior,
            guarding=GUARDED if sandboxed else UNGUARDED,
        )
        return cls

    return decorate if cls is None else decorate(cls)


def init(function: FunctionT) -> FunctionT:
    """Gives ``__init__`` the arguments of run; both must take the same parameters."""
    if function.__name__ != "__init__":
        raise ValueError(
            f"@workflow.init may only be used on the __init__ method, found it on {function.__name__}"
        )
    setattr(function, facts.INIT, True)
    return function


def run(function: AsyncT) -> AsyncT:
    """Marks the one ``async`` method that is the workflow's code."""
    if not inspect.iscoroutinefunction(function):
        raise ValueError(
            f"Workflow run method must be an async function, found {function.__qualname__}; write async def"
        )
    setattr(function, facts.RUN, True)
    return cast("AsyncT", function)


def dynamic_config(function: FunctionT) -> FunctionT:
    """Marks the plain method of a dynamic workflow that returns a `DynamicWorkflowConfig`."""
    if inspect.iscoroutinefunction(function):
        raise ValueError("Workflow dynamic_config method must be synchronous, found an async one")
    if len(inspect.signature(function).parameters) != 1:
        raise ValueError(
            f"Workflow dynamic_config method must only take self parameter, found {inspect.signature(function)}"
        )
    setattr(function, facts.DYNAMIC_CONFIG, True)
    return function


@overload
def signal(function: FunctionT) -> FunctionT: ...


@overload
def signal(
    *,
    name: str | None = None,
    dynamic: bool = False,
    unfinished_policy: HandlerUnfinishedPolicy = ...,
    description: str | None = None,
) -> Callable[[FunctionT], FunctionT]: ...


def signal(
    function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    dynamic: bool = False,
    unfinished_policy: HandlerUnfinishedPolicy = _WARN,
    description: str | None = None,
) -> Any:
    """Makes a method, plain or async, the handler of a signal; ``dynamic`` of every signal that has no other."""

    _refuse_both(name, dynamic)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        definition = SignalDefinition(
            name=_handler_name(function, name, dynamic, "signal"),
            fn=function,
            signature=signature_of(function, method=True),
            unfinished_policy=unfinished_policy,
            description=description,
        )
        setattr(function, facts.SIGNAL, definition)
        return function

    return decorate if function is None else decorate(function)


@overload
def query(function: FunctionT) -> FunctionT: ...


@overload
def query(
    *, name: str | None = None, dynamic: bool = False, description: str | None = None
) -> Callable[[FunctionT], FunctionT]: ...


def query(
    function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    dynamic: bool = False,
    description: str | None = None,
) -> Any:
    """Makes a plain method the handler of a query. It may read the run's state and change nothing."""

    _refuse_both(name, dynamic)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        warn_of_async_query(function, stacklevel=3)
        definition = QueryDefinition(
            name=_handler_name(function, name, dynamic, "query"),
            fn=function,
            signature=signature_of(function, method=True),
            description=description,
        )
        setattr(function, facts.QUERY, definition)
        return function

    return decorate if function is None else decorate(function)


class UpdateMethodMultiParam(Protocol[P, R]):
    """An update's handler, and the decorator of its validator."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R | Awaitable[R]: ...

    def validator(self, function: FunctionT) -> FunctionT:
        """Makes a plain method refuse updates: what it raises rejects the update before anything is recorded."""
        ...


class UpdateDecorator(Protocol):
    """`update` with options, still to be applied to a method."""

    @overload
    def __call__(self, function: Callable[P, Awaitable[T]]) -> UpdateMethodMultiParam[P, T]: ...

    @overload
    def __call__(self, function: Callable[P, T]) -> UpdateMethodMultiParam[P, T]: ...


@overload
def update(function: Callable[P, Awaitable[T]]) -> UpdateMethodMultiParam[P, T]: ...


@overload
def update(function: Callable[P, T]) -> UpdateMethodMultiParam[P, T]: ...


@overload
def update(
    *,
    name: str | None = None,
    dynamic: bool = False,
    unfinished_policy: HandlerUnfinishedPolicy = ...,
    description: str | None = None,
) -> UpdateDecorator: ...


def update(
    function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    dynamic: bool = False,
    unfinished_policy: HandlerUnfinishedPolicy = _WARN,
    description: str | None = None,
) -> Any:
    """Makes a method, plain or async, the handler of an update; ``dynamic`` of every update that has no other.

    What it returns is the caller's result. The method gains a ``validator`` decorator for a plain method of the same
    parameters: what that raises refuses the update before anything of it is recorded.
    """

    _refuse_both(name, dynamic)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        definition = UpdateDefinition(
            name=_handler_name(function, name, dynamic, "update"),
            fn=function,
            signature=signature_of(function, method=True),
            unfinished_policy=unfinished_policy,
            description=description,
        )
        setattr(function, facts.UPDATE, definition)
        function.validator = _validator_decorator(definition)  # type: ignore[attr-defined]
        return function

    return decorate if function is None else decorate(function)


def _validator_decorator(definition: UpdateDefinition) -> Callable[[FunctionT], FunctionT]:
    def validator(function: FunctionT) -> FunctionT:
        if inspect.iscoroutinefunction(function):
            raise ValueError(
                f"Update validator must not be an async function, found {function.__qualname__}; write def, not async def"
            )
        definition.set_validator(function)
        return function

    return validator


def _refuse_both(name: str | None, dynamic: bool) -> None:
    if name is not None and dynamic:
        raise RuntimeError("Cannot provide name and dynamic boolean: a dynamic handler has no name")


def warn_of_async_query(function: Callable[..., Any], *, stacklevel: int) -> None:
    """It is answered all the same, as long as it awaits nothing that takes time."""
    if inspect.iscoroutinefunction(function):
        warnings.warn(
            "Queries as async def functions are deprecated: write def, not async def",
            DeprecationWarning,
            stacklevel=stacklevel + 1,
        )


def _handler_name(
    function: Callable[..., Any], name: str | None, dynamic: bool, noun: str
) -> str | None:
    """The message's name, ``None`` for a dynamic handler."""
    what = f"@workflow.{noun} {function.__qualname__}"
    refuse_keyword_only(function, what)
    if dynamic:
        refuse_dynamic_parameters(function, method=True)
        return None
    found = name or function.__name__
    if found.startswith(facts.RESERVED_PREFIXES):
        raise ValueError(
            f"Expected a {noun} name that is not reserved, found {found!r}; names beginning with "
            f"{', '.join(facts.RESERVED_PREFIXES)} belong to streamflow"
        )
    return found

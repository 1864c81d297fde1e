"""The decorators that make a class a workflow and its methods handlers. They only mark; `coroutine.definition` checks."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ParamSpec, Protocol, TypeVar, cast, overload

from streamflow.common import VersioningBehavior
from streamflow.coroutine import definition as facts
from streamflow.coroutine.definition import (
    HandlerUnfinishedPolicy,
    QueryDefinition,
    SignalDefinition,
    UpdateDefinition,
)
from streamflow.coroutine.signatures import refuse_keyword_only, signature_of

ClassT = TypeVar("ClassT", bound=type)
FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
AsyncT = TypeVar("AsyncT", bound=Callable[..., Awaitable[Any]])
P = ParamSpec("P")
R = TypeVar("R", covariant=True)

_WARN = HandlerUnfinishedPolicy.WARN_AND_ABANDON


@dataclass(frozen=True)
class DynamicWorkflowConfig:
    """What a dynamic workflow's `dynamic_config` method returns for each run."""

    failure_exception_types: Sequence[type[BaseException]] = field(default_factory=tuple)
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

    ``failure_exception_types`` fail the run like a `FailureError` does. ``sandboxed`` is accepted and means nothing:
    there is no sandbox that re-imports modules.

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
        )
        return cls

    return decorate if cls is None else decorate(cls)


def init(function: FunctionT) -> FunctionT:
    """Gives ``__init__`` the arguments of run; both must take the same parameters."""
    if function.__name__ != "__init__":
        raise ValueError(f"Expected @workflow.init on __init__, found it on {function.__name__}")
    setattr(function, facts.INIT, True)
    return function


def run(function: AsyncT) -> AsyncT:
    """Marks the one ``async`` method that is the workflow's code."""
    if not inspect.iscoroutinefunction(function):
        raise ValueError(
            f"Expected @workflow.run on an async method, found {function.__qualname__}; write async def"
        )
    setattr(function, facts.RUN, True)
    return cast("AsyncT", function)


def dynamic_config(function: FunctionT) -> FunctionT:
    """Marks the plain method of a dynamic workflow that returns a `DynamicWorkflowConfig`."""
    if inspect.iscoroutinefunction(function):
        raise ValueError("Expected @workflow.dynamic_config on a plain method, found an async one")
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

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        definition = SignalDefinition(
            name=_handler_name(function, name, dynamic, "signal"),
            function=function,
            signature=signature_of(function, method=True),
            unfinished_policy=unfinished_policy,
            description=description or function.__doc__,
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

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(function):
            raise ValueError(
                f"Expected @workflow.query on a plain method, found {function.__qualname__}; write def, not async def"
            )
        definition = QueryDefinition(
            name=_handler_name(function, name, dynamic, "query"),
            function=function,
            signature=signature_of(function, method=True),
            description=description or function.__doc__,
        )
        setattr(function, facts.QUERY, definition)
        return function

    return decorate if function is None else decorate(function)


class UpdateMethodMultiParam(Protocol[P, R]):
    """An update's handler, and the decorator of its validator."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...

    def validator(self, function: FunctionT) -> FunctionT:
        """Makes a plain method refuse updates: what it raises rejects the update before anything is recorded."""
        ...


@overload
def update(function: Callable[P, R]) -> UpdateMethodMultiParam[P, R]: ...


@overload
def update(
    *,
    name: str | None = None,
    dynamic: bool = False,
    unfinished_policy: HandlerUnfinishedPolicy = ...,
    description: str | None = None,
) -> Callable[[Callable[P, R]], UpdateMethodMultiParam[P, R]]: ...


def update(
    function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    dynamic: bool = False,
    unfinished_policy: HandlerUnfinishedPolicy = _WARN,
    description: str | None = None,
) -> Any:
    """Makes a method, plain or async, the handler of an update; the method gains a ``validator`` decorator.

    Registered with the definition; updates themselves are not delivered by this version yet.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        definition = UpdateDefinition(
            name=_handler_name(function, name, dynamic, "update"),
            function=function,
            signature=signature_of(function, method=True),
            unfinished_policy=unfinished_policy,
            description=description or function.__doc__,
        )
        setattr(function, facts.UPDATE, definition)
        function.validator = _validator_decorator(definition)  # type: ignore[attr-defined]
        return function

    return decorate if function is None else decorate(function)


def _validator_decorator(definition: UpdateDefinition) -> Callable[[FunctionT], FunctionT]:
    def validator(function: FunctionT) -> FunctionT:
        if inspect.iscoroutinefunction(function):
            raise ValueError(
                f"Expected a validator that is a plain method, found {function.__qualname__}; write def, not async def"
            )
        definition.set_validator(function)
        return function

    return validator


def _handler_name(
    function: Callable[..., Any], name: str | None, dynamic: bool, noun: str
) -> str | None:
    """The message's name, ``None`` for a dynamic handler."""
    what = f"@workflow.{noun} {function.__qualname__}"
    refuse_keyword_only(function, what)
    if dynamic:
        if name is not None:
            raise ValueError(f"Expected a name or dynamic=True for {what}, found both")
        faults = facts.refuse_dynamic_parameters(function, f"dynamic {what}", skip=2)
        if faults:
            raise ValueError(faults[0])
        return None
    found = name or function.__name__
    if found.startswith(facts.RESERVED_PREFIXES):
        raise ValueError(
            f"Expected a {noun} name that is not reserved, found {found!r}; names beginning with "
            f"{', '.join(facts.RESERVED_PREFIXES)} belong to streamflow"
        )
    return found

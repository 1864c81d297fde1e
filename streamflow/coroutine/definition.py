"""What a workflow class declares: its name, run method and handlers, checked once when the class is decorated.

The decorators of `streamflow.workflow` leave marks on functions; `define` collects them. Every fault is a ValueError
that names the class and what to change.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from streamflow.common import VersioningBehavior
from streamflow.coroutine.guarding import GUARDED, Guarding, defines_workflows
from streamflow.coroutine.signatures import (
    Signature,
    refuse_keyword_only,
    signature_of,
    takes_raw_values,
)

# Programs find their workflows and handlers by some of these names, and copy them from function to function.
DEFINITION = "__temporal_workflow_definition"
RUN = "__temporal_workflow_run"
INIT = "__temporal_workflow_init"
DYNAMIC_CONFIG = "__temporal_workflow_dynamic_config"
SIGNAL = "__temporal_signal_definition"
QUERY = "__temporal_query_definition"
UPDATE = "_defn"

RESERVED_PREFIXES = ("__temporal", "__streamflow", "__stack_trace", "__enhanced_stack_trace")


class HandlerUnfinishedPolicy(Enum):
    """What happens when a run ends while this handler is still at work."""

    WARN_AND_ABANDON = 1
    ABANDON = 2


@dataclass(frozen=True)
class _HandlerDefinition:
    """``name`` is ``None`` for the handler that takes every other message of its kind."""

    name: str | None
    fn: Callable[..., Any]
    signature: Signature

    @property
    def arg_types(self) -> list[Any]:
        """Hints of the parameters after ``self``, ``None`` where there is none."""
        return list(self.signature.arguments)

    @property
    def ret_type(self) -> Any:
        return self.signature.result

    def bind_fn(self, workflow: object) -> Callable[..., Any]:
        """The handler of this object."""
        bound: Callable[..., Any] = self.fn.__get__(workflow)
        return bound


@dataclass(frozen=True)
class SignalDefinition(_HandlerDefinition):
    """A signal handler."""

    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON
    description: str | None = None


@dataclass(frozen=True)
class QueryDefinition(_HandlerDefinition):
    """A query handler."""

    description: str | None = None


@dataclass(frozen=True)
class UpdateDefinition(_HandlerDefinition):
    """An update handler."""

    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON
    description: str | None = None
    validator: Callable[..., Any] | None = None

    def set_validator(self, function: Callable[..., Any]) -> None:
        """Once, and late: the update's decorator returns before its validator is defined."""
        if self.validator is not None:
            raise RuntimeError(
                f"Validator already set for update {self.name}: {self.validator.__qualname__}, found "
                f"{function.__qualname__} as well"
            )
        object.__setattr__(self, "validator", function)

    def bind_validator(self, workflow: object) -> Callable[..., Any] | None:
        """The validator of this object, if there is one."""
        if self.validator is None:
            return None
        bound: Callable[..., Any] = self.validator.__get__(workflow)
        return bound


@dataclass(frozen=True)
class WorkflowDefinition:
    """One workflow type. ``name`` is ``None`` for a dynamic one, which runs every type that has no other."""

    name: str | None
    cls: type
    run_fn: Callable[..., Any]
    run_signature: Signature
    init_takes_arguments: bool
    signals: Mapping[str | None, SignalDefinition]
    queries: Mapping[str | None, QueryDefinition]
    updates: Mapping[str | None, UpdateDefinition]
    failure_exception_types: tuple[type[BaseException], ...] = ()
    worker_failure_types: tuple[type[BaseException], ...] = ()
    """What its worker adds to these, whatever `dynamic_config` says."""
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED
    dynamic_config_fn: Callable[..., Any] | None = None
    guarding: Guarding = GUARDED

    @property
    def dynamic(self) -> bool:
        return self.name is None

    @property
    def sandboxed(self) -> bool:
        return self.guarding.on

    @property
    def arg_types(self) -> list[Any]:
        """Hints of the run method's parameters, ``None`` where there is none."""
        return list(self.run_signature.arguments)

    @property
    def ret_type(self) -> Any:
        return self.run_signature.result

    @staticmethod
    def from_class(workflow: type) -> WorkflowDefinition | None:
        """The definition of this very class, not of one that it inherits from."""
        return _found(workflow)

    @staticmethod
    def must_from_class(workflow: type) -> WorkflowDefinition:
        """As `from_class`. Raises ValueError for a class that is not decorated."""
        return definition_of(workflow)

    @staticmethod
    def from_run_fn(fn: Callable[..., Any]) -> WorkflowDefinition | None:
        return _found(fn)

    @staticmethod
    def get_name_and_result_type(name_or_run_fn: str | Callable[..., Any]) -> tuple[str, Any]:
        """Of a name that is all. Raises ValueError for what is no run method, or a dynamic workflow's."""
        if isinstance(name_or_run_fn, str):
            return name_or_run_fn, None
        definition = definition_of(name_or_run_fn)
        if definition.name is None:
            raise ValueError("Expected a workflow with a name, found a dynamic one; give the name")
        return definition.name, definition.ret_type

    @staticmethod
    def must_from_run_fn(fn: Callable[..., Any]) -> WorkflowDefinition:
        """Raises ValueError for a function that is no workflow's run method."""
        return definition_of(fn)


def definition_of(cls: type | Callable[..., Any]) -> WorkflowDefinition:
    """The definition of a workflow class, or of the class whose run method is given.

    Raises:
        ValueError: the class is not decorated.
    """
    found = _found(cls)
    if found is not None:
        return found
    inherited = (
        "; it only inherits from one, so decorate it too" if hasattr(cls, DEFINITION) else ""
    )
    raise ValueError(
        f"Workflow {_label(cls)} missing attributes: expected a class decorated with @workflow.defn, found "
        f"{_label(cls)}{inherited}"
    )


def _found(cls: type | Callable[..., Any]) -> WorkflowDefinition | None:
    found = vars(cls).get(DEFINITION) if isinstance(cls, type) else getattr(cls, DEFINITION, None)
    return found if isinstance(found, WorkflowDefinition) else None


def define(
    cls: type,
    *,
    name: str | None,
    failure_exception_types: Sequence[type[BaseException]] = (),
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED,
    guarding: Guarding = GUARDED,
) -> WorkflowDefinition:
    """Checks the class and attaches its definition to it and to its run method."""
    faults: list[str] = []
    run = _run_method(cls, faults)
    definition = WorkflowDefinition(
        name=name,
        cls=cls,
        run_fn=run,
        run_signature=_signature(run, faults, f"{cls.__qualname__}.run"),
        init_takes_arguments=_check_init(cls, run, faults),
        signals=_handlers(cls, SIGNAL, SignalDefinition, "signal", faults),
        queries=_handlers(cls, QUERY, QueryDefinition, "query", faults),
        updates=_handlers(cls, UPDATE, UpdateDefinition, "update", faults),
        failure_exception_types=tuple(failure_exception_types),
        versioning_behavior=versioning_behavior,
        guarding=guarding,
        dynamic_config_fn=next(
            (member for _, member in _functions(cls) if hasattr(member, DYNAMIC_CONFIG)), None
        ),
    )
    if name is not None and definition.dynamic_config_fn is not None:
        faults.append(
            f"@workflow.dynamic_config can only be used in dynamic workflows, and {cls.__qualname__} is named {name!r}"
        )
    if faults:
        reasons = f" for {len(faults)} reasons" if len(faults) > 1 else ""
        raise ValueError(
            f"Invalid workflow class{reasons}: {'; '.join(faults)} (in {cls.__qualname__})"
        )
    if name is None:
        _refuse_dynamic_run(run)
    defines_workflows(cls.__module__)
    setattr(cls, DEFINITION, definition)
    setattr(run, DEFINITION, definition)
    return definition


def _refuse_dynamic_run(run: Callable[..., Any]) -> None:
    arguments = signature_of(run, method=True).arguments
    parameters = list(inspect.signature(run).parameters.values())[1:]
    if len(arguments) != 1 or not takes_raw_values(parameters[0], arguments[0]):
        raise TypeError(
            f"Dynamic workflow must accept a single Sequence[streamflow.common.RawValue], found {run.__qualname__}"
            f"{inspect.signature(run)}"
        )


async def _missing(self: object) -> None:
    """Stands for a run method that was not found, until the fault is raised."""


def _run_method(cls: type, faults: list[str]) -> Callable[..., Any]:
    own = [
        member
        for member in vars(cls).values()
        if inspect.isfunction(member) and hasattr(member, RUN)
    ]
    if len(own) > 1:
        first, second, *_ = sorted(member.__name__ for member in own)
        faults.append(f"Multiple @workflow.run methods found (at least on {second} and {first})")
    if own:
        return own[0]
    for name, member in _functions(cls):
        if hasattr(member, RUN) or _inherited_mark(cls, name, RUN):
            if hasattr(member, RUN):
                faults.append(
                    f"@workflow.run method {name} must be defined on {cls.__qualname__}, found it inherited; define "
                    f"{name} here, decorated, and call super().{name}()"
                )
            else:
                faults.append(_undecorated_override(cls, name, RUN, "run"))
            return _missing
    faults.append("Missing @workflow.run method")
    return _missing


def _check_init(cls: type, run: Callable[..., Any], faults: list[str]) -> bool:
    """Whether the constructor takes the run's arguments."""
    init: Callable[..., Any] = getattr(cls, "__init__")  # noqa: B009  # of the class, not of an object
    if not inspect.isfunction(init):
        return False
    if not hasattr(init, INIT):
        signature = inspect.signature(init)
        required = [
            parameter.name
            for parameter in list(signature.parameters.values())[1:]
            if parameter.default is parameter.empty
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        ]
        if required:
            faults.append(
                f"expected __init__ to take no arguments, found {', '.join(required)}; decorate it with @workflow.init "
                "to give it those of run"
            )
        return False
    if run is not _missing and _shape(init) != _shape(run):
        faults.append("@workflow.init and @workflow.run method parameters do not match")
    return True


def _shape(function: Callable[..., Any]) -> list[tuple[Any, Any, Any]]:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return [(parameter.kind, parameter.annotation, parameter.default) for parameter in parameters]


HandlerT = TypeVar("HandlerT", SignalDefinition, QueryDefinition, UpdateDefinition)


def _handlers(
    cls: type, mark: str, kind: type[HandlerT], noun: str, faults: list[str]
) -> dict[str | None, HandlerT]:
    found: dict[str | None, HandlerT] = {}
    for attribute, member in _functions(cls):
        definition = getattr(member, mark, None)
        if not isinstance(definition, kind):
            if _inherited_mark(cls, attribute, mark):
                faults.append(_undecorated_override(cls, attribute, mark, noun))
            continue
        if definition.name in found:
            other = found[definition.name].fn.__name__
            what = definition.name or "<dynamic>"
            faults.append(
                f"Multiple {noun} methods found for {what} (at least on {attribute} and {other})"
            )
            continue
        if isinstance(definition, UpdateDefinition):
            _check_validator(definition, faults)
        found[definition.name] = definition
    return found


def _check_validator(update: UpdateDefinition, faults: list[str]) -> None:
    validator = update.validator
    if validator is not None and _shape(validator) != _shape(update.fn):
        faults.append(
            f"Update validator method {validator.__name__} parameters do not match update method "
            f"{update.fn.__name__} parameters"
        )


def _functions(cls: type) -> list[tuple[str, Callable[..., Any]]]:
    return inspect.getmembers(cls, inspect.isfunction)


def _undecorated_override(cls: type, attribute: str, mark: str, noun: str) -> str:
    base = next(base for base in cls.__mro__[1:] if hasattr(vars(base).get(attribute), mark))
    return f"@workflow.{noun} defined on {base.__qualname__}.{attribute} but not on the override; decorate it too"


def _inherited_mark(cls: type, attribute: str, mark: str) -> bool:
    """Whether a base class decorated the method of this name."""
    return any(hasattr(vars(base).get(attribute), mark) for base in cls.__mro__[1:])


def _signature(run: Callable[..., Any], faults: list[str], what: str) -> Signature:
    try:
        refuse_keyword_only(run, what)
    except TypeError as refusal:
        faults.append(str(refusal))
    return signature_of(run, method=True)


def _label(value: object) -> str:
    return getattr(value, "__qualname__", None) or repr(value)

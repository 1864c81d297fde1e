"""Signal and query handlers of one run: those of its class, those set while it runs, and signals that wait for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any, Generic, NamedTuple, TypeVar

from streamflow.coroutine.definition import (
    HandlerUnfinishedPolicy,
    QueryDefinition,
    SignalDefinition,
    UpdateDefinition,
)
from streamflow.coroutine.signatures import (
    Signature,
    refuse_dynamic_parameters,
    signature_of,
)
from streamflow.model.events import SignalReceived


class Handler(NamedTuple):
    """What is called for a message: a method bound to the workflow object, or a function set at run time."""

    function: Callable[..., Any]
    signature: Signature
    dynamic: bool
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON
    description: str | None = None
    validator: Callable[..., Any] | None = None
    """Of an update's handler: raises to refuse one."""


def handler_of(
    function: Callable[..., Any], *, dynamic: bool, validator: Callable[..., Any] | None = None
) -> Handler:
    """A handler that is set at run time.

    Raises:
        RuntimeError: a dynamic one takes other parameters than (name, Sequence[RawValue]).
    """
    bound = isinstance(function, MethodType)
    plain = function.__func__ if isinstance(function, MethodType) else function
    if dynamic:
        refuse_dynamic_parameters(plain, method=bound)
    return Handler(function, signature_of(plain, method=bound), dynamic, validator=validator)


DefinitionT = TypeVar("DefinitionT", SignalDefinition, QueryDefinition, UpdateDefinition)


class Handlers(Generic[DefinitionT]):
    """Handlers of one kind by name; ``None`` is the dynamic one, for every name that has no other."""

    def __init__(self, definitions: Mapping[str | None, DefinitionT]) -> None:
        self._definitions: Mapping[str | None, DefinitionT] = definitions
        self._object: object = None
        self._set: dict[str | None, Handler | None] = {}

    def bind(self, workflow: object) -> None:
        """Gives the methods of the class their object."""
        self._object = workflow

    def find(self, name: str) -> Handler | None:
        return self.get(name) or self.get(None)

    def get(self, name: str | None) -> Handler | None:
        """The handler of this very name."""
        if name in self._set:
            return self._set[name]
        definition = self._definitions.get(name)
        if definition is None:
            return None
        handler = _bound(definition, self._object)
        self._set[name] = handler
        return handler

    def set(
        self,
        name: str | None,
        function: Callable[..., Any] | None,
        validator: Callable[..., Any] | None = None,
    ) -> None:
        """Puts a function in a handler's place; ``None`` takes the handler away."""
        self._set[name] = (
            None
            if function is None
            else handler_of(function, dynamic=name is None, validator=validator)
        )

    def known(self) -> list[tuple[str | None, Handler]]:
        """Every handler there is, by name, the dynamic one last."""
        names: list[str | None] = [*self.names(), None]
        found = [(name, self.get(name)) for name in names]
        return [(name, handler) for name, handler in found if handler is not None]

    def names(self) -> list[str]:
        """Every name that has a handler, for messages."""
        names = {*self._definitions, *self._set}
        taken_away = {name for name, handler in self._set.items() if handler is None}
        return sorted(name for name in names - taken_away if name is not None)


def _bound(
    definition: SignalDefinition | QueryDefinition | UpdateDefinition, workflow: object
) -> Handler:
    policy, validator = HandlerUnfinishedPolicy.WARN_AND_ABANDON, None
    if isinstance(definition, SignalDefinition | UpdateDefinition):
        policy = definition.unfinished_policy
    if isinstance(definition, UpdateDefinition):
        validator = definition.bind_validator(workflow)
    return Handler(
        function=definition.bind_fn(workflow),
        signature=definition.signature,
        dynamic=definition.name is None,
        unfinished_policy=policy,
        description=definition.description,
        validator=validator,
    )


class Waiting:
    """Signals that nothing handles yet, in the order of their arrival."""

    def __init__(self) -> None:
        self._signals: list[SignalReceived] = []

    def add(self, signal: SignalReceived) -> None:
        self._signals.append(signal)

    def take(self, name: str | None) -> list[SignalReceived]:
        """Removes and returns those of this name, or all of them for ``None``."""
        taken = [signal for signal in self._signals if name in (None, signal.name)]
        self._signals = [signal for signal in self._signals if name not in (None, signal.name)]
        return taken


class Working(NamedTuple):
    """A handler that has begun and not ended."""

    name: str
    policy: HandlerUnfinishedPolicy
    update_id: str | None
    """``None`` for a signal's."""


class AtWork:
    """Handlers that have begun and not ended."""

    def __init__(self) -> None:
        self._running: dict[int, Working] = {}
        self._count = 0

    def begin(
        self, name: str, policy: HandlerUnfinishedPolicy, update_id: str | None = None
    ) -> int:
        self._count += 1
        self._running[self._count] = Working(name, policy, update_id)
        return self._count

    def end(self, number: int) -> None:
        del self._running[number]

    @property
    def none(self) -> bool:
        return not self._running

    def to_warn_of(self) -> list[Working]:
        """Those whose policy is to warn, in the order in which they began."""
        warn = HandlerUnfinishedPolicy.WARN_AND_ABANDON
        return [working for working in self._running.values() if working.policy is warn]

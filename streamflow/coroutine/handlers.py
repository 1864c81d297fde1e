"""Signal and query handlers of one run: those of its class, those set while it runs, and signals that wait for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any, Generic, NamedTuple, TypeVar

from streamflow.coroutine.definition import (
    HandlerUnfinishedPolicy,
    QueryDefinition,
    SignalDefinition,
)
from streamflow.coroutine.signatures import Signature, signature_of
from streamflow.model.events import SignalReceived


class Handler(NamedTuple):
    """What is called for a message: a method bound to the workflow object, or a function set at run time."""

    function: Callable[..., Any]
    signature: Signature
    dynamic: bool
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON
    description: str | None = None


def handler_of(function: Callable[..., Any], *, dynamic: bool) -> Handler:
    """A handler that is set at run time."""
    if isinstance(function, MethodType):
        return Handler(function, signature_of(function.__func__, method=True), dynamic)
    return Handler(function, signature_of(function, method=False), dynamic)


DefinitionT = TypeVar("DefinitionT", SignalDefinition, QueryDefinition)


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
        policy = HandlerUnfinishedPolicy.WARN_AND_ABANDON
        if isinstance(definition, SignalDefinition):
            policy = definition.unfinished_policy
        handler = Handler(
            function=definition.function.__get__(self._object),
            signature=definition.signature,
            dynamic=name is None,
            unfinished_policy=policy,
            description=definition.description,
        )
        self._set[name] = handler
        return handler

    def set(self, name: str | None, function: Callable[..., Any] | None) -> None:
        """Puts a function in a handler's place; ``None`` takes the handler away."""
        self._set[name] = None if function is None else handler_of(function, dynamic=name is None)

    def names(self) -> list[str]:
        """Every name that has a handler, for messages."""
        known = {name for name in self._definitions if name is not None}
        known |= {name for name, handler in self._set.items() if name and handler}
        return sorted(known - {name for name, handler in self._set.items() if name and not handler})


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


class AtWork:
    """Handlers that have begun and not ended."""

    def __init__(self) -> None:
        self._running: dict[int, tuple[str, HandlerUnfinishedPolicy]] = {}
        self._count = 0

    def begin(self, name: str, policy: HandlerUnfinishedPolicy) -> int:
        self._count += 1
        self._running[self._count] = (name, policy)
        return self._count

    def end(self, number: int) -> None:
        del self._running[number]

    @property
    def none(self) -> bool:
        return not self._running

    def to_warn_of(self) -> list[str]:
        """Names of those whose policy is to warn."""
        warn = HandlerUnfinishedPolicy.WARN_AND_ABANDON
        return sorted({name for name, policy in self._running.values() if policy is warn})

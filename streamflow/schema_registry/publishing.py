"""What of our schemas is in a registry, what fits there, and what is registered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from streamflow.schema_registry.connection import Registry, RegistryError
from streamflow.schema_registry.subjects import Subject


class State(Enum):
    """How a schema stands to its subject."""

    REGISTERED = "registered"
    """Just this one is there."""
    NEW = "new"
    """There is no such subject."""
    COMPATIBLE = "compatible"
    """Another one is there, which this one may follow."""
    INCOMPATIBLE = "incompatible"
    """Another one is there, which this one may not follow."""


class Found(NamedTuple):
    subject: str
    state: State
    number: int | None = None
    """What the registry calls the schema, where it is registered."""
    why: Sequence[str] = ()
    """Of an incompatible one: what does not fit."""


class Incompatible(RegistryError):
    """Some schemas may not follow those that are there; nothing was registered."""

    def __init__(self, found: Sequence[Found]) -> None:
        self.found = tuple(one for one in found if one.state is State.INCOMPATIBLE)
        names = "; ".join(f"{one.subject}: {', '.join(one.why)}" for one in self.found)
        super().__init__(
            f"Expected schemas that may follow those of the registry, found {len(self.found)} that may not, and registered "
            f"none. {names}. Are these subjects somebody else's, or of a later release? Else set their compatibility to "
            "BACKWARD, which every release of streamflow keeps"
        )


def check(registry: Registry, wanted: Iterable[Subject]) -> list[Found]:
    """How each stands there. Changes nothing.

    Raises:
        RegistryError: the registry cannot be asked.
    """
    return [_look(registry, subject) for subject in wanted]


def register(registry: Registry, wanted: Iterable[Subject]) -> list[Found]:
    """Registers what is not there, after all were looked at; how each stood before, with its number now.

    Raises:
        Incompatible: some do not fit; nothing was registered.
        RegistryError: the registry cannot be asked, or refuses; what was registered until then stays, and does no harm.
    """
    subjects = list(wanted)
    before = check(registry, subjects)
    if any(one.state is State.INCOMPATIBLE for one in before):
        raise Incompatible(before)
    return [
        one if one.number is not None else one._replace(number=registry.register(*subject))
        for one, subject in zip(before, subjects, strict=True)
    ]


def _look(registry: Registry, subject: Subject) -> Found:
    number = registry.number_of(*subject)
    if number is not None:
        return Found(subject.name, State.REGISTERED, number)
    misfits = registry.misfits(*subject)
    if misfits is None:
        return Found(subject.name, State.NEW)
    state = State.INCOMPATIBLE if misfits else State.COMPATIBLE
    return Found(subject.name, state, why=misfits)

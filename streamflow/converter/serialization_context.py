"""Whose a value is: what a converter or codec is told, if it asks for it, before it works on the value.

A workflow's own values (arguments, result, signals, queries, updates, memo) come with the workflow; an activity's
(arguments, result, heartbeats) with the activity; a child's with the child, not with its parent.
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import Any, Self, TypeVar

T = TypeVar("T")


class SerializationContext(ABC):  # noqa: B024  # only a common name of its two kinds
    """Whose the value is; one of the two below."""


@dataclass(frozen=True)
class WorkflowSerializationContext(SerializationContext):
    """The value goes into or comes from this workflow. A schedule's names the ID that the schedule was given."""

    namespace: str
    workflow_id: str


@dataclass(frozen=True)
class ActivitySerializationContext(SerializationContext):
    """The value goes into or comes from this activity; what is not known where it is made is ``None``."""

    namespace: str
    activity_id: str | None
    activity_type: str | None
    activity_task_queue: str | None
    workflow_id: str | None
    """The workflow that asked for the activity; ``None`` if a client did."""
    workflow_type: str | None
    is_local: bool


@dataclass(frozen=True)
class NexusSerializationContext(SerializationContext):
    """There for converters that are ported; nobody passes one, as there is no Nexus here."""

    endpoint: str
    service: str
    operation: str


class WithSerializationContext(ABC):  # noqa: B024
    """For converters and codecs that want to know whose a value is: `with_context` is asked before each use.

    A `PayloadConverter`, an `EncodingPayloadConverter`, a `FailureConverter` or a `PayloadCodec` may be one.
    """

    def with_context(self, context: SerializationContext) -> Self:
        """A converter for values of this context: a changed copy, or this one itself."""
        raise NotImplementedError


def in_context(converter: T, context: SerializationContext) -> T:
    """The same, or what it becomes in the context if it cares for one."""
    if isinstance(converter, WithSerializationContext):
        told: Any = converter.with_context(context)
        made: T = told
        return made
    return converter

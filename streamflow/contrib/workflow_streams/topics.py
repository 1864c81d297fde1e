"""Handles of topics: a name, and the one type that a stream or a client knows its values by."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from streamflow.api.common.v1 import Payload
from streamflow.contrib.workflow_streams.wire import WorkflowStreamItem

if TYPE_CHECKING:
    from streamflow.contrib.workflow_streams.client import WorkflowStreamClient
    from streamflow.contrib.workflow_streams.stream import WorkflowStream

T = TypeVar("T")
POLL_COOLDOWN = timedelta(milliseconds=100)


class _Topic(Generic[T]):
    def __init__(self, name: str, type: type[T]) -> None:
        self._name = name
        self._type = type

    @property
    def name(self) -> str:
        """The topic's name."""
        return self._name

    @property
    def type(self) -> type[T]:
        """The type of its values; ``Any`` if none was given."""
        return self._type


class TopicHandle(_Topic[T]):
    """A topic outside the workflow; of `WorkflowStreamClient.topic`."""

    def __init__(self, client: WorkflowStreamClient, name: str, type: type[T]) -> None:
        super().__init__(name, type)
        self._client = client

    def publish(self, value: T | Payload, *, force_flush: bool = False) -> None:
        """Puts a value into the client's next batch, and returns at once.

        Args:
            value: Encoded when its batch is sent. A `Payload` is published as it is.
            force_flush: Whether the batch is sent now rather than at the interval's end. Default: no.
        """
        self._client.put(self._name, value, force_flush=force_flush)

    def subscribe(
        self, from_offset: int = 0, *, poll_cooldown: timedelta = POLL_COOLDOWN
    ) -> AsyncGenerator[WorkflowStreamItem[T]]:
        """The topic's items as its type; see `WorkflowStreamClient.subscribe`."""
        return self._client.subscribe(
            [self._name], from_offset, result_type=self._type, poll_cooldown=poll_cooldown
        )


class WorkflowTopicHandle(_Topic[T]):
    """A topic within the workflow; of `WorkflowStream.topic`. A workflow does not read its own stream."""

    def __init__(self, stream: WorkflowStream, name: str, type: type[T]) -> None:
        super().__init__(name, type)
        self._stream = stream

    def publish(self, value: T | Payload) -> None:
        """Appends a value to the log. A `Payload` is published as it is."""
        self._stream.put(self._name, value)


class Bindings:
    """Which type each topic's name was bound to, by one stream or client."""

    def __init__(self) -> None:
        self._types: dict[str, Any] = {}

    def bind(self, name: str, type: type[T] | None) -> type[T]:
        """The type of the topic from now on.

        Raises:
            RuntimeError: it has another, or this one is `Payload`.
        """
        wanted: Any = Any if type is None else type
        refuse_payload(wanted)
        bound = self._types.setdefault(name, wanted)
        if bound != wanted:
            raise RuntimeError(
                f"Expected one type for topic {name!r}, which is already bound to type {bound!r}, found {wanted!r}: "
                "leave the type out, both times, for a topic of several"
            )
        return wanted  # type: ignore[no-any-return]


def refuse_payload(type: Any) -> None:
    """No converter makes a value a `Payload`.

    Raises:
        RuntimeError: this is it.
    """
    if type is Payload:
        raise RuntimeError(
            "Expected the type of the values, found type=Payload. Leave it out, and publish payloads as they are; "
            "subscribe with result_type=RawValue to get them undecoded"
        )

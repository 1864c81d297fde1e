"""The stream within the workflow: its log, and the handlers that serve it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, NoReturn, TypeVar, overload

from streamflow import workflow
from streamflow.api.common.v1 import Payload
from streamflow.contrib.workflow_streams.log import Log
from streamflow.contrib.workflow_streams.topics import Bindings, WorkflowTopicHandle
from streamflow.contrib.workflow_streams.wire import (
    DRAINING,
    OFFSET,
    POLL,
    PUBLISH,
    PollInput,
    PollResult,
    PublishInput,
    WorkflowStreamState,
    pack,
)
from streamflow.exceptions import ApplicationError

T = TypeVar("T")
PUBLISHER_TTL = timedelta(minutes=15)


class WorkflowStream:
    """The log of the workflow that makes this, in its ``__init__``, once.

    Items that others publish come by a signal. Such signals that were there before the run's code are handled after
    the handlers of its class were begun: a handler that reads the stream is ``async`` and lets them in with
    ``await asyncio.sleep(0)``.

    Args:
        prior_state: What the run before handed on. Default: an empty log.

    Raises:
        RuntimeError: made elsewhere than in ``__init__``, or a second time.
    """

    def __init__(self, prior_state: WorkflowStreamState | None = None) -> None:
        caller = sys._getframe(1).f_code.co_name
        if caller != "__init__":
            raise RuntimeError(
                "WorkflowStream must be constructed directly from the workflow's @workflow.init method, whose polls "
                f"may come with the first step; found it made in {caller!r}"
            )
        if workflow.get_signal_handler(PUBLISH) is not None:
            raise RuntimeError(
                "WorkflowStream is already registered on this workflow: make one, in __init__, and publish to topics"
            )
        self._log = Log(prior_state)
        self._detached = False
        self._bindings = Bindings()
        workflow.set_signal_handler(PUBLISH, self._on_publish)
        workflow.set_update_handler(POLL, self._on_poll, validator=self._check_poll)
        workflow.set_query_handler(OFFSET, self._on_offset)

    @overload
    def topic(self, name: str) -> WorkflowTopicHandle[Any]: ...
    @overload
    def topic(self, name: str, *, type: type[T]) -> WorkflowTopicHandle[T]: ...

    def topic(self, name: str, *, type: type[T] | None = None) -> WorkflowTopicHandle[Any]:
        """A handle to publish to a topic.

        Args:
            name: Any; a topic is there when something is published to it.
            type: What the handle's values are, for type checkers. Default: anything.

        Raises:
            RuntimeError: this stream knows the name with another type.
        """
        return WorkflowTopicHandle(self, name, self._bindings.bind(name, type))

    def put(self, topic: str, value: Any) -> None:
        """Appends a value to the log; `WorkflowTopicHandle.publish` is how workflows do."""
        if not isinstance(value, Payload):
            value = workflow.payload_converter().to_payloads([value])[0]
        self._log.append(topic, pack(value))

    def truncate(self, up_to_offset: int) -> None:
        """Forgets the items before this offset. Offsets go on as they were.

        Subscribers that were not so far yet go on with the first item that is kept.

        Raises:
            ApplicationError: the log ends before (type ``TruncateOutOfRange``).
        """
        self._log.truncate(up_to_offset)

    def get_state(self, *, publisher_ttl: timedelta = PUBLISHER_TTL) -> WorkflowStreamState:
        """The stream as the next run takes it.

        Args:
            publisher_ttl: A publisher that was silent for so long is forgotten, so that a batch of its which came
                already would be taken again; longer than clients' ``max_retry_duration``. Default: 15 minutes.
        """
        return self._log.state(workflow.now(), publisher_ttl)

    def detach_pollers(self) -> None:
        """Answers the polls that wait, and refuses others from now on. Items are still taken."""
        self._detached = True

    async def continue_as_new(
        self,
        build_args: Callable[[WorkflowStreamState], Sequence[Any]],
        *,
        publisher_ttl: timedelta = PUBLISHER_TTL,
    ) -> NoReturn:
        """Detaches pollers, waits for all handlers, and continues as new.

        Args:
            build_args: Makes the next run's arguments, of which the given state is a part.
            publisher_ttl: As in `get_state`.
        """
        self.detach_pollers()
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(args=build_args(self.get_state(publisher_ttl=publisher_ttl)))

    def _on_publish(self, batch: PublishInput) -> None:
        self._log.take(batch, workflow.now())

    async def _on_poll(self, poll: PollInput) -> PollResult:
        await workflow.wait_condition(
            lambda: self._detached or self._log.is_answerable(poll.from_offset)
        )
        return self._log.page(poll.from_offset, poll.topics)

    def _check_poll(self, poll: PollInput) -> None:
        if self._detached:
            raise ApplicationError(
                "This run hands its stream on, or ends: poll again, and the next run answers",
                type=DRAINING,
            )

    def _on_offset(self) -> int:
        return self._log.end

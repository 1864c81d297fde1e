"""The stream outside the workflow: publishing in batches, and subscribing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any, Self, TypeVar, overload

from streamflow import activity
from streamflow.api.common.v1 import Payload
from streamflow.client import Client, WorkflowHandle
from streamflow.contrib.workflow_streams.log import topics_of
from streamflow.contrib.workflow_streams.outbox import Outbox
from streamflow.contrib.workflow_streams.subscription import Subscription
from streamflow.contrib.workflow_streams.topics import (
    POLL_COOLDOWN,
    Bindings,
    TopicHandle,
    refuse_payload,
)
from streamflow.contrib.workflow_streams.wire import (
    OFFSET,
    PUBLISH,
    PublishEntry,
    PublishInput,
    WorkflowStreamItem,
    pack,
    unpack,
)
from streamflow.converter import DataConverter, PayloadConverter
from streamflow.observability import get_logger
from streamflow.service import RPCError, RPCStatusCode

T = TypeVar("T")
BATCH_INTERVAL = timedelta(seconds=2)
MAX_RETRY_DURATION = timedelta(minutes=10)

_PASSING = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.ABORTED,
    }
)
_log = get_logger(__name__)


class WorkflowStreamClient:
    """Publishes to the stream of a workflow, and subscribes to it.

    Publishing needs the client to be entered (``async with``): a task sends what was buffered every ``batch_interval``,
    and leaving sends the rest. A batch is sent until it is confirmed, and the stream takes it once.

    Args:
        handle: Of the workflow. `create` and `from_within_activity` are shorter.
        client: Its payload converter is used, and it finds the runs that come after the handle's one. Default: the
            default converter, and one run.
        batch_interval: Between two batches. Default: 2 seconds.
        max_batch_size: How many buffered values do not wait for the interval's end. Default: any number waits.
        max_retry_duration: How long a batch is sent again before it is dropped with a ``TimeoutError``; shorter than the
            stream's ``publisher_ttl``. Default: 10 minutes.
    """

    def __init__(
        self,
        handle: WorkflowHandle[Any, Any],
        *,
        client: Client | None = None,
        batch_interval: timedelta = BATCH_INTERVAL,
        max_batch_size: int | None = None,
        max_retry_duration: timedelta = MAX_RETRY_DURATION,
    ) -> None:
        self._handle = handle
        self._client = client
        self._batch_interval = batch_interval
        self._max_batch_size = max_batch_size
        self._bindings = Bindings()
        self._outbox = Outbox(self._encode, self._send, max_retry_duration)
        self._hurry = asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None

    @classmethod
    def create(
        cls,
        client: Client,
        workflow_id: str,
        *,
        batch_interval: timedelta = BATCH_INTERVAL,
        max_batch_size: int | None = None,
        max_retry_duration: timedelta = MAX_RETRY_DURATION,
    ) -> Self:
        """For the stream of this workflow, whichever its run is."""
        return cls(
            client.get_workflow_handle(workflow_id),
            client=client,
            batch_interval=batch_interval,
            max_batch_size=max_batch_size,
            max_retry_duration=max_retry_duration,
        )

    @classmethod
    def from_within_activity(
        cls,
        *,
        batch_interval: timedelta = BATCH_INTERVAL,
        max_batch_size: int | None = None,
        max_retry_duration: timedelta = MAX_RETRY_DURATION,
    ) -> Self:
        """For the stream of the workflow that called the running activity.

        Raises:
            RuntimeError: no activity runs here, or no workflow called it.
        """
        workflow_id = activity.info().workflow_id
        if workflow_id is None:
            raise RuntimeError(
                "Expected an activity scheduled by a workflow; this activity has no parent workflow. "
                "Use WorkflowStreamClient.create(activity.client(), workflow_id) here"
            )
        return cls.create(
            activity.client(),
            workflow_id,
            batch_interval=batch_interval,
            max_batch_size=max_batch_size,
            max_retry_duration=max_retry_duration,
        )

    @overload
    def topic(self, name: str) -> TopicHandle[Any]: ...
    @overload
    def topic(self, name: str, *, type: type[T]) -> TopicHandle[T]: ...

    def topic(self, name: str, *, type: type[T] | None = None) -> TopicHandle[Any]:
        """A handle to publish and subscribe to one topic.

        Args:
            name: Any; a topic is there when something is published to it.
            type: What its values are, which subscribing decodes them as. Default: anything.

        Raises:
            RuntimeError: this client knows the name with another type.
        """
        return TopicHandle(self, name, self._bindings.bind(name, type))

    # -- publishing -----------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._flusher = asyncio.create_task(self._flush_at_intervals())
        return self

    async def __aexit__(self, *_: object) -> None:
        flusher, self._flusher = self._flusher, None
        if flusher is not None:
            flusher.cancel()
            await asyncio.wait([flusher])
        await self.flush()
        if flusher is not None and not flusher.cancelled():
            await flusher  # raises what kept it from going on

    def put(self, topic: str, value: object, *, force_flush: bool = False) -> None:
        """Buffers a value; `TopicHandle.publish` is how others do."""
        self._outbox.put(topic, value)
        enough = self._max_batch_size is not None and len(self._outbox) >= self._max_batch_size
        if force_flush or enough:
            self._hurry.set()

    async def flush(self) -> None:
        """Sends what is buffered, and returns when the workflow has it in its history.

        Raises:
            TimeoutError: a batch could not be sent within ``max_retry_duration``, and was dropped.
            RPCError: it cannot be sent now (or at all: NOT_FOUND); it is kept for the next time.
        """
        await self._outbox.flush()

    async def _flush_at_intervals(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._batch_interval.total_seconds()):
                    await self._hurry.wait()
            except TimeoutError:
                pass
            self._hurry.clear()
            try:
                await self._outbox.flush()
            except RPCError as error:
                if error.status not in _PASSING:
                    raise
                _log.warning("stream_batch_not_sent", workflow_id=self._handle.id, error=str(error))

    def _encode(self, topic: str, value: object) -> PublishEntry:
        if not isinstance(value, Payload):
            value = self._converter.to_payloads([value])[0]
        return PublishEntry(topic, pack(value))

    async def _send(self, batch: PublishInput) -> None:
        await self._handle.signal(PUBLISH, batch)

    @property
    def _converter(self) -> PayloadConverter:
        converter = DataConverter.default if self._client is None else self._client.data_converter
        return converter.payload_converter

    # -- reading --------------------------------------------------------------------------------------------------

    @overload
    def subscribe(
        self,
        topics: str | list[str] | None = ...,
        from_offset: int = ...,
        *,
        result_type: type[T],
        poll_cooldown: timedelta = ...,
    ) -> AsyncGenerator[WorkflowStreamItem[T]]: ...
    @overload
    def subscribe(
        self,
        topics: str | list[str] | None = ...,
        from_offset: int = ...,
        *,
        result_type: None = None,
        poll_cooldown: timedelta = ...,
    ) -> AsyncGenerator[WorkflowStreamItem[Any]]: ...

    async def subscribe(
        self,
        topics: str | list[str] | None = None,
        from_offset: int = 0,
        *,
        result_type: type[Any] | None = None,
        poll_cooldown: timedelta = POLL_COOLDOWN,
    ) -> AsyncGenerator[WorkflowStreamItem[Any]]:
        """The items from an offset on, those there and those to come, until the workflow has ended.

        Goes on in the run that comes after. A subscriber whose place was truncated goes on with the first item that is
        kept. Cancelling a task that waits for the next item ends the iteration.

        Args:
            topics: Only these. Default: all.
            from_offset: The first item's. Default: from the beginning of what is kept.
            result_type: What values are decoded as; `RawValue` leaves them encoded. Default: what the converter makes
                of them without a hint.
            poll_cooldown: Pause after each poll that had everything. Each poll is an update in the workflow's history:
                zero is for tests. Default: 100 milliseconds.

        Raises:
            RuntimeError: ``result_type`` is `Payload`.
            WorkflowUpdateFailedError: the workflow has no stream.
            RPCError: there is no such workflow (NOT_FOUND), or it cannot be reached.
        """
        refuse_payload(result_type)
        subscription = Subscription(self._handle, self._client, topics_of(topics))
        async for page in subscription.pages(from_offset, poll_cooldown):
            for item in page.items:
                data = self._converter.from_payload(unpack(item.data), result_type)
                yield WorkflowStreamItem(item.topic, data, item.offset)

    async def get_offset(self) -> int:
        """The offset that the next item will have."""
        offset: int = await self._handle.query(OFFSET, result_type=int)
        return offset

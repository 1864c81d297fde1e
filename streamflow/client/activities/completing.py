"""An activity that is completed from outside the function that began it: heartbeats and the end, from any process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self, overload

from streamflow.client.calls.start import NO_METADATA
from streamflow.client.calls.values import NOT_GIVEN
from streamflow.client.inputs import (
    CompleteAsyncActivityInput,
    FailAsyncActivityInput,
    HeartbeatAsyncActivityInput,
    ReportCancellationAsyncActivityInput,
)
from streamflow.converter import DataConverter, SerializationContext, WithSerializationContext

if TYPE_CHECKING:
    from streamflow.client.client import Client


@dataclass(frozen=True)
class AsyncActivityIDReference:
    """A pending activity by its IDs, for who was not given its task token."""

    workflow_id: str | None
    """``None`` is an activity that a client started."""
    run_id: str | None
    """``None`` is the latest run."""
    activity_id: str


class AsyncActivityHandle(WithSerializationContext):
    """A pending activity whose heartbeats and end its holder reports. Made by `Client.get_async_activity_handle`.

    Example::

        @activity.defn
        async def approve(order_id: str) -> bool:
            await ask_a_person(order_id, activity.info().task_token)
            activity.raise_complete_async()

        # wherever the person's answer arrives:
        await client.get_async_activity_handle(task_token=token).complete(True)
    """

    def __init__(
        self,
        client: Client,
        id_or_token: AsyncActivityIDReference | bytes,
        data_converter_override: DataConverter | None = None,
    ) -> None:
        self._client = client
        self._id_or_token = id_or_token
        self._data_converter_override = data_converter_override

    async def heartbeat(
        self,
        *details: Any,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Reports that the activity lives, and how far it is.

        Raises:
            AsyncActivityCancelledError: the activity is to stop; its ``details`` say why.
            RPCError: NOT_FOUND when it is not pending any more, or was begun anew.
        """
        await self._client.outbound.heartbeat_async_activity(
            HeartbeatAsyncActivityInput(
                id_or_token=self._id_or_token,
                details=details,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )

    async def complete(
        self,
        result: Any = NOT_GIVEN,
        *,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends the activity with this result. Raises RPCError as `heartbeat` does."""
        await self._client.outbound.complete_async_activity(
            CompleteAsyncActivityInput(
                id_or_token=self._id_or_token,
                result=result,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )

    async def fail(
        self,
        error: Exception,
        *,
        last_heartbeat_details: Sequence[Any] = (),
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends this attempt; its retry policy says whether another follows. Raises RPCError as `heartbeat` does.

        Args:
            last_heartbeat_details: What the next attempt is to find. Default: what was reported before.
        """
        await self._client.outbound.fail_async_activity(
            FailAsyncActivityInput(
                id_or_token=self._id_or_token,
                error=error,
                last_heartbeat_details=last_heartbeat_details,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )

    async def report_cancellation(
        self,
        *details: Any,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends the activity as cancelled, which its workflow had asked for. Raises RPCError as `heartbeat` does."""
        await self._client.outbound.report_cancellation_async_activity(
            ReportCancellationAsyncActivityInput(
                id_or_token=self._id_or_token,
                details=details,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )

    def with_context(self, context: SerializationContext) -> Self:
        """The same handle, whose values are converted in this context."""
        converter = self._client.data_converter.with_context(context)
        if converter is self._client.data_converter:
            return self
        cls = type(self)
        if cls.__init__ is not AsyncActivityHandle.__init__:
            raise TypeError(
                f"{cls.__name__} has an __init__ of its own, so you must override with_context to return an instance of "
                "your class: expected a with_context of its own, found none"
            )
        return cls(self._client, self._id_or_token, converter)


@overload
def get_async_activity_handle(
    client: Client, *, activity_id: str, run_id: str | None = ...
) -> AsyncActivityHandle: ...


@overload
def get_async_activity_handle(
    client: Client, *, workflow_id: str, run_id: str | None, activity_id: str
) -> AsyncActivityHandle: ...


@overload
def get_async_activity_handle(client: Client, *, task_token: bytes) -> AsyncActivityHandle: ...


def get_async_activity_handle(
    client: Client,
    *,
    workflow_id: str | None = None,
    run_id: str | None = None,
    activity_id: str | None = None,
    task_token: bytes | None = None,
) -> AsyncActivityHandle:
    """A handle to an activity whose end is reported from outside, by its task token or by its IDs; nothing is asked yet.

    Args:
        workflow_id: The workflow that asked for it; left out for an activity that a client started.
        run_id: Its run. ``None`` is the latest.
        activity_id: As `activity.info().activity_id` tells it.
        task_token: As `activity.info().task_token` tells it; names the attempt, and needs nothing else.
    """
    if task_token is not None:
        if workflow_id is not None or run_id is not None or activity_id is not None:
            raise ValueError("Expected a task token or IDs, found both")
        return AsyncActivityHandle(client, task_token)
    if activity_id is None:
        raise ValueError("Expected task_token, or activity_id with workflow_id, found neither")
    return AsyncActivityHandle(client, AsyncActivityIDReference(workflow_id, run_id, activity_id))

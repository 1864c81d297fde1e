"""An activity that a client started: await its result, cancel it, end it, look at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from streamflow.client.activities.events import cancellation_of
from streamflow.client.activities.execution import ActivityExecutionDescription
from streamflow.client.activities.options import (
    ActivityExecutionOptions,
    ActivityOptionsUpdate,
)
from streamflow.client.calls.address import Address, expect, run_id_or_none
from streamflow.client.calls.start import NO_METADATA
from streamflow.client.calls.values import decode_failure, decode_one, run_error
from streamflow.client.errors import ActivityFailureError
from streamflow.client.inputs import (
    CancelActivityInput,
    DescribeActivityInput,
    PauseActivityInput,
    ResetActivityInput,
    TerminateActivityInput,
    UnpauseActivityInput,
    UpdateActivityOptionsInput,
)
from streamflow.converter import ActivitySerializationContext
from streamflow.exceptions import ActivityError
from streamflow.model import standalone
from streamflow.model.answers import RunResult
from streamflow.model.commands import AwaitResult
from streamflow.model.options import Status

if TYPE_CHECKING:
    from streamflow.client.client import Client

ResultT = TypeVar("ResultT")


class ActivityHandle(Generic[ResultT]):
    """An activity of no workflow, by its ID. Made by `Client.start_activity` and `Client.get_activity_handle`."""

    def __init__(
        self,
        client: Client,
        id: str,
        *,
        run_id: str | None = None,
        result_type: Any = None,
    ) -> None:
        self._client = client
        self._id = id
        self._run_id = run_id
        self._result_type = result_type
        self._ended: RunResult | None = None

    @property
    def id(self) -> str:
        return self._id

    @property
    def run_id(self) -> str | None:
        """Tells apart activities that had the same ID one after the other; ``None`` is the latest."""
        return self._run_id

    async def result(
        self,
        *,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ResultT:
        """What the activity returned. Waits without a deadline unless ``rpc_timeout`` sets one.

        Raises:
            ActivityFailureError: it ended without a result; ``cause`` says how.
            RPCError: NOT_FOUND when there is no such activity.
        """
        converter = self._client.data_converter.with_context(
            ActivitySerializationContext(
                namespace=self._client.namespace,
                activity_id=self._id,
                activity_type=None,
                activity_task_queue=None,
                workflow_id=None,
                workflow_type=None,
                is_local=False,
            )
        )
        address = Address(
            self._client, standalone.workflow_id_of(self._id), self._run_id, standalone.QUEUE
        )
        if self._ended is None:
            command = AwaitResult(
                workflow_id=address.workflow_id, run_id=run_id_or_none(self._run_id)
            )
            self._ended = expect(await address.ask(command, rpc_timeout, patient=True), RunResult)
        ended = self._ended
        if ended.status is Status.COMPLETED:
            result: ResultT = await decode_one(converter, ended.result, self._result_type)
            return result
        cause = await run_error(converter, ended)
        if ended.status is Status.CANCELED:
            failure = await cancellation_of(
                self._client, address.workflow_id, ended.run_id, rpc_timeout
            )
            if failure is not None:
                cause = await decode_failure(converter, failure)
        if isinstance(cause, ActivityError) and cause.cause is not None:
            cause = (
                cause.cause
            )  # what the built-in workflow was told is what the activity ended with
        raise ActivityFailureError(cause=cause)

    async def cancel(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Asks the activity to stop; its code may clean up first, or go on. Does not wait for its end."""
        await self._client.outbound.cancel_activity(
            CancelActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                reason=reason,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def terminate(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends the activity at once; an attempt that runs is told that it is not wanted any more."""
        await self._client.outbound.terminate_activity(
            TerminateActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                reason=reason,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def pause(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Begins no further attempt until `unpause`. One that runs may end; it is told with its next heartbeat.

        Raises:
            RPCError: NOT_FOUND when there is no such activity, or it has ended.
        """
        await self._client.outbound.pause_activity(
            PauseActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                reason=reason,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def unpause(
        self,
        *,
        reason: str | None = None,
        jitter: timedelta | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Lets a paused activity go on: what waits is sent at once, whatever the ``jitter``.

        Raises:
            RPCError: NOT_FOUND when there is no such activity, or it has ended.
        """
        await self._client.outbound.unpause_activity(
            UnpauseActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                reason=reason,
                jitter=jitter,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def reset(
        self,
        *,
        keep_paused: bool = False,
        jitter: timedelta | None = None,
        restore_original_options: bool = False,
        reset_heartbeat: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Counts attempts from 1 again, and sends what waits at once, whatever the ``jitter``. An attempt that runs is
        followed by the first one if it fails; it is told of the reset with its next heartbeat.

        Args:
            keep_paused: Leave a paused activity paused. Default: it goes on.
            restore_original_options: Take back what `update_options` changed.
            reset_heartbeat: Let the next attempt find no heartbeat details.

        Raises:
            RPCError: NOT_FOUND when there is no such activity, or it has ended.
        """
        await self._client.outbound.reset_activity(
            ResetActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                keep_paused=keep_paused,
                jitter=jitter,
                restore_original_options=restore_original_options,
                reset_heartbeat=reset_heartbeat,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def update_options(
        self,
        updates: Sequence[ActivityOptionsUpdate[Any]],
        *,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionOptions:
        """Changes some options and returns all as they are then; what is paused stays so.

        A task that nobody has begun is sent to a new queue at once. The worker of an attempt that runs keeps to the limits
        that it was sent with, while the engine counts by the new ones.

        Args:
            updates: Made by `ActivityOptionsKeys`; of several for one option the last counts.

        Raises:
            ValueError: there are none.
            RPCError: NOT_FOUND when there is no such activity, or it has ended; INVALID_ARGUMENT when it cannot have
                these options.
        """
        if not updates:
            raise ValueError(
                "update_options requires at least one update: give ActivityOptionsKeys.NAME.value_set(...), or call "
                "restore_original_options"
            )
        return await self._update_options(updates, False, rpc_metadata, rpc_timeout)

    async def restore_original_options(
        self,
        *,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionOptions:
        """Takes back what `update_options` changed, and returns the options that the activity was started with."""
        return await self._update_options((), True, rpc_metadata, rpc_timeout)

    async def _update_options(
        self,
        updates: Sequence[ActivityOptionsUpdate[Any]],
        restore: bool,
        rpc_metadata: Mapping[str, str | bytes],
        rpc_timeout: timedelta | None,
    ) -> ActivityExecutionOptions:
        options: ActivityExecutionOptions = await self._client.outbound.update_activity_options(
            UpdateActivityOptionsInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                updates=updates,
                restore_original=restore,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )
        return options

    async def describe(
        self,
        *,
        include_input: bool = False,
        include_outcome: bool = False,
        include_heartbeat_details: bool = False,
        include_last_failure: bool = False,
        long_poll_token: bytes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionDescription:
        """Status, times, attempts and failures.

        Args:
            include_input: Accepted, as are the others: a description has all of it in any case.
            include_outcome: Likewise.
            include_heartbeat_details: Likewise.
            include_last_failure: Likewise.
            long_poll_token: Of an earlier description: the answer comes once something has changed since, or after 20
                seconds (or ``rpc_timeout``).
        """
        description: ActivityExecutionDescription = await self._client.outbound.describe_activity(
            DescribeActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                include_input=include_input,
                include_outcome=include_outcome,
                include_heartbeat_details=include_heartbeat_details,
                include_last_failure=include_last_failure,
                long_poll_token=long_poll_token,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )
        return description

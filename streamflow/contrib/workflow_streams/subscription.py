"""Reading a stream: one poll after the other, from run to run, until the workflow has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from enum import Enum, auto
from typing import Any

from streamflow.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from streamflow.contrib.workflow_streams.wire import (
    DRAINING,
    POLL,
    TRUNCATED,
    PollInput,
    PollResult,
)
from streamflow.exceptions import ApplicationError
from streamflow.service import RPCError, RPCStatusCode

OUTRUN = "AcceptedUpdateCompletedWorkflow"
"""The type of the error of an update whose run ended before it was answered."""


class _Then(Enum):
    """What follows a poll that was not answered."""

    AGAIN = auto()
    FROM_THE_FIRST_KEPT = auto()
    THE_END = auto()


class Subscription:
    """Where one subscriber stands."""

    def __init__(
        self, handle: WorkflowHandle[Any, Any], client: Client | None, topics: list[str]
    ) -> None:
        self._handle = handle
        self._client = client
        self._topics = topics
        self._polled_run = handle.run_id

    async def pages(self, offset: int, cooldown: timedelta) -> AsyncGenerator[PollResult]:
        """Each answer. After one that had room left, nothing is asked for the cooldown."""
        while True:
            try:
                answer = await self._poll(offset)
            except asyncio.CancelledError:
                return
            except (WorkflowUpdateFailedError, RPCError) as error:
                match await self._after(error):
                    case _Then.THE_END:
                        return
                    case _Then.FROM_THE_FIRST_KEPT:
                        offset = 0
                    case _Then.AGAIN:
                        await asyncio.sleep(cooldown.total_seconds())
                continue
            yield answer
            offset = answer.next_offset
            if not answer.more_ready:
                await asyncio.sleep(cooldown.total_seconds())

    async def _poll(self, offset: int) -> PollResult:
        update = await self._handle.start_update(
            POLL,
            PollInput(self._topics, offset),
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
            result_type=PollResult,
        )
        # Before the outcome: only this run tells whether another came after it.
        self._polled_run = update.workflow_run_id
        result: PollResult = await update.result()
        return result

    async def _after(self, error: WorkflowUpdateFailedError | RPCError) -> _Then:
        """Raises the error if it is not a stream's way of saying how to go on."""
        is_timeout = isinstance(error, WorkflowUpdateRPCTimeoutOrCancelledError)
        if isinstance(error, WorkflowUpdateFailedError):
            kind = error.cause.type if isinstance(error.cause, ApplicationError) else None
            if kind == TRUNCATED:
                return _Then.FROM_THE_FIRST_KEPT
            if kind == DRAINING:
                return _Then.AGAIN
            if kind != OUTRUN:
                raise error
        elif isinstance(error.__cause__, asyncio.CancelledError):
            return _Then.THE_END
        elif not is_timeout and error.status is not RPCStatusCode.NOT_FOUND:
            raise error

        match await self._status():
            case WorkflowExecutionStatus.CONTINUED_AS_NEW:
                if self._client is None:
                    return _Then.THE_END
                self._handle = self._client.get_workflow_handle(self._handle.id)
                return _Then.AGAIN
            case WorkflowExecutionStatus.RUNNING if is_timeout:
                return _Then.AGAIN
            case None | WorkflowExecutionStatus.RUNNING:
                raise error
            case _:
                return _Then.THE_END

    async def _status(self) -> WorkflowExecutionStatus | None:
        """Of the run that was polled last; ``None`` if there is no telling."""
        handle = self._handle
        if self._client is not None:
            handle = self._client.get_workflow_handle(handle.id, run_id=self._polled_run)
        try:
            return (await handle.describe()).status
        except RPCError:
            return None

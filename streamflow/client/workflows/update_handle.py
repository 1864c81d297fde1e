"""An update that was sent: await its result."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from streamflow.client.calls.address import Address, expect
from streamflow.client.calls.start import NO_METADATA
from streamflow.client.calls.values import converter_for, decode_failure, decode_one
from streamflow.client.errors import (
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from streamflow.model.answers import UpdateOutcome
from streamflow.model.commands import AwaitUpdate
from streamflow.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from streamflow.client.client import Client

ResultT = TypeVar("ResultT")


class WorkflowUpdateStage(IntEnum):
    """How far an update must have come before `WorkflowHandle.start_update` returns."""

    ADMITTED = 1
    """Refused by calls: until it is accepted, an update is remembered by its sender alone."""
    ACCEPTED = 2
    COMPLETED = 3


class WorkflowUpdateHandle(Generic[ResultT]):
    """An update by its ID. Made by `WorkflowHandle.start_update` and `WorkflowHandle.get_update_handle`."""

    def __init__(
        self,
        client: Client,
        id: str,
        workflow_id: str,
        *,
        workflow_run_id: str | None = None,
        result_type: Any = None,
        known_outcome: UpdateOutcome | None = None,
        task_queue: str | None = None,
    ) -> None:
        self._client = client
        self._id = id
        self._workflow_run_id = workflow_run_id
        self._result_type = result_type
        self._known_outcome = known_outcome
        self._address = Address(client, workflow_id, workflow_run_id, task_queue)

    @property
    def id(self) -> str:
        """The update's ID."""
        return self._id

    @property
    def workflow_id(self) -> str:
        return self._address.workflow_id

    @property
    def workflow_run_id(self) -> str | None:
        """The run that has the update; ``None`` is whichever is the latest."""
        return self._workflow_run_id

    async def result(
        self,
        *,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ResultT:
        """What the update's handler returned. Waits without a deadline unless ``rpc_timeout`` sets one.

        Raises:
            WorkflowUpdateFailedError: it was refused, or failed, or the run ended first; ``cause`` says how.
            WorkflowUpdateRPCTimeoutOrCancelledError: this call timed out or was cancelled; the update goes on.
            RPCError: NOT_FOUND when the run has accepted no update of this ID.
        """
        outcome = await self.wait(rpc_timeout)
        converter = converter_for(self._client, self._address.workflow_id)
        if outcome.failure is not None:
            raise WorkflowUpdateFailedError(await decode_failure(converter, outcome.failure))
        result: ResultT = await decode_one(converter, outcome.result, self._result_type)
        return result

    async def wait(self, rpc_timeout: timedelta | None) -> UpdateOutcome:
        """The outcome, awaited once."""
        if self._known_outcome is None:
            command = AwaitUpdate(
                workflow_id=self._address.workflow_id,
                run_id=self._address.run_id,
                update_id=self._id,
            )
            with as_update_error():
                answer = await self._address.ask(command, rpc_timeout, patient=True)
            self._known_outcome = expect(answer, UpdateOutcome)
        return self._known_outcome


@contextmanager
def as_update_error() -> Generator[None]:
    """A wait that timed out or was cancelled says that it was one for an update."""
    try:
        yield
    except RPCError as error:
        if error.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED):
            raise WorkflowUpdateRPCTimeoutOrCancelledError from error
        raise
    except asyncio.CancelledError as error:
        raise WorkflowUpdateRPCTimeoutOrCancelledError from error

"""A workflow that exists: await its result, signal it, query it, end it, look at it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from streamflow.client.activities import control as activity_control
from streamflow.client.calls.address import Address
from streamflow.client.calls.start import NO_METADATA
from streamflow.client.history.events import WorkflowHistoryEventAsyncIterator
from streamflow.client.history.workflow_history import (
    WorkflowHistory,
    WorkflowHistoryEventFilterType,
)
from streamflow.client.inputs import (
    CancelWorkflowInput,
    DescribeWorkflowInput,
    FetchWorkflowHistoryEventsInput,
    TerminateWorkflowInput,
)
from streamflow.client.workflows import ending, messaging, steering, updating
from streamflow.client.workflows.execution import WorkflowExecutionDescription

if TYPE_CHECKING:
    from streamflow.client.client import Client

SelfT = TypeVar("SelfT")
ResultT = TypeVar("ResultT")


class WorkflowHandle(Generic[SelfT, ResultT]):
    """A workflow by its ID, or one run of it. Made by `Client.start_workflow` and `Client.get_workflow_handle`."""

    def __init__(
        self,
        client: Client,
        id: str,
        *,
        run_id: str | None = None,
        result_run_id: str | None = None,
        first_execution_run_id: str | None = None,
        result_type: Any = None,
        task_queue: str | None = None,
    ) -> None:
        self._client = client
        self._id = id
        self._run_id = run_id
        self._result_run_id = result_run_id
        self._first_execution_run_id = first_execution_run_id
        self._result_type = result_type
        self._address = Address(client, id, run_id, task_queue)

    @property
    def id(self) -> str:
        return self._id

    @property
    def run_id(self) -> str | None:
        """The run that messages go to; ``None`` is whichever is the latest."""
        return self._run_id

    @property
    def result_run_id(self) -> str | None:
        """The run whose end `result` waits for; ``None`` is the latest."""
        return self._result_run_id

    @property
    def first_execution_run_id(self) -> str | None:
        """The chain of runs that `cancel` and `terminate` are meant for."""
        return self._first_execution_run_id

    # -- the end ------------------------------------------------------------------------------------------------

    async def result(
        self,
        *,
        follow_runs: bool = True,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ResultT:
        """What the workflow returned. Waits without a deadline unless ``rpc_timeout`` sets one.

        Raises:
            WorkflowFailureError: it ended without a result; ``cause`` says how.
            WorkflowContinuedAsNewError: another run follows, and ``follow_runs`` is false.
        """
        result: ResultT = await ending.result(
            self._address,
            self._result_run_id,
            self._result_type,
            follow_runs=follow_runs,
            rpc_timeout=rpc_timeout,
        )
        return result

    # -- messages -----------------------------------------------------------------------------------------------

    # Groups of calls live in modules of their own, as functions whose first parameter is the handle.
    signal = messaging.signal
    query = messaging.query
    execute_update = updating.execute_update
    start_update = updating.start_update
    get_update_handle = updating.get_update_handle
    get_update_handle_for = updating.get_update_handle_for

    # -- ending it ----------------------------------------------------------------------------------------------

    async def cancel(
        self,
        *,
        reason: str = "",
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Asks the workflow to stop; its code may clean up first, or refuse. Does not wait for its end."""
        await self._client.outbound.cancel_workflow(
            CancelWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                first_execution_run_id=self._first_execution_run_id,
                reason=reason,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                task_queue=self._queue,
            )
        )

    async def terminate(
        self,
        *args: Any,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends the run at once, without running more of its code."""
        await self._client.outbound.terminate_workflow(
            TerminateWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                first_execution_run_id=self._first_execution_run_id,
                args=args,
                reason=reason,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                task_queue=self._queue,
            )
        )

    # -- looking ------------------------------------------------------------------------------------------------

    async def describe(
        self,
        *,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowExecutionDescription:
        """Status, times, pending activities with attempts and failures, and why it does not move if its code failed."""
        return await self._client.outbound.describe_workflow(
            DescribeWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                task_queue=self._queue,
            )
        )

    async def fetch_history(
        self,
        *,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        skip_archival: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowHistory:
        """The run's events so far; every page is of the same run. See `fetch_history_events`."""
        reading = self.fetch_history_events(
            event_filter_type=event_filter_type,
            skip_archival=skip_archival,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )
        events = [event async for event in reading]
        return WorkflowHistory(self._id, events, reading.run_id)

    def fetch_history_events(
        self,
        *,
        page_size: int | None = None,
        next_page_token: bytes | None = None,
        wait_new_event: bool = False,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        skip_archival: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowHistoryEventAsyncIterator:
        """Events (`HistoryEvent`; our own is its ``recorded``) as they are read; with ``wait_new_event`` until the close.

        A stuck run has a failed workflow task at its end. ``page_size`` and ``skip_archival`` change nothing: a page is
        what fits an answer, and nothing is archived.
        """
        return self._client.outbound.fetch_workflow_history_events(
            FetchWorkflowHistoryEventsInput(
                id=self._id,
                run_id=self._history_run_id,
                page_size=page_size,
                next_page_token=next_page_token,
                wait_new_event=wait_new_event,
                event_filter_type=event_filter_type,
                skip_archival=skip_archival,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                task_queue=self._queue,
            )
        )

    @property
    def _queue(self) -> str | None:
        return self._address.queue or None

    @property
    def _history_run_id(self) -> str | None:
        return self._run_id or self._result_run_id

    # -- an operator's hand -------------------------------------------------------------------------------------

    pause_activity = activity_control.pause_activity
    unpause_activity = activity_control.unpause_activity
    reset_activity = activity_control.reset_activity
    update_activity_options = activity_control.update_activity_options
    pause = steering.pause
    unpause = steering.unpause
    delete = steering.delete
    reset = steering.reset

    @property
    def address(self) -> Address:
        """Where commands about this workflow go."""
        return self._address

"""A workflow that exists: await its result, signal it, query it, end it, look at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, overload

from streamflow.client import ending, messaging, reading
from streamflow.client.address import Address
from streamflow.client.errors import (
    NotYetError,
)
from streamflow.client.execution import WorkflowExecutionDescription
from streamflow.client.history import WorkflowHistory, WorkflowHistoryEventFilterType
from streamflow.client.values import (
    NOT_GIVEN,
    arguments,
)
from streamflow.common import QueryRejectCondition
from streamflow.model.events import Recorded

if TYPE_CHECKING:
    from streamflow.client.client import Client

SelfT = TypeVar("SelfT")
ArgT = TypeVar("ArgT")
ResultT = TypeVar("ResultT")
# What a query answers, which has nothing to do with what the workflow returns.
AnswerT = TypeVar("AnswerT")


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
        self, *, follow_runs: bool = True, rpc_timeout: timedelta | None = None
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

    @overload
    async def signal(
        self,
        signal: Callable[[SelfT], Awaitable[None] | None],
        *,
        rpc_timeout: timedelta | None = ...,
    ) -> None: ...

    @overload
    async def signal(
        self,
        signal: Callable[[SelfT, ArgT], Awaitable[None] | None],
        arg: ArgT,
        *,
        rpc_timeout: timedelta | None = ...,
    ) -> None: ...

    @overload
    async def signal(
        self,
        signal: str | Callable[..., Awaitable[None] | None],
        *,
        args: Sequence[Any],
        rpc_timeout: timedelta | None = ...,
    ) -> None: ...

    @overload
    async def signal(
        self, signal: str, arg: Any = ..., *, rpc_timeout: timedelta | None = ...
    ) -> None: ...

    async def signal(
        self,
        signal: str | Callable[..., Any],
        arg: Any = NOT_GIVEN,
        *,
        args: Sequence[Any] = (),
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Delivered once it returns, and never lost. The workflow need not be running its code at the time.

        Raises:
            RPCError: NOT_FOUND when there is no such workflow, or it is closed.
        """
        await messaging.signal(self._address, signal, arguments(arg, args), rpc_timeout)

    @overload
    async def query(
        self,
        query: Callable[[SelfT], AnswerT],
        *,
        reject_condition: QueryRejectCondition | None = ...,
        rpc_timeout: timedelta | None = ...,
    ) -> AnswerT: ...

    @overload
    async def query(
        self,
        query: Callable[[SelfT, ArgT], AnswerT],
        arg: ArgT,
        *,
        reject_condition: QueryRejectCondition | None = ...,
        rpc_timeout: timedelta | None = ...,
    ) -> AnswerT: ...

    @overload
    async def query(
        self,
        query: Callable[..., AnswerT],
        *,
        args: Sequence[Any],
        reject_condition: QueryRejectCondition | None = ...,
        rpc_timeout: timedelta | None = ...,
    ) -> AnswerT: ...

    @overload
    async def query(
        self,
        query: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type | None = ...,
        reject_condition: QueryRejectCondition | None = ...,
        rpc_timeout: timedelta | None = ...,
    ) -> Any: ...

    async def query(
        self,
        query: str | Callable[..., Any],
        arg: Any = NOT_GIVEN,
        *,
        args: Sequence[Any] = (),
        result_type: type | None = None,
        reject_condition: QueryRejectCondition | None = None,
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """The answer of the workflow's code, which has seen every signal that was sent before.

        Closed runs answer too, as long as they are retained and a worker is up.

        Raises:
            WorkflowQueryFailedError: the query's code raised, or there is no such query.
            WorkflowQueryRejectedError: the run's status is one that ``reject_condition`` excludes.
        """
        return await messaging.query(
            self._address,
            query,
            arguments(arg, args),
            result_type=result_type,
            reject_condition=reject_condition,
            rpc_timeout=rpc_timeout,
        )

    # -- ending it ----------------------------------------------------------------------------------------------

    async def cancel(self, *, reason: str = "", rpc_timeout: timedelta | None = None) -> None:
        """Asks the workflow to stop; its code may clean up first, or refuse. Does not wait for its end."""
        await ending.cancel(self._address, self._first_execution_run_id, reason, rpc_timeout)

    async def terminate(
        self, *args: Any, reason: str | None = None, rpc_timeout: timedelta | None = None
    ) -> None:
        """Ends the run at once, without running more of its code."""
        first_run_id = self._first_execution_run_id
        await ending.terminate(self._address, first_run_id, reason, args, rpc_timeout)

    # -- looking ------------------------------------------------------------------------------------------------

    async def describe(
        self, *, rpc_timeout: timedelta | None = None
    ) -> WorkflowExecutionDescription:
        """Status, times, pending activities with attempts and failures, and why it does not move if its code failed."""
        return await reading.description(self._address, rpc_timeout)

    async def fetch_history(
        self,
        *,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowHistory:
        """The run's events so far; every page is of the same run."""
        return await reading.history(
            self._address, self._history_run_id, event_filter_type, rpc_timeout
        )

    async def fetch_history_events(
        self,
        *,
        wait_new_event: bool = False,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        rpc_timeout: timedelta | None = None,
    ) -> AsyncIterator[Recorded]:
        """Events as they are read; with ``wait_new_event`` until the run is closed."""
        async for event in reading.events(
            self._address,
            self._history_run_id,
            wait_new_event=wait_new_event,
            event_filter_type=event_filter_type,
            rpc_timeout=rpc_timeout,
        ):
            yield event

    @property
    def _history_run_id(self) -> str | None:
        return self._run_id or self._result_run_id

    # -- not in this release ------------------------------------------------------------------------------------

    async def execute_update(self, *_args: Any, **_options: Any) -> NoReturn:
        raise NotYetError("WorkflowHandle.execute_update")

    async def start_update(self, *_args: Any, **_options: Any) -> NoReturn:
        raise NotYetError("WorkflowHandle.start_update")

    def get_update_handle(self, *_args: Any, **_options: Any) -> NoReturn:
        raise NotYetError("WorkflowHandle.get_update_handle")

    def get_update_handle_for(self, *_args: Any, **_options: Any) -> NoReturn:
        raise NotYetError("WorkflowHandle.get_update_handle_for")

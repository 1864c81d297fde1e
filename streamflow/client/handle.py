"""A workflow that exists: await its result, signal it, query it, end it, look at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, overload

from streamflow.client import naming
from streamflow.client.errors import (
    NotYetError,
    WorkflowContinuedAsNewError,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    raise_refusal,
)
from streamflow.client.execution import WorkflowExecutionDescription, describe
from streamflow.client.history import WorkflowHistory, WorkflowHistoryEventFilterType, closes
from streamflow.client.transport import DEADLINE_S, EventsPage
from streamflow.client.values import (
    NOT_GIVEN,
    arguments,
    decode_failure,
    decode_one,
    encode,
    run_error,
)
from streamflow.common import QueryRejectCondition
from streamflow.model.answers import (
    Answer,
    Description,
    Done,
    QueryAnswer,
    Reason,
    Rejection,
    RunResult,
)
from streamflow.model.commands import (
    AwaitResult,
    CancelWorkflow,
    Command,
    DescribeWorkflow,
    QueryWorkflow,
    SignalWorkflow,
    TerminateWorkflow,
)
from streamflow.model.events import Recorded
from streamflow.model.ids import RunId, WorkflowId
from streamflow.model.options import Status

if TYPE_CHECKING:
    from streamflow.client.client import Client

SelfT = TypeVar("SelfT")
ArgT = TypeVar("ArgT")
ResultT = TypeVar("ResultT")
# What a query answers, which has nothing to do with what the workflow returns.
AnswerT = TypeVar("AnswerT")

HISTORY_POLL_S = 0.5
"""How often a caller who waits for new events asks for them."""


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
        self._queue = task_queue or ""

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
        run_id = self._result_run_id
        while True:
            command = AwaitResult(workflow_id=WorkflowId(self._id), run_id=_run(run_id))
            answer = await self._ask(command, rpc_timeout, patient=True)
            if isinstance(answer, Rejection) and answer.reason is Reason.NOT_FOUND and run_id:
                # A run can be continued on another queue: its successor is looked for there once.
                answer = await self._ask_elsewhere(command, run_id, answer)
            ended = _expect(answer, RunResult)
            following = ended.new_run_id if follow_runs else None
            if following is None:
                result: ResultT = await outcome(self._client, ended, self._result_type)
                return result
            run_id = following

    async def _ask_elsewhere(self, command: AwaitResult, run_id: str, refusal: Rejection) -> Answer:
        queue = await self._client.transport.find_queue(self._id, run_id)
        if queue == self._queue:
            return refusal
        return await self._client.transport.ask(queue, command, deadline_s=None)

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
        command = SignalWorkflow(
            workflow_id=WorkflowId(self._id),
            run_id=_run(self._run_id),
            signal_name=naming.signal_name(signal),
            args=await encode(self._client.data_converter, arguments(arg, args)),
            identity=self._client.identity,
        )
        _expect(await self._ask(command, rpc_timeout), Done)

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
        name, hint = naming.query_name(query)
        condition = reject_condition or self._client.default_workflow_query_reject_condition
        command = QueryWorkflow(
            workflow_id=WorkflowId(self._id),
            run_id=_run(self._run_id),
            query_name=name,
            args=await encode(self._client.data_converter, arguments(arg, args)),
            reject_condition=(condition or QueryRejectCondition.NONE).value,
        )
        match await self._ask(command, rpc_timeout):
            case QueryAnswer(result=payload):
                return await decode_one(self._client.data_converter, payload, result_type or hint)
            case Rejection(reason=Reason.QUERY_FAILED) as refusal:
                await self._raise_query_failed(refusal)
            case Rejection(reason=Reason.QUERY_REJECTED):
                raise WorkflowQueryRejectedError((await self.describe()).status)
            case answer:
                _expect(answer, QueryAnswer)

    async def _raise_query_failed(self, refusal: Rejection) -> NoReturn:
        if refusal.failure is None:
            raise WorkflowQueryFailedError(refusal.message)
        cause = await decode_failure(self._client.data_converter, refusal.failure)
        raise WorkflowQueryFailedError(str(cause) or refusal.message) from cause

    # -- ending it ----------------------------------------------------------------------------------------------

    async def cancel(self, *, reason: str = "", rpc_timeout: timedelta | None = None) -> None:
        """Asks the workflow to stop; its code may clean up first, or refuse. Does not wait for its end."""
        command = CancelWorkflow(
            workflow_id=WorkflowId(self._id),
            run_id=_run(self._run_id),
            first_run_id=_run(self._first_execution_run_id),
            reason=reason,
            identity=self._client.identity,
        )
        _expect(await self._ask(command, rpc_timeout), Done)

    async def terminate(
        self, *args: Any, reason: str | None = None, rpc_timeout: timedelta | None = None
    ) -> None:
        """Ends the run at once, without running more of its code."""
        command = TerminateWorkflow(
            workflow_id=WorkflowId(self._id),
            run_id=_run(self._run_id),
            first_run_id=_run(self._first_execution_run_id),
            reason=reason or "",
            details=await encode(self._client.data_converter, args),
            identity=self._client.identity,
        )
        _expect(await self._ask(command, rpc_timeout), Done)

    # -- looking ------------------------------------------------------------------------------------------------

    async def describe(
        self, *, rpc_timeout: timedelta | None = None
    ) -> WorkflowExecutionDescription:
        """Status, times, pending activities with attempts and failures, and why it does not move if its code failed."""
        command = DescribeWorkflow(workflow_id=WorkflowId(self._id), run_id=_run(self._run_id))
        facts = _expect(await self._ask(command, rpc_timeout), Description)
        return await describe(facts, self._client.data_converter)

    async def fetch_history(
        self,
        *,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowHistory:
        """The run's events so far; every page is of the same run."""
        pages = [page async for page in self._pages(0, rpc_timeout)]
        events = [event for page in pages for event in page.events]
        if event_filter_type is WorkflowHistoryEventFilterType.CLOSE_EVENT:
            events = [event for event in events if closes(event)]
        return WorkflowHistory(self._id, tuple(events), pages[-1].run_id)

    async def fetch_history_events(
        self,
        *,
        wait_new_event: bool = False,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        rpc_timeout: timedelta | None = None,
    ) -> AsyncIterator[Recorded]:
        """Events as they are read; with ``wait_new_event`` until the run is closed."""
        wanted_all = event_filter_type is WorkflowHistoryEventFilterType.ALL_EVENT
        async for page in self._pages(0, rpc_timeout, until_closed=wait_new_event):
            for event in page.events:
                if wanted_all or closes(event):
                    yield event

    async def _pages(
        self, after_seq: int, rpc_timeout: timedelta | None, *, until_closed: bool = False
    ) -> AsyncIterator[EventsPage]:
        run_id = self._run_id or self._result_run_id
        while True:
            page = await self._client.transport.events(
                await self._find_queue(),
                self._id,
                run_id,
                after_seq,
                deadline_s=_seconds(rpc_timeout),
            )
            if not isinstance(page, EventsPage):
                page = _expect(page, EventsPage)
            yield page
            run_id, after_seq = page.run_id, page.next_after_seq
            if page.more:
                continue
            if page.closed or not until_closed:
                return
            await asyncio.sleep(HISTORY_POLL_S)

    # -- not in this release ------------------------------------------------------------------------------------

    async def execute_update(self, *_args: Any, **_options: Any) -> NoReturn:
        raise NotYetError("WorkflowHandle.execute_update")

    async def start_update(self, *_args: Any, **_options: Any) -> NoReturn:
        raise NotYetError("WorkflowHandle.start_update")

    def get_update_handle(self, *_args: Any, **_options: Any) -> NoReturn:
        raise NotYetError("WorkflowHandle.get_update_handle")

    def get_update_handle_for(self, *_args: Any, **_options: Any) -> NoReturn:
        raise NotYetError("WorkflowHandle.get_update_handle_for")

    # -- asking -------------------------------------------------------------------------------------------------

    async def _ask(
        self, command: Command, rpc_timeout: timedelta | None, *, patient: bool = False
    ) -> Answer:
        deadline_s = None if patient and rpc_timeout is None else _seconds(rpc_timeout)
        queue = self._queue or await self._find_queue()
        return await self._client.transport.ask(queue, command, deadline_s=deadline_s)

    async def _find_queue(self) -> str:
        if not self._queue:
            self._queue = await self._client.find_queue(self._id, self._run_id)
        return self._queue


def _expect(answer: object, cls: type[AnswerT]) -> AnswerT:
    """The answer if it is what was asked for; a refusal raises."""
    if isinstance(answer, cls):
        return answer
    if isinstance(answer, Rejection):
        raise_refusal(answer)
    raise AssertionError(f"Expected {cls.__name__} or a refusal, found {answer!r}")


async def outcome(client: Client, ended: RunResult, result_type: Any) -> Any:
    """The result of a run that nobody follows further; raises what it ended with."""
    match ended.status:
        case Status.COMPLETED:
            return await decode_one(client.data_converter, ended.result, result_type)
        case Status.CONTINUED_AS_NEW:
            raise WorkflowContinuedAsNewError(ended.new_run_id or "")
        case _:
            cause = await run_error(client.data_converter, ended)
            raise WorkflowFailureError(cause=cause)


def _run(run_id: str | None) -> RunId | None:
    return RunId(run_id) if run_id else None


def _seconds(timeout: timedelta | None) -> float:
    return DEADLINE_S if timeout is None else timeout.total_seconds()

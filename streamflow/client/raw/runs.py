"""What runs are: descriptions, histories, lists, counts and queries."""

from __future__ import annotations

import asyncio

from streamflow.api.common.v1 import Payload
from streamflow.api.enums.v1 import HistoryEventFilterType, WorkflowExecutionStatus
from streamflow.api.history.v1 import HistoryEvent
from streamflow.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    CountWorkflowExecutionsResponse,
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryResponse,
    ListWorkflowExecutionsRequest,
    ListWorkflowExecutionsResponse,
    QueryWorkflowRequest,
    QueryWorkflowResponse,
)
from streamflow.client.activities.listing import about_workflows
from streamflow.client.calls.address import Address
from streamflow.client.errors import raise_refusal
from streamflow.client.history.events import WorkflowHistoryEventAsyncIterator
from streamflow.client.history.workflow_history import WorkflowHistoryEventFilterType
from streamflow.client.inputs import FetchWorkflowHistoryEventsInput
from streamflow.client.raw.asked import Asked
from streamflow.client.workflows.execution import listed
from streamflow.client.workflows.listing import PAGE_SIZE
from streamflow.client.workflows.messages import description_of
from streamflow.common import QueryRejectCondition
from streamflow.converter import DataConverter
from streamflow.model import commands
from streamflow.model.answers import Description, QueryAnswer, Reason, Rejection
from streamflow.service import RPCError, RPCStatusCode

EVENTS_MAX = 1_000
"""Events of a page, about: what one answer of the engine brings is not taken apart."""
POLL_S = 20.0
"""So long is a new event waited for; who has got none asks again with the token."""

_KINDS = {bool: "Bool", int: "Int", float: "Double", str: "Keyword"}


async def describe_workflow_execution(
    asked: Asked, request: DescribeWorkflowExecutionRequest
) -> DescribeWorkflowExecutionResponse:
    facts = await _described(asked, asked.address(request.execution))
    return description_of(facts, asked.client.data_converter)


async def get_workflow_execution_history(
    asked: Asked, request: GetWorkflowExecutionHistoryRequest
) -> GetWorkflowExecutionHistoryResponse:
    address = asked.address(request.execution)
    only_end = HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
    fetched = WorkflowHistoryEventAsyncIterator(
        asked.client,
        FetchWorkflowHistoryEventsInput(
            id=address.workflow_id,
            run_id=address.run_id,
            page_size=request.maximum_page_size or None,
            next_page_token=_history_token(request.next_page_token),
            wait_new_event=request.wait_new_event,
            event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT
            if request.history_event_filter_type == only_end
            else WorkflowHistoryEventFilterType.ALL_EVENT,
            skip_archival=request.skip_archival,
            rpc_metadata={},
            rpc_timeout=asked.timeout,
        ),
    )
    events = await _page(fetched, request.maximum_page_size or EVENTS_MAX)
    made = GetWorkflowExecutionHistoryResponse(next_page_token=fetched.next_page_token or b"")
    made.history.events.extend(events)
    return made


async def _page(fetched: WorkflowHistoryEventAsyncIterator, events_max: int) -> list[HistoryEvent]:
    """As many events as there are; of a run that goes on, for a while those that come, until there is one."""
    loop = asyncio.get_running_loop()
    until = loop.time() + POLL_S
    found: list[HistoryEvent] = []
    while not found or len(found) < events_max:
        await fetched.fetch_next_page()
        page = list(fetched.current_page or ())
        found += page
        if fetched.next_page_token is None or (found and not page) or loop.time() > until:
            break
    return found


def _history_token(token: bytes) -> bytes | None:
    if token and not token.rpartition(b":")[2].isdigit():
        raise RPCError(
            f"Expected a page token that an answer had, found {token!r}",
            RPCStatusCode.INVALID_ARGUMENT,
        )
    return token or None


async def list_workflow_executions(
    asked: Asked, request: ListWorkflowExecutionsRequest
) -> ListWorkflowExecutionsResponse:
    page = await asked.client.transport.executions(
        about_workflows(request.query),
        page_size=min(request.page_size or PAGE_SIZE, PAGE_SIZE),
        page_token=request.next_page_token.decode(),
        deadline_s=asked.deadline_s,
    )
    return ListWorkflowExecutionsResponse(
        executions=[listed(each, DataConverter.default).raw_info for each in page.executions],
        next_page_token=page.next_page_token.encode(),
    )


async def count_workflow_executions(
    asked: Asked, request: CountWorkflowExecutionsRequest
) -> CountWorkflowExecutionsResponse:
    found = await asked.client.transport.count_executions(
        about_workflows(request.query), deadline_s=asked.deadline_s
    )
    made = CountWorkflowExecutionsResponse(count=found.count)
    for group in found.groups:
        values = [_group_value(value) for value in group.values]
        made.groups.add(count=group.count, group_values=values)
    return made


async def query_workflow(asked: Asked, request: QueryWorkflowRequest) -> QueryWorkflowResponse:
    address = asked.address(request.execution)
    command = commands.QueryWorkflow(
        workflow_id=address.workflow_id,
        run_id=address.run_id,
        query_name=request.query.query_type,
        args=tuple(request.query.query_args.payloads),
        headers=dict(request.query.header.fields),
        reject_condition=QueryRejectCondition(request.query_reject_condition or 1)._to_model(),
    )
    answer = await asked.answer(address, command)
    made = QueryWorkflowResponse()
    match answer:
        case QueryAnswer(result=payload):
            made.query_result.payloads.extend([] if payload is None else [payload])
        case Rejection(reason=Reason.QUERY_REJECTED):
            facts = await _described(asked, address)
            made.query_rejected.status = _status_number(facts)
        case Rejection():
            raise_refusal(answer)
        case _:
            raise AssertionError(f"Expected an answer to a query, found {answer!r}")
    return made


async def _described(asked: Asked, address: Address) -> Description:
    command = commands.DescribeWorkflow(workflow_id=address.workflow_id, run_id=address.run_id)
    return await asked.ask(address, command, Description)


def _status_number(facts: Description) -> WorkflowExecutionStatus:
    return WorkflowExecutionStatus.Value(f"WORKFLOW_EXECUTION_STATUS_{facts.status.name}")


def _group_value(value: str | int | float | bool | None) -> Payload:
    payload = DataConverter.default.payload_converter.to_payload(value)
    if value is not None:
        payload.metadata["type"] = _KINDS[type(value)].encode()
    return payload


ANSWERS = (
    count_workflow_executions,
    describe_workflow_execution,
    get_workflow_execution_history,
    list_workflow_executions,
    query_workflow,
)

"""Requests about runs are answered by what the client can do; what runs do is what handles would see."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, get_type_hints

import pytest

from streamflow.api.enums.v1 import (
    EventType,
    HistoryEventFilterType,
    QueryRejectCondition,
    WorkflowExecutionStatus,
)
from streamflow.api.query.v1 import WorkflowQuery
from streamflow.api.workflowservice import v1 as api
from streamflow.client import Client, RPCError, RPCStatusCode
from streamflow.client.raw import ANSWERS
from streamflow.service.raw import Call, OperatorService, RawService, WorkflowService
from tests.unit.client.raw.programs import Hears, begun, named, payloads

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("service", [WorkflowService, OperatorService])
async def test_every_declared_call_has_its_answer(service: type[RawService]) -> None:
    declared = {name: call for name, call in vars(service).items() if isinstance(call, Call)}

    for name, call in declared.items():
        hints = get_type_hints(ANSWERS[name])
        assert (hints["request"], hints["return"]) == (call.takes, call.gives)
    assert declared


async def test_another_message_than_the_calls_own_is_refused(client: Client) -> None:
    wrong: Any = api.DescribeNamespaceRequest()

    with pytest.raises(TypeError, match="CountWorkflowExecutionsRequest for WorkflowService"):
        await client.workflow_service.count_workflow_executions(wrong)


async def test_a_description_is_that_of_the_handle(client: Client) -> None:
    handle = await begun(client)

    found = await client.workflow_service.describe_workflow_execution(
        api.DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=named()),
        retry=True,
        timeout=timedelta(seconds=5),
    )

    assert found == (await handle.describe()).raw_description
    assert found.workflow_execution_info.status == (
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
    )


async def test_what_is_not_there_is_not_found(client: Client) -> None:
    request = api.DescribeWorkflowExecutionRequest(execution=named("nobody"))
    with pytest.raises(RPCError) as caught:
        await client.workflow_service.describe_workflow_execution(request)
    assert caught.value.status is RPCStatusCode.NOT_FOUND

    with pytest.raises(RPCError) as caught:
        await client.workflow_service.describe_workflow_execution(
            api.DescribeWorkflowExecutionRequest()
        )
    assert caught.value.status is RPCStatusCode.INVALID_ARGUMENT


async def test_a_history_has_the_events_of_the_handles(client: Client) -> None:
    handle = await begun(client)
    await handle.signal(Hears.hear, "stop")
    await handle.result()

    request = api.GetWorkflowExecutionHistoryRequest(execution=named())
    found = await client.workflow_service.get_workflow_execution_history(request)

    assert list(found.history.events) == [event async for event in handle.fetch_history_events()]
    assert found.next_page_token == b""
    request.history_event_filter_type = HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
    found = await client.workflow_service.get_workflow_execution_history(request)
    assert [event.event_type for event in found.history.events] == [
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
    ]


async def test_the_end_of_a_run_can_be_waited_for_in_its_history(client: Client) -> None:
    handle = await begun(client)
    request = api.GetWorkflowExecutionHistoryRequest(
        execution=named(),
        wait_new_event=True,
        history_event_filter_type=HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
    )

    waiting = asyncio.create_task(client.workflow_service.get_workflow_execution_history(request))
    await handle.signal(Hears.hear, "stop")
    found = await waiting

    assert [event.event_type for event in found.history.events] == [
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
    ]


async def test_a_token_that_no_answer_had_is_refused(client: Client) -> None:
    await begun(client)
    request = api.GetWorkflowExecutionHistoryRequest(execution=named(), next_page_token=b"x")

    with pytest.raises(RPCError, match="page token"):
        await client.workflow_service.get_workflow_execution_history(request)


async def test_lists_and_counts(client: Client) -> None:
    for id in ("a", "b"):
        await begun(client, id=id)
    await client.get_workflow_handle("a").terminate()

    page = await client.workflow_service.list_workflow_executions(
        api.ListWorkflowExecutionsRequest(namespace="default", page_size=1)
    )
    rest = await client.workflow_service.list_workflow_executions(
        api.ListWorkflowExecutionsRequest(page_size=9, next_page_token=page.next_page_token)
    )
    running = await client.workflow_service.list_workflow_executions(
        api.ListWorkflowExecutionsRequest(query="ExecutionStatus = 'Running'")
    )
    counted = await client.workflow_service.count_workflow_executions(
        api.CountWorkflowExecutionsRequest(query="GROUP BY ExecutionStatus")
    )

    ids = [info.execution.workflow_id for each in (page, rest) for info in each.executions]
    assert sorted(ids) == ["a", "b"]
    assert [info.execution.workflow_id for info in running.executions] == ["b"]
    convert = client.data_converter.payload_converter.from_payload
    assert counted.count == 2
    assert {convert(group.group_values[0]): group.count for group in counted.groups} == {
        "Running": 1,
        "Terminated": 1,
    }


async def test_a_query_that_is_no_filter_is_an_invalid_argument(client: Client) -> None:
    with pytest.raises(RPCError, match="invalid query") as caught:
        await client.workflow_service.count_workflow_executions(
            api.CountWorkflowExecutionsRequest(query="Nothing = ")
        )
    assert caught.value.status is RPCStatusCode.INVALID_ARGUMENT


async def test_a_query_is_answered_or_rejected(client: Client) -> None:
    handle = await begun(client)
    await handle.signal(Hears.hear, "a")
    request = api.QueryWorkflowRequest(
        execution=named(),
        query=WorkflowQuery(query_type="words"),
        query_reject_condition=QueryRejectCondition.QUERY_REJECT_CONDITION_NOT_OPEN,
    )

    answered = await client.workflow_service.query_workflow(request)
    await handle.terminate()
    rejected = await client.workflow_service.query_workflow(request)

    assert answered.query_result == payloads(client, ["a"])
    assert rejected.query_rejected.status == (
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED
    )
    with pytest.raises(RPCError) as caught:
        await client.workflow_service.query_workflow(
            api.QueryWorkflowRequest(execution=named(), query={"query_type": "nothing"})
        )
    assert caught.value.status is RPCStatusCode.INVALID_ARGUMENT

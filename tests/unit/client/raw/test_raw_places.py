"""Requests about namespaces, queues and search attributes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from streamflow.api.enums.v1 import (
    IndexedValueType,
    NamespaceState,
    TaskQueueType,
)
from streamflow.api.operatorservice import v1 as operator
from streamflow.api.taskqueue.v1 import TaskQueue
from streamflow.api.workflowservice import v1 as api
from streamflow.client import Client, RPCError, RPCStatusCode
from streamflow.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from tests.unit.client.raw.programs import QUEUE, Hears, begun

pytestmark = pytest.mark.asyncio

COLOR = SearchAttributeKey.for_keyword("Color")


async def test_namespaces_are_registered_once_described_and_listed(client: Client) -> None:
    service = client.workflow_service
    other = api.DescribeNamespaceRequest(namespace="other")
    with pytest.raises(RPCError, match="Namespace other is not found") as caught:
        await service.describe_namespace(other)
    assert caught.value.status is RPCStatusCode.NOT_FOUND
    register = api.RegisterNamespaceRequest(
        namespace="other",
        description="d",
        owner_email="o@example.org",
        workflow_execution_retention_period=timedelta(days=1),
    )

    await service.register_namespace(register)
    found = await service.describe_namespace(other)
    listed = await service.list_namespaces(api.ListNamespacesRequest())

    info = found.namespace_info
    assert (info.name, info.description, info.owner_email) == ("other", "d", "o@example.org")
    assert info.state is NamespaceState.NAMESPACE_STATE_REGISTERED
    assert found.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=30)
    assert [each.namespace_info.name for each in listed.namespaces] == ["default", "other"]
    with pytest.raises(RPCError) as caught:
        await service.register_namespace(register)
    assert caught.value.status is RPCStatusCode.ALREADY_EXISTS
    with pytest.raises(RPCError) as caught:
        await service.register_namespace(api.RegisterNamespaceRequest(namespace="Not One"))
    assert caught.value.status is RPCStatusCode.INVALID_ARGUMENT


async def test_who_serves_a_queue(client: Client) -> None:
    def of(queue: str, kind: TaskQueueType) -> api.DescribeTaskQueueRequest:
        return api.DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
        )

    for kind in (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY):
        served = await client.workflow_service.describe_task_queue(of(QUEUE, kind))
        empty = await client.workflow_service.describe_task_queue(of("nobody's", kind))

        assert len(served.pollers) == 1
        assert served.pollers[0].identity
        assert served.pollers[0].HasField("last_access_time")
        assert not empty.pollers


async def test_what_the_whole_says_of_itself(client: Client) -> None:
    system = await client.workflow_service.get_system_info(api.GetSystemInfoRequest())
    cluster = await client.workflow_service.get_cluster_info(api.GetClusterInfoRequest())

    assert system.server_version == cluster.server_version
    assert system.capabilities.supports_schedules
    assert not system.capabilities.nexus


async def test_search_attributes_are_added_listed_and_removed(client: Client) -> None:
    service, keyword = client.operator_service, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    add = operator.AddSearchAttributesRequest(
        namespace=client.namespace, search_attributes={"Color": keyword}
    )

    await service.add_search_attributes(add)
    await service.add_search_attributes(add)  # the same again
    listed = await service.list_search_attributes(
        operator.ListSearchAttributesRequest(namespace=client.namespace)
    )
    old = await client.workflow_service.get_search_attributes(api.GetSearchAttributesRequest())

    assert listed.custom_attributes == {"Color": keyword}
    assert listed.system_attributes["StartTime"] is IndexedValueType.INDEXED_VALUE_TYPE_DATETIME
    assert old.keys == listed.system_attributes | listed.custom_attributes
    await client.start_workflow(
        Hears.run,
        id="w",
        task_queue=QUEUE,
        search_attributes=TypedSearchAttributes([SearchAttributePair(COLOR, "red")]),
    )
    assert (await client.count_workflows("Color = 'red'")).count == 1
    with pytest.raises(RPCError) as caught:
        await service.add_search_attributes(
            operator.AddSearchAttributesRequest(search_attributes={"Color": 1})
        )
    assert caught.value.status is RPCStatusCode.ALREADY_EXISTS
    with pytest.raises(RPCError, match="99"):
        await service.add_search_attributes(
            operator.AddSearchAttributesRequest(search_attributes={"Other": 99})
        )
    remove = operator.RemoveSearchAttributesRequest(search_attributes=["Color"])
    await service.remove_search_attributes(remove)
    with pytest.raises(RPCError):
        await service.remove_search_attributes(remove)


async def test_a_request_may_be_made_of_a_connection_and_names_its_namespace(
    client: Client,
) -> None:
    await begun(client)
    await client.workflow_service.register_namespace(
        api.RegisterNamespaceRequest(namespace="other")
    )
    service = client.service_client.workflow_service

    here = await service.count_workflow_executions(api.CountWorkflowExecutionsRequest())
    there = await service.count_workflow_executions(
        api.CountWorkflowExecutionsRequest(namespace="other")
    )

    assert (here.count, there.count) == (1, 0)

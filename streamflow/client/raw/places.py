"""What runs live in: namespaces, queues, and the whole.

A namespace is there once its topics are. A client that makes topics makes those of its own namespace; any other has to be
registered. What a gateway's log has beside the namespaces that it serves cannot be asked here.
"""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from streamflow import topology
from streamflow.api.enums.v1 import NamespaceState, TaskQueueType
from streamflow.api.taskqueue.v1 import PollerInfo
from streamflow.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeNamespaceResponse,
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    GetClusterInfoRequest,
    GetClusterInfoResponse,
    GetSystemInfoRequest,
    GetSystemInfoResponse,
    ListNamespacesRequest,
    ListNamespacesResponse,
    RegisterNamespaceRequest,
    RegisterNamespaceResponse,
)
from streamflow.client import connecting
from streamflow.client.log.patience import blocking
from streamflow.client.raw.asked import Asked
from streamflow.engine.context import Limits
from streamflow.model.settings import NamespaceEntry
from streamflow.service import RPCError, RPCStatusCode
from streamflow.topology.declarations import BROKER_DEFAULT

if TYPE_CHECKING:
    from streamflow.ports import Log


async def describe_namespace(
    asked: Asked, request: DescribeNamespaceRequest
) -> DescribeNamespaceResponse:
    name = asked.client.namespace
    if name == asked.client.service_client.config.namespace:
        await asked.client.transport.open()  # makes it, where this client makes topics
    try:
        log = connecting.log_of(asked.client.transport)
    except ValueError:
        await asked.client.transport.open()  # asks the gateway whether it serves it
        return _described(NamespaceEntry(name=name))
    entry = await blocking(log, lambda: _entries(log).get(name))
    if entry is None:
        raise RPCError(
            f"Namespace {name} is not found. Make it with: streamflow namespace create {name}",
            RPCStatusCode.NOT_FOUND,
        )
    return _described(entry)


async def list_namespaces(asked: Asked, request: ListNamespacesRequest) -> ListNamespacesResponse:
    """All of them, on one page."""
    await asked.client.transport.open()
    log = _log(asked, "list_namespaces")
    found = await blocking(log, lambda: _entries(log))
    return ListNamespacesResponse(namespaces=[_described(found[name]) for name in sorted(found)])


async def register_namespace(
    asked: Asked, request: RegisterNamespaceRequest
) -> RegisterNamespaceResponse:
    """Makes its topics, with the broker's replication. How long closed runs are kept is a setting of workers."""
    log = _log(asked, "register_namespace")
    entry = NamespaceEntry(
        name=request.namespace,
        description=request.description,
        owner=request.owner_email,
        made_ms=log.clock.now_ms(),
    )
    await blocking(log, lambda: _make(log, entry))
    return RegisterNamespaceResponse()


async def describe_task_queue(
    asked: Asked, request: DescribeTaskQueueRequest
) -> DescribeTaskQueueResponse:
    """Who serves the queue now: processors for workflows, else workers for activities. None on a queue that is not there."""
    await asked.client.transport.open()
    log, queue = _log(asked, "describe_task_queue"), request.task_queue.name
    if not queue:
        raise RPCError("Expected a task_queue with a name", RPCStatusCode.INVALID_ARGUMENT)
    kinds = request.task_queue_types or [request.task_queue_type]
    namespace, made = asked.client.namespace, DescribeTaskQueueResponse()
    for kind in kinds:
        group = topology.processor_group(namespace, queue)
        if kind == TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY:
            group = topology.activity_group(namespace, queue)
        members = await blocking(log, partial(log.live_members, group))
        for member in sorted(members):
            poller = PollerInfo(identity=member)
            # A member of a group is heard of all the time; who is silent is none.
            poller.last_access_time.FromMilliseconds(log.clock.now_ms())
            made.pollers.append(poller)
    return made


async def get_system_info(asked: Asked, request: GetSystemInfoRequest) -> GetSystemInfoResponse:
    made = GetSystemInfoResponse(server_version=version("streamflow"))
    for name in (
        "signal_and_query_header",
        "internal_error_differentiation",
        "activity_failure_include_heartbeat",
        "supports_schedules",
        "encoded_failure_attributes",
        "upsert_memo",
        "eager_workflow_start",
        "count_group_by_execution_status",
    ):
        setattr(made.capabilities, name, True)
    return made


async def get_cluster_info(asked: Asked, request: GetClusterInfoRequest) -> GetClusterInfoResponse:
    """Raises RPCError where nobody answers, so that it serves as a check of the connection."""
    await asked.client.service_client.check_health()
    return GetClusterInfoResponse(
        server_version=version("streamflow"),
        cluster_name=asked.client.service_client.config.target_host,
    )


def _log(asked: Asked, call: str) -> Log:
    try:
        return connecting.log_of(asked.client.transport)
    except ValueError as error:
        raise RPCError(
            f"Expected a client of a log for {call}, found one of a gateway: ask where the log is",
            RPCStatusCode.UNIMPLEMENTED,
        ) from error


def _entries(log: Log) -> dict[str, NamespaceEntry]:
    """Every namespace by name; one that nobody registered has no description."""
    suffix = topology.settings_topic("x")[1:]
    names = [
        topic.removesuffix(suffix)
        for topic in log.topics()
        if topic.endswith(suffix) and topic.count(".") == 1
    ]
    return {
        name: topology.read_settings(log, name).namespace or NamespaceEntry(name=name)
        for name in names
    }


def _make(log: Log, entry: NamespaceEntry) -> None:
    try:
        declared = topology.declare(entry.name, replication_factor=BROKER_DEFAULT, dev=True)
    except ValueError as error:
        raise RPCError(str(error), RPCStatusCode.INVALID_ARGUMENT) from error
    if entry.name in _entries(log):
        raise RPCError(
            f"Namespace already exists: {entry.name}",
            RPCStatusCode.ALREADY_EXISTS,
        )
    topology.apply(log, topology.plan(log, declared))
    topology.write_namespace(log, entry)


def _described(entry: NamespaceEntry) -> DescribeNamespaceResponse:
    made = DescribeNamespaceResponse()
    info = made.namespace_info
    info.name = info.id = entry.name
    info.state = NamespaceState.NAMESPACE_STATE_REGISTERED
    info.description, info.owner_email = entry.description, entry.owner
    info.supports_schedules = True
    made.config.workflow_execution_retention_ttl.FromMilliseconds(Limits().retention_ms)
    return made


ANSWERS = (
    describe_namespace,
    describe_task_queue,
    get_cluster_info,
    get_system_info,
    list_namespaces,
    register_namespace,
)

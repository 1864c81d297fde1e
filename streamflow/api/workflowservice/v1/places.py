"""Messages about what runs live in: namespaces, queues, and the whole."""

from __future__ import annotations

from streamflow.api.enums.v1 import IndexedValueType, TaskQueueType
from streamflow.api.message import Message, child, field, many
from streamflow.api.message_fields import choice, long
from streamflow.api.message_tables import choices, choices_by_name, texts_by_name
from streamflow.api.namespace.v1 import NamespaceConfig, NamespaceFilter, NamespaceInfo
from streamflow.api.taskqueue.v1 import PollerInfo, TaskQueue
from streamflow.api.times import Duration


class DescribeNamespaceRequest(Message):
    namespace = field(1, "")
    id = field(2, "")


class DescribeNamespaceResponse(Message):
    namespace_info = child(1, NamespaceInfo)
    config = child(2, NamespaceConfig)
    failover_version = long(4)
    is_global_namespace = field(5, False)


class RegisterNamespaceRequest(Message):
    namespace = field(1, "")
    description = field(2, "")
    owner_email = field(3, "")
    workflow_execution_retention_period = child(4, Duration)
    data = texts_by_name(7)
    is_global_namespace = field(9, False)


class RegisterNamespaceResponse(Message):
    """Nothing."""


class ListNamespacesRequest(Message):
    page_size = field(1, 0)
    next_page_token = field(2, b"")
    namespace_filter = child(3, NamespaceFilter)


class ListNamespacesResponse(Message):
    namespaces = many(1, DescribeNamespaceResponse)
    next_page_token = field(2, b"")


class GetSystemInfoRequest(Message):
    """Nothing."""


class _Capabilities(Message):
    """What can be done here."""

    signal_and_query_header = field(1, False)
    internal_error_differentiation = field(2, False)
    activity_failure_include_heartbeat = field(3, False)
    supports_schedules = field(4, False)
    encoded_failure_attributes = field(5, False)
    build_id_based_versioning = field(6, False)
    upsert_memo = field(7, False)
    eager_workflow_start = field(8, False)
    sdk_metadata = field(9, False)
    count_group_by_execution_status = field(10, False)
    nexus = field(11, False)


class GetSystemInfoResponse(Message):
    Capabilities = _Capabilities

    server_version = field(1, "")
    capabilities = child(2, _Capabilities)


class GetClusterInfoRequest(Message):
    """Nothing."""


class GetClusterInfoResponse(Message):
    supported_clients = texts_by_name(1)
    server_version = field(2, "")
    cluster_id = field(3, "")
    cluster_name = field(5, "")
    history_shard_count = field(6, 0)
    persistence_store = field(7, "")
    visibility_store = field(8, "")


class GetSearchAttributesRequest(Message):
    """Nothing."""


class GetSearchAttributesResponse(Message):
    keys = choices_by_name(1, IndexedValueType)


class DescribeTaskQueueRequest(Message):
    namespace = field(1, "")
    task_queue = child(2, TaskQueue)
    task_queue_type = choice(3, TaskQueueType)
    include_task_queue_status = field(4, False)
    task_queue_types = choices(7, TaskQueueType)
    report_stats = field(8, False)
    report_pollers = field(9, False)
    report_task_reachability = field(10, False)
    report_config = field(11, False)


class DescribeTaskQueueResponse(Message):
    pollers = many(1, PollerInfo)

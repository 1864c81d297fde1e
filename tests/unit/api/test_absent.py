"""Code that imports messages of a server's API can be loaded; using one says what to do instead."""

from __future__ import annotations

from importlib import import_module

import pytest


def test_a_message_can_be_imported_but_not_made() -> None:
    from streamflow.api.workflowservice.v1 import PollWorkflowTaskQueueRequest

    with pytest.raises(NotImplementedError, match="PollWorkflowTaskQueueRequest"):
        PollWorkflowTaskQueueRequest(namespace="default")


def test_other_names_are_missing_as_ever() -> None:
    import streamflow.api.workflowservice.v1 as module

    with pytest.raises(AttributeError, match="no attribute 'something'"):
        _ = module.something


def test_messages_are_also_where_a_protobuf_compiler_puts_them() -> None:
    from streamflow.api.common.v1 import Payload
    from streamflow.api.enums.v1 import EventType
    from streamflow.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

    def found(name: str, file: str) -> object:
        return getattr(import_module(f"streamflow.api.{file}"), name)

    assert found("Payload", "common.v1.message_pb2") is Payload
    assert (
        found("DescribeWorkflowExecutionResponse", "workflowservice.v1.request_response_pb2")
        is DescribeWorkflowExecutionResponse
    )
    assert found("EventType", "enums.v1.event_type_pb2") is EventType


def test_members_of_enums_are_beside_their_classes() -> None:
    module = import_module("streamflow.api.enums.v1.event_type_pb2")

    assert module.EVENT_TYPE_TIMER_FIRED is module.EventType.EVENT_TYPE_TIMER_FIRED
    with pytest.raises(AttributeError, match="EVENT_TYPE_NONE"):
        _ = module.EVENT_TYPE_NONE


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("BatchOperationSignal", "batch.v1"),
        ("Command", "command.v1.message_pb2"),
        ("WorkflowExecutions", "export.v1"),
        ("WorkflowTypeFilter", "filter.v1"),
        ("EndpointSpec", "nexus.v1"),
        ("WorkerVersionStamp", "version.v1"),
        ("WorkerHeartbeat", "worker.v1"),
        ("GetNamespaceRequest", "cloud.cloudservice.v1.request_response_pb2"),
    ],
)
def test_packages_of_a_server_only_can_be_imported(name: str, file: str) -> None:
    """Programs import them at their top, for calls that they may not even make."""
    made = getattr(import_module(f"streamflow.api.{file}"), name)

    with pytest.raises(NotImplementedError, match=r"streamflow\.client\.Client"):
        made()

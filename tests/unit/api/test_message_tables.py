"""Numbers of enums by name and in lists, and texts by name, have the bytes that Protocol Buffers give them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.duration_pb2 import Duration as RealDuration

from streamflow.api.enums.v1 import IndexedValueType, ResetReapplyExcludeType
from streamflow.api.message_json import to_json
from streamflow.api.namespace.v1 import NamespaceInfo
from streamflow.api.operatorservice.v1 import AddSearchAttributesRequest
from streamflow.api.workflow.v1 import WorkflowExecutionInfo
from streamflow.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    RegisterNamespaceRequest,
    ResetWorkflowExecutionRequest,
)

KEYWORD = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD


def test_numbers_by_name_are_entries_of_key_and_value() -> None:
    request = AddSearchAttributesRequest(namespace="n", search_attributes={"A": 2})

    assert request.SerializeToString() == b"\n\x05\n\x01A\x10\x02\x12\x01n"
    assert AddSearchAttributesRequest.FromString(request.SerializeToString()) == request
    assert request.search_attributes["A"] is KEYWORD
    assert to_json(request)["searchAttributes"] == {"A": "INDEXED_VALUE_TYPE_KEYWORD"}


def test_numbers_of_a_list_stand_together_and_are_also_read_apart() -> None:
    request = ResetWorkflowExecutionRequest(reset_reapply_exclude_types=[1, 2])

    assert request.SerializeToString() == b"\x3a\x02\x01\x02"
    assert ResetWorkflowExecutionRequest.FromString(b"\x3a\x02\x01\x02") == request
    assert ResetWorkflowExecutionRequest.FromString(b"\x38\x01\x38\x02") == request
    assert request.reset_reapply_exclude_types == [
        ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL,
        ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE,
    ]
    assert to_json(request)["resetReapplyExcludeTypes"][0].endswith("_SIGNAL")


def test_texts_by_name_are_entries_too() -> None:
    info = NamespaceInfo(data={"a": "b"})

    assert info.SerializeToString() == b"\x2a\x06\n\x01a\x12\x01b"
    assert NamespaceInfo.FromString(info.SerializeToString()) == info


def test_what_is_no_number_of_an_enum_is_refused() -> None:
    with pytest.raises(TypeError, match="IndexedValueType"):
        AddSearchAttributesRequest(search_attributes={"A": 1.5})
    with pytest.raises(ValueError, match="IndexedValueType"):
        AddSearchAttributesRequest(search_attributes={"A": "KEYWORD"})


def test_a_child_may_be_given_by_its_fields_and_times_as_pythons_own() -> None:
    request = DescribeWorkflowExecutionRequest(execution={"workflow_id": "w"})
    info = WorkflowExecutionInfo(start_time=datetime(2026, 1, 1, tzinfo=UTC))
    register = RegisterNamespaceRequest(workflow_execution_retention_period=timedelta(days=1))
    real = RegisterNamespaceRequest(
        workflow_execution_retention_period=RealDuration(seconds=86_400)
    )

    assert request.execution.workflow_id == "w"
    assert info.start_time.ToDatetime(UTC) == datetime(2026, 1, 1, tzinfo=UTC)
    assert register == real

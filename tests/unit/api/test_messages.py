"""Messages have the fields, methods and bytes of the protobuf messages of their names."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.api.common.v1 import (
    Memo,
    Payload,
    Payloads,
    WorkerVersionCapabilities,
    WorkflowExecution,
)
from streamflow.api.enums import v1 as enums
from streamflow.api.enums.v1 import EventType, RetryState, TimeoutType
from streamflow.api.failure.stored import opened, stored
from streamflow.api.failure.v1 import Failure
from streamflow.model.failure import Failure as Stored
from streamflow.model.failure import FailureKind, TimeoutKind
from streamflow.model.failure import RetryState as State

payloads = st.builds(
    Payload,
    metadata=st.dictionaries(st.text(max_size=8), st.binary(max_size=8), max_size=3),
    data=st.binary(max_size=300),
)


@given(payload=payloads)
def test_a_payload_is_read_from_its_bytes(payload: Payload) -> None:
    data = payload.SerializeToString()

    assert Payload.FromString(data) == payload
    assert payload.ByteSize() == len(data)


def test_a_payloads_bytes_are_those_of_protobuf() -> None:
    """Known bytes: field 1 is a map entry of key and value, field 2 the data."""
    payload = Payload(metadata={"encoding": b"json/plain"}, data=b"1")

    expected = b"\n\x16\n\x08encoding\x12\njson/plain\x12\x011"

    assert payload.SerializeToString() == expected


@pytest.mark.parametrize("data", [b"\n", b"\x12\x05ab", b"\x0b", b"\xff" * 11])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="protobuf message"):
        Payload.FromString(data)


def test_a_payload_can_be_changed_in_place() -> None:
    payload, other = Payload(), Payload(metadata={"a": b"1"}, data=b"x")

    payload.CopyFrom(other)
    payload.metadata["b"] = b"2"

    assert payload == Payload(metadata={"a": b"1", "b": b"2"}, data=b"x")
    assert other.metadata == {"a": b"1"}
    other.MergeFrom(Payload(metadata={"c": b"3"}))
    assert other == Payload(metadata={"a": b"1", "c": b"3"}, data=b"x")
    assert other.ParseFromString(payload.SerializeToString()) == payload.ByteSize()
    assert other == payload


def test_payloads_are_a_list_that_grows() -> None:
    wrapper = Payloads(payloads=[Payload(data=b"1")])

    wrapper.payloads.append(Payload(data=b"2"))
    wrapper.payloads.extend([Payload(data=b"3")])
    wrapper.payloads.add(data=b"4")
    del wrapper.payloads[0]

    assert [payload.data for payload in wrapper.payloads] == [b"2", b"3", b"4"]
    assert Payloads.FromString(wrapper.SerializeToString()) == wrapper


def test_fields_of_a_table_are_there_once_they_are_set() -> None:
    memo = Memo()

    memo.fields["note"].CopyFrom(Payload(data=b"1"))

    assert Memo.FromString(memo.SerializeToString()).fields["note"].data == b"1"


def test_a_child_is_there_once_something_in_it_is_set() -> None:
    failure = Failure(message="no")
    assert not failure.HasField("cause")
    assert failure.WhichOneof("failure_info") is None

    failure.cause.application_failure_info.type = "T"

    assert failure.HasField("cause")
    assert failure.cause.WhichOneof("failure_info") == "application_failure_info"
    failure.ClearField("cause")
    assert not failure.HasField("cause")


def test_wrong_names_and_values_are_refused() -> None:
    with pytest.raises(ValueError, match="workflow_id"):
        WorkflowExecution(workflow="w")
    with pytest.raises(TypeError, match="Expected str for run_id"):
        WorkflowExecution(run_id=3)
    with pytest.raises(AttributeError, match="CopyFrom"):
        Failure().cause = Failure()


def test_numbers_have_names() -> None:
    assert RetryState.Name(2) == "RETRY_STATE_NON_RETRYABLE_FAILURE"
    assert RetryState.Value("RETRY_STATE_TIMEOUT") == 3
    assert EventType.Name(1) == "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED"


def test_a_duration_survives() -> None:
    failure = Failure()
    failure.application_failure_info.next_retry_delay.FromTimedelta(timedelta(seconds=1.5))

    back = Failure.FromString(failure.SerializeToString())

    delay = back.application_failure_info.next_retry_delay.ToTimedelta()
    assert delay == timedelta(seconds=1.5)


def test_a_stored_failure_survives_being_opened() -> None:
    """Whatever user code leaves alone is stored as it was."""
    details = (Payload({"encoding": b"json/plain"}, b"1"),)
    cause = Stored(
        kind=FailureKind.TIMEOUT, details=details, timeout_kind=TimeoutKind.SCHEDULE_TO_START
    )
    child = Stored(
        kind=FailureKind.CHILD_WORKFLOW,
        name="Child",
        workflow_id="c",
        run_id="r",
        namespace="n",
        retry_state=State.TIMEOUT,
        cause=cause,
    )
    failure = Stored(
        kind=FailureKind.APPLICATION,
        message="m",
        stack_trace="s",
        type="T",
        non_retryable=True,
        next_retry_delay_ms=1_500,
        category="benign",
        details=details,
        encoded_attributes=details,
        cause=child,
    )

    assert stored(opened(failure)) == failure


def test_members_of_enums_can_be_imported_by_their_own_names() -> None:
    from streamflow.api.enums.v1.workflow_pb2 import (  # type: ignore[import-not-found,unused-ignore]
        TIMEOUT_TYPE_HEARTBEAT,
    )

    assert TIMEOUT_TYPE_HEARTBEAT is TimeoutType.TIMEOUT_TYPE_HEARTBEAT
    with pytest.raises(AttributeError):
        enums.TIMEOUT_TYPE_OTHER  # noqa: B018


def test_what_a_worker_says_of_its_build_survives_its_bytes() -> None:
    said = WorkerVersionCapabilities(
        build_id="1.0", use_versioning=True, deployment_series_name="shop"
    )

    assert WorkerVersionCapabilities.FromString(said.SerializeToString()) == said

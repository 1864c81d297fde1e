"""Our own messages as values that workflows take and return."""

from __future__ import annotations

import pytest

from streamflow.api.common.v1 import Payload, WorkflowExecution
from streamflow.converter import (
    BinaryProtoPayloadConverter,
    DefaultPayloadConverter,
    JSONProtoPayloadConverter,
)

MESSAGE = WorkflowExecution(workflow_id="w", run_id="r")
NAME = b"temporal.api.common.v1.WorkflowExecution"


def test_a_message_is_json_that_names_its_class() -> None:
    """As the library of that name would encode it; the name is enough to read it."""
    converter = DefaultPayloadConverter()

    payload = converter.to_payload(MESSAGE)

    assert payload.metadata == {"encoding": b"json/protobuf", "messageType": NAME}
    assert payload.data == b'{"runId":"r","workflowId":"w"}'
    assert converter.from_payload(payload) == MESSAGE
    payload.metadata["messageType"] = b"some.Other"
    assert converter.from_payload(payload, WorkflowExecution) == MESSAGE


def test_a_message_is_bytes_where_json_is_not_asked_first() -> None:
    converter = BinaryProtoPayloadConverter()

    payload = converter.to_payload(MESSAGE)

    assert payload is not None
    assert payload.metadata == {"encoding": b"binary/protobuf", "messageType": NAME}
    assert payload.data == MESSAGE.SerializeToString()
    assert converter.from_payload(payload) == MESSAGE


def test_what_no_message_is_made_of_is_said() -> None:
    """Also unknown fields, unless they are to be ignored."""
    newer = Payload({"encoding": b"json/protobuf", "messageType": NAME}, b'{"colour":"red"}')
    broken = Payload({"encoding": b"binary/protobuf", "messageType": NAME}, b"\x0a\x7f")

    with pytest.raises(RuntimeError, match=r"Failed parsing json/protobuf.*colour"):
        JSONProtoPayloadConverter().from_payload(newer)
    lenient = JSONProtoPayloadConverter(ignore_unknown_fields=True)
    assert lenient.from_payload(newer) == WorkflowExecution()
    with pytest.raises(RuntimeError, match="Failed parsing binary/protobuf"):
        BinaryProtoPayloadConverter().from_payload(broken)

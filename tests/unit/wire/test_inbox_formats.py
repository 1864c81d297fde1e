"""The inbox reads CloudEvents and Avro of outsiders like JSON."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
import pytest

from streamflow.model.commands import SignalWorkflow, StartWorkflow
from streamflow.model.ids import MessageId, WorkflowId
from streamflow.model.options import IdReusePolicy
from streamflow.ports import Record
from streamflow.wire import generate, inbox
from streamflow.wire.errors import KEY, VALUE, Undecodable
from streamflow.wire.files import read_data
from tests.unit.wire.arrivals import SIGNAL, command_of, json_payload, record_of, refused

# -- CloudEvents --------------------------------------------------------------------------------------------------


def test_a_cloud_event_in_binary_mode_is_its_data() -> None:
    """Its type may stand for the message's own."""
    headers = [("ce_type", b"io.streamflow.signal.v1"), ("ce_id", b"7"), ("ce_source", b"/shop")]

    received = inbox.decode_inbox(record_of({"signal": "s"}, headers=headers))

    assert received.command == SignalWorkflow(workflow_id=WorkflowId("order-1"), signal_name="s")
    assert received.envelope.message_id == '["/shop","7"]'


def _structured(**fields: Any) -> Record:
    event = {
        "specversion": "1.0",
        "id": "7",
        "source": "/shop",
        "type": "com.shop.paid",
        "data": SIGNAL,
    } | fields
    return record_of(
        event, headers=[("content-type", b"application/cloudevents+json; charset=utf-8")]
    )


def test_a_cloud_event_in_structured_mode_is_its_data() -> None:
    """Any type of the sender's own will do if the data says what is wanted."""
    received = inbox.decode_inbox(_structured(partitionkey="order-1", subject="x"))

    assert received.command == SignalWorkflow(workflow_id=WorkflowId("order-1"), signal_name="s")
    assert received.envelope.message_id == MessageId('["/shop","7"]')


def test_a_cloud_event_that_contradicts_itself_is_refused() -> None:
    """Key, type and version must fit."""
    refused(_structured(partitionkey="other"), KEY, "'other'")
    refused(_structured(type="io.streamflow.start.v1"), VALUE, "CloudEvent's type")
    refused(_structured(specversion="0.3"), VALUE, "'1.0'")
    refused(_structured(data=[SIGNAL]), VALUE, "JSON object")
    refused(
        record_of(SIGNAL, headers=[("content-type", b"application/cloudevents+json")]),
        VALUE,
        "CloudEvent",
    )


# -- Avro of outsiders --------------------------------------------------------------------------------------------


def _public_avro(name: str, **fields: Any) -> tuple[Any, bytes]:
    schema = json.loads(read_data("schemas", f"public/{name}.v1.avsc"))
    body = io.BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(schema), fields)
    return schema, body.getvalue()


def test_public_avro_says_the_same_as_json() -> None:
    """By fingerprint, or framed by a registry."""
    schema, body = _public_avro("Start", workflow="Order", args=['{"a":1}'], memo={"who": '"me"'})
    expected = command_of({"type": "start", "workflow": "Order", "args": []})
    assert isinstance(expected, StartWorkflow)

    single = b"\xc3\x01" + bytes.fromhex(generate.fingerprint_of(schema)) + body
    framed = b"\0\0\0\0\x2a" + body

    for received in (
        inbox.decode_inbox(record_of(single)),
        inbox.decode_inbox(
            record_of(framed), lookup=lambda number: json.dumps(schema) if number == 42 else ""
        ),
    ):
        command = received.command
        assert isinstance(command, StartWorkflow)
        assert command.args == (json_payload(b'{"a":1}'),)
        assert command.memo == {"who": json_payload(b'"me"')}
        assert command.id_reuse_policy is IdReusePolicy.REJECT_DUPLICATE


def test_an_outsiders_own_schema_needs_only_the_names() -> None:
    """A registry's record called Signal with fields of the contract is a signal."""
    schema = {
        "type": "record",
        "name": "com.shop.Signal",
        "fields": [
            {"name": "signal", "type": "string"},
            {"name": "args", "type": {"type": "array", "items": "string"}},
        ],
    }
    body = io.BytesIO()
    fastavro.schemaless_writer(
        body, fastavro.parse_schema(dict(schema)), {"signal": "paid", "args": ["1"]}
    )

    received = inbox.decode_inbox(
        record_of(b"\0\0\0\0\1" + body.getvalue()), lookup=lambda _: json.dumps(schema)
    )

    assert received.command == SignalWorkflow(
        workflow_id=WorkflowId("order-1"), signal_name="paid", args=(json_payload(b"1"),)
    )


def test_avro_arguments_must_be_json_text() -> None:
    """A broken argument is found here, not in the middle of a run."""
    schema, body = _public_avro("Signal", signal="s", args=["{broken"])
    single = b"\xc3\x01" + bytes.fromhex(generate.fingerprint_of(schema)) + body

    refused(record_of(single), VALUE, "JSON")


def test_an_unknown_schema_number_is_refused() -> None:
    """The registry does not know it."""

    def lookup(number: int) -> str:
        raise LookupError(number)

    with pytest.raises(Undecodable, match="unknown number 7"):
        inbox.decode_inbox(record_of(b"\0\0\0\0\x07body"), lookup=lookup)


def test_workers_records_are_no_part_of_the_public_contract() -> None:
    """A record named like an internal command is refused by name."""
    schema = {
        "type": "record",
        "name": "ReportActivity",
        "fields": [{"name": "x", "type": "string"}],
    }

    with pytest.raises(Undecodable, match="Expected an Avro record named Start"):
        inbox.decode_inbox(record_of(b"\0\0\0\0\1\0"), lookup=lambda _: json.dumps(schema))

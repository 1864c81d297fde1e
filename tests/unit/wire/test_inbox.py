"""The inbox as outsiders see it: every encoding, every default, every refusal."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
import pytest
from hypothesis import given

from streamflow.model.answers import Answer, Done
from streamflow.model.commands import (
    AwaitResult,
    CancelWorkflow,
    Command,
    DescribeWorkflow,
    Envelope,
    QueryWorkflow,
    ReplyTo,
    SignalWorkflow,
    StartWorkflow,
    TerminateWorkflow,
)
from streamflow.model.ids import MessageId, RunId, WorkflowId
from streamflow.model.options import IdReusePolicy, RetryPolicy
from streamflow.model.payload import Payload
from streamflow.model.tasks import CancelTask
from streamflow.ports import OutRecord, Record
from streamflow.wire import generate, inbox
from streamflow.wire.errors import HEADER, KEY, VALUE, Undecodable
from streamflow.wire.files import read_data
from tests import strategies

REPLY = (("sf-reply-to", b"default.replies/3/req-1"),)


def _record(value: Any, key: bytes | None = b"order-1", headers: Any = ()) -> Record:
    raw = value if isinstance(value, bytes | None) else json.dumps(value).encode()
    return Record("default.orders.inbox", 3, 17, key, raw, tuple(headers), 0)


def _arrived(out: OutRecord, offset: int = 0) -> Record:
    return Record(out.topic, out.partition, offset, out.key, out.value, out.headers, 0)


def _json(text: bytes) -> Payload:
    return Payload({"encoding": b"json/plain"}, text)


def _command(value: Any, headers: Any = ()) -> Command:
    return inbox.decode_inbox(_record(value, headers=headers)).command


def _refused(record: Record, stage: str, *said: str) -> None:
    with pytest.raises(Undecodable) as caught:
        inbox.decode_inbox(record)
    assert caught.value.stage == stage
    for text in said:
        assert text in caught.value.message


# -- our own ------------------------------------------------------------------------------------------------------


@given(strategies.commands, strategies.envelopes)
def test_our_own_commands_arrive_as_sent(command: Command, envelope: Envelope) -> None:
    """Command and envelope survive the inbox; the key is the workflow ID in raw UTF-8."""
    record = inbox.to_inbox("default.orders.inbox", 3, command, envelope)

    received = inbox.decode_inbox(_arrived(record))

    assert record.key == command.workflow_id.encode()
    assert (received.envelope, received.command) == (envelope, command)


@given(
    strategies.answers | strategies.facts(CancelTask),
    strategies.reply_tos,
)
def test_answers_arrive_where_they_were_asked(answer: Any, reply_to: ReplyTo) -> None:
    """An answer goes to the asker's partition and names the request."""
    record = inbox.reply_record(reply_to, answer)

    assert (record.topic, record.partition) == (reply_to.topic, reply_to.partition)
    assert inbox.decode_reply(_arrived(record)) == (reply_to.request_id, answer)


def test_a_reply_without_a_request_is_refused() -> None:
    """Nobody could be told."""
    answer: Answer = Done(run_id=RunId("r"))
    record = inbox.reply_record(ReplyTo("t", 0, "1"), answer)

    with pytest.raises(Undecodable, match="sf-request-id"):
        inbox.decode_reply(Record("t", 0, 0, None, record.value, (), 0))


# -- JSON ---------------------------------------------------------------------------------------------------------


def test_a_start_needs_only_its_type_and_workflow() -> None:
    """The rest has defaults; an outsider's start refuses a second run of the same ID."""
    command = _command({"type": "start", "workflow": "Order"})

    assert command == StartWorkflow(
        workflow_id=WorkflowId("order-1"),
        workflow_type="Order",
        id_reuse_policy=IdReusePolicy.REJECT_DUPLICATE,
    )


def test_arguments_reach_the_workflow_as_they_were_written() -> None:
    """JSON text is kept to the byte, numbers included."""
    command = _command(
        b'{"type":"start","workflow":"Order","args":[1.10, {"a": [ ]}, null, "\xc3\xa9"]}'
    )

    assert isinstance(command, StartWorkflow)
    assert command.args == (
        _json(b"1.10"),
        _json(b'{"a": [ ]}'),
        _json(b"null"),
        _json(b'"\xc3\xa9"'),
    )


def test_every_option_of_a_start_is_taken() -> None:
    """A start with all fields says them all."""
    command = _command(
        {
            "type": "start",
            "version": 1,
            "id": "order-1",
            "workflow": "Order",
            "id_reuse_policy": "allow_duplicate",
            "retry_policy": {"maximum_attempts": 3, "non_retryable_error_types": ["Broken"]},
            "run_timeout_ms": 60_000,
            "start_delay_ms": 5,
            "memo": {"who": "me"},
            "search_attributes": {"Region": "EU"},
            "signal": "hello",
            "signal_args": [1],
        }
    )

    assert command == StartWorkflow(
        workflow_id=WorkflowId("order-1"),
        workflow_type="Order",
        id_reuse_policy=IdReusePolicy.ALLOW_DUPLICATE,
        retry_policy=RetryPolicy(maximum_attempts=3, non_retryable_error_types=("Broken",)),
        run_timeout_ms=60_000,
        start_delay_ms=5,
        memo={"who": _json(b'"me"')},
        search_attributes={"Region": _json(b'"EU"')},
        signal_name="hello",
        signal_args=(_json(b"1"),),
    )


@pytest.mark.parametrize(
    ("message", "command"),
    [
        (
            {"type": "signal", "signal": "picked_up", "args": [1], "run_id": None},
            SignalWorkflow(
                workflow_id=WorkflowId("order-1"), signal_name="picked_up", args=(_json(b"1"),)
            ),
        ),
        (
            {"type": "query", "query": "state", "run_id": "r-1"},
            QueryWorkflow(
                workflow_id=WorkflowId("order-1"), run_id=RunId("r-1"), query_name="state"
            ),
        ),
        (
            {"type": "cancel", "reason": "late"},
            CancelWorkflow(workflow_id=WorkflowId("order-1"), reason="late"),
        ),
        (
            {"type": "terminate", "reason": "wrong", "details": [2]},
            TerminateWorkflow(
                workflow_id=WorkflowId("order-1"), reason="wrong", details=(_json(b"2"),)
            ),
        ),
        ({"type": "describe"}, DescribeWorkflow(workflow_id=WorkflowId("order-1"))),
        ({"type": "result"}, AwaitResult(workflow_id=WorkflowId("order-1"))),
    ],
)
def test_each_kind_becomes_its_command(message: Any, command: Command) -> None:
    """Null means absent."""
    assert _command(message, REPLY) == command


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            {"type": "sttart", "workflow": "W"},
            ["start, signal", "'sttart'", "did you mean 'start'?"],
        ),
        ({"workflow": "W"}, ["Expected a type among", "found none"]),
        ({"type": 3}, ["type as a string"]),
        ({"type": "start"}, ["missing required field `workflow`"]),
        ({"type": "start", "workflow": 3}, ["Expected `str`, got `int`", "$.workflow"]),
        ({"type": "start", "workflow": "W", "arg": []}, ["found 'arg'", "did you mean 'args'?"]),
        ({"type": "start", "workflow": "W", "args": {}}, ["Expected `array`"]),
        ({"type": "start", "workflow": "W", "id_reuse_policy": "always"}, ["always"]),
        ({"type": "start", "workflow": "W", "run_timeout_ms": -1}, [">= 0"]),
        ({"type": "start", "workflow": "W", "run_timeout_ms": 1 << 70}, ["run_timeout_ms"]),
        ({"type": "start", "workflow": "W", "retry_policy": {"x": 1}}, ["unknown field `x`"]),
        ({"type": "start", "workflow": "W", "version": 2}, ["version 1", "found 2"]),
        ({"type": "report_activity"}, ["Expected a type among"]),
        ([], ["JSON object"]),
        (b"not json", ["JSON object"]),
        (b'{"type":"start","workflow":"\xff"}', ["UTF-8"]),
        (b"", ["no value"]),
        (None, ["no value"]),
    ],
)
def test_a_bad_value_is_refused_with_what_was_expected(value: Any, said: list[str]) -> None:
    """The dead letter tells its sender what to mend."""
    raw = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()

    _refused(_record(raw), VALUE, *said)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (None, "no key"),
        (b"", "empty"),
        (b"\xff\xfe", "raw UTF-8"),
        (b"k" * 1_001, "at most 1000 bytes"),
    ],
)
def test_a_record_without_a_usable_key_is_refused(key: bytes | None, said: str) -> None:
    """The key is the workflow ID."""
    _refused(_record({"type": "signal", "signal": "s"}, key), KEY, said)


def test_a_key_that_contradicts_the_message_is_refused() -> None:
    """Which workflow is meant must never be a guess."""
    _refused(_record({"type": "signal", "signal": "s", "id": "other"}), KEY, "'other'", "'order-1'")
    own = inbox.encode_command(SignalWorkflow(workflow_id=WorkflowId("other"), signal_name="s"))
    _refused(_record(own), KEY, "'other'", "'order-1'")


@pytest.mark.parametrize("kind", ["query", "describe", "result"])
def test_a_question_needs_somewhere_to_answer(kind: str) -> None:
    """A malformed address counts as none."""
    message = {"type": kind} | ({"query": "state"} if kind == "query" else {})

    _refused(_record(message), HEADER, "sf-reply-to")
    _refused(_record(message, headers=(("sf-reply-to", b"nonsense"),)), HEADER, "nonsense")


# -- envelope -----------------------------------------------------------------------------------------------------

SIGNAL = {"type": "signal", "signal": "s"}


@pytest.mark.parametrize(
    ("headers", "message_id"),
    [
        ({}, "default.orders.inbox/3/17"),
        ({"id": "debezium-1"}, "debezium-1"),
        ({"id": "debezium-1", "ce_source": "/s", "ce_id": "7"}, '["/s","7"]'),
        ({"id": "debezium-1", "ce_source": "/s", "ce_id": "7", "sf-message-id": "m"}, "m"),
        ({"sf-forwarded": "default.orders.inbox/1/5"}, "default.orders.inbox/1/5"),
        ({"sf-message-id": ""}, "default.orders.inbox/3/17"),
    ],
)
def test_what_names_a_message(headers: dict[str, str], message_id: str) -> None:
    """Ours first, then CloudEvents', then Debezium's, then where it arrived first."""
    record = _record(SIGNAL, headers=[(name, text.encode()) for name, text in headers.items()])

    assert inbox.decode_inbox(record).envelope.message_id == message_id


def test_long_message_ids_stay_different() -> None:
    """They are shortened by a hash."""
    ids = {
        inbox.decode_inbox(
            _record(SIGNAL, headers=[("sf-message-id", b"x" * 2_000 + end)])
        ).envelope.message_id
        for end in (b"1", b"2")
    }

    assert len(ids) == 2
    assert all(len(message_id) == 512 for message_id in ids)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"t",
        b"t/1",
        b"t/x/1",
        b"/1/r",
        b"t/-1/r",
        b"t/1/",
        b"\xff/1/r",
        b"t/1/" + b"r" * 300,
        b"t/\xd9\xa3/r",
    ],
)
def test_a_malformed_reply_address_is_ignored(text: bytes) -> None:
    """It never costs the sender the request."""
    assert (
        inbox.decode_inbox(_record(SIGNAL, headers=[("sf-reply-to", text)])).envelope.reply_to
        is None
    )


def test_a_request_id_may_hold_slashes() -> None:
    """Only the first two separate."""
    reply_to = inbox.decode_inbox(
        _record(SIGNAL, headers=[("sf-reply-to", b"t/1/a/b")])
    ).envelope.reply_to

    assert reply_to == ReplyTo("t", 1, "a/b")


def test_the_trace_goes_along() -> None:
    """A traceparent header reaches the envelope."""
    record = _record(SIGNAL, headers=[("traceparent", b"00-a-b-01")])

    assert inbox.decode_inbox(record).envelope.trace_parent == "00-a-b-01"


def test_a_forwarded_record_keeps_its_name() -> None:
    """Its copies are recognised wherever they arrive."""
    record = _record(SIGNAL)
    forwarded = _arrived(inbox.forward(record, 5), offset=99)

    assert inbox.was_forwarded(forwarded)
    assert not inbox.was_forwarded(record)
    assert forwarded.partition == 5
    assert (
        inbox.decode_inbox(forwarded).envelope.message_id
        == inbox.decode_inbox(record).envelope.message_id
    )


# -- CloudEvents --------------------------------------------------------------------------------------------------


def test_a_cloud_event_in_binary_mode_is_its_data() -> None:
    """Its type may stand for the message's own."""
    headers = [("ce_type", b"io.streamflow.signal.v1"), ("ce_id", b"7"), ("ce_source", b"/shop")]

    received = inbox.decode_inbox(_record({"signal": "s"}, headers=headers))

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
    return _record(
        event, headers=[("content-type", b"application/cloudevents+json; charset=utf-8")]
    )


def test_a_cloud_event_in_structured_mode_is_its_data() -> None:
    """Any type of the sender's own will do if the data says what is wanted."""
    received = inbox.decode_inbox(_structured(partitionkey="order-1", subject="x"))

    assert received.command == SignalWorkflow(workflow_id=WorkflowId("order-1"), signal_name="s")
    assert received.envelope.message_id == MessageId('["/shop","7"]')


def test_a_cloud_event_that_contradicts_itself_is_refused() -> None:
    """Key, type and version must fit."""
    _refused(_structured(partitionkey="other"), KEY, "'other'")
    _refused(_structured(type="io.streamflow.start.v1"), VALUE, "CloudEvent's type")
    _refused(_structured(specversion="0.3"), VALUE, "'1.0'")
    _refused(_structured(data=[SIGNAL]), VALUE, "JSON object")
    _refused(
        _record(SIGNAL, headers=[("content-type", b"application/cloudevents+json")]),
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
    expected = _command({"type": "start", "workflow": "Order", "args": []})
    assert isinstance(expected, StartWorkflow)

    single = b"\xc3\x01" + bytes.fromhex(generate.fingerprint_of(schema)) + body
    framed = b"\0\0\0\0\x2a" + body

    for received in (
        inbox.decode_inbox(_record(single)),
        inbox.decode_inbox(
            _record(framed), lookup=lambda number: json.dumps(schema) if number == 42 else ""
        ),
    ):
        command = received.command
        assert isinstance(command, StartWorkflow)
        assert command.args == (_json(b'{"a":1}'),)
        assert command.memo == {"who": _json(b'"me"')}
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
        _record(b"\0\0\0\0\1" + body.getvalue()), lookup=lambda _: json.dumps(schema)
    )

    assert received.command == SignalWorkflow(
        workflow_id=WorkflowId("order-1"), signal_name="paid", args=(_json(b"1"),)
    )


def test_avro_arguments_must_be_json_text() -> None:
    """A broken argument is found here, not in the middle of a run."""
    schema, body = _public_avro("Signal", signal="s", args=["{broken"])
    single = b"\xc3\x01" + bytes.fromhex(generate.fingerprint_of(schema)) + body

    _refused(_record(single), VALUE, "JSON")


def test_an_unknown_schema_number_is_refused() -> None:
    """The registry does not know it."""

    def lookup(number: int) -> str:
        raise LookupError(number)

    with pytest.raises(Undecodable, match="unknown number 7"):
        inbox.decode_inbox(_record(b"\0\0\0\0\x07body"), lookup=lookup)


def test_workers_records_are_no_part_of_the_public_contract() -> None:
    """A record named like an internal command is refused by name."""
    schema = {
        "type": "record",
        "name": "ReportActivity",
        "fields": [{"name": "x", "type": "string"}],
    }

    with pytest.raises(Undecodable, match="Expected an Avro record named Start"):
        inbox.decode_inbox(_record(b"\0\0\0\0\1\0"), lookup=lambda _: json.dumps(schema))


# -- dead letters -------------------------------------------------------------------------------------------------


def test_a_dead_letter_is_the_record_untouched_with_connects_headers() -> None:
    """Existing tools find where it came from and why; headers of an earlier dead letter are replaced."""
    record = _record(b"\xff", headers=[("mine", b"\xfe"), ("__connect.errors.stage", b"OLD")])

    letter = inbox.dead_letter(
        record,
        topic="default.dead-letters",
        stage=VALUE,
        message="Expected JSON",
        connector="orders",
    )

    assert (letter.topic, letter.partition, letter.key, letter.value) == (
        "default.dead-letters",
        0,
        b"order-1",
        b"\xff",
    )
    assert dict(letter.headers) == {
        "mine": b"\xfe",
        "__connect.errors.topic": b"default.orders.inbox",
        "__connect.errors.partition": b"3",
        "__connect.errors.offset": b"17",
        "__connect.errors.connector.name": b"orders",
        "__connect.errors.task.id": b"3",
        "__connect.errors.stage": b"VALUE_CONVERTER",
        "__connect.errors.class.name": b"streamflow.wire.inbox",
        "__connect.errors.exception.class.name": b"Undecodable",
        "__connect.errors.exception.message": b"Expected JSON",
    }


@pytest.mark.parametrize(
    "record",
    [
        Record("t", 0, 1, b"k", b"x" * 1_048_576, (), 0),
        Record("t", 0, 1, b"k" * 1_000_000, b"x", (), 0),
        Record("t", 0, 1, b"k", b"x", tuple((f"h{n}", b"y" * 1_000) for n in range(1_000)), 0),
    ],
    ids=["value", "key", "headers"],
)
def test_a_dead_letter_always_fits_into_a_record(record: Record) -> None:
    """Of what is too large with its reasons the beginning is kept, and said to be one."""
    letter = inbox.dead_letter(record, topic="d", stage=VALUE, message="m" * 100_000)

    size = len(letter.key or b"") + len(letter.value or b"")
    size += sum(len(name) + len(content) for name, content in letter.headers)
    assert size < 1_040_000
    assert int(dict(letter.headers)["sf-truncated"]) > 1_000_000
    assert not inbox.may_be_forwarded(record)

"""The inbox as outsiders see it: every default, every refusal, and what goes along."""

from __future__ import annotations

import json
from typing import Any

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
from streamflow.model.ids import RunId, WorkflowId
from streamflow.model.options import IdReusePolicy, RetryPolicy
from streamflow.model.tasks import CancelTask
from streamflow.ports import Record
from streamflow.wire import inbox
from streamflow.wire.errors import HEADER, KEY, VALUE, Undecodable
from tests import strategies
from tests.unit.wire.arrivals import (
    REPLY,
    SIGNAL,
    arrived,
    command_of,
    json_payload,
    record_of,
    refused,
)

# -- our own ------------------------------------------------------------------------------------------------------


@given(strategies.commands, strategies.envelopes)
def test_our_own_commands_arrive_as_sent(command: Command, envelope: Envelope) -> None:
    """Command and envelope survive the inbox; the key is the workflow ID in raw UTF-8."""
    record = inbox.to_inbox("default.orders.inbox", 3, command, envelope)

    received = inbox.decode_inbox(arrived(record))

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
    assert inbox.decode_reply(arrived(record)) == (reply_to.request_id, answer)


def test_a_reply_without_a_request_is_refused() -> None:
    """Nobody could be told."""
    answer: Answer = Done(run_id=RunId("r"))
    record = inbox.reply_record(ReplyTo("t", 0, "1"), answer)

    with pytest.raises(Undecodable, match="sf-request-id"):
        inbox.decode_reply(Record("t", 0, 0, None, record.value, (), 0))


# -- JSON ---------------------------------------------------------------------------------------------------------


def test_a_start_needs_only_its_type_and_workflow() -> None:
    """The rest has defaults; an outsider's start refuses a second run of the same ID."""
    command = command_of({"type": "start", "workflow": "Order"})

    assert command == StartWorkflow(
        workflow_id=WorkflowId("order-1"),
        workflow_type="Order",
        id_reuse_policy=IdReusePolicy.REJECT_DUPLICATE,
    )


def test_arguments_reach_the_workflow_as_they_were_written() -> None:
    """JSON text is kept to the byte, numbers included."""
    command = command_of(
        b'{"type":"start","workflow":"Order","args":[1.10, {"a": [ ]}, null, "\xc3\xa9"]}'
    )

    assert isinstance(command, StartWorkflow)
    assert command.args == (
        json_payload(b"1.10"),
        json_payload(b'{"a": [ ]}'),
        json_payload(b"null"),
        json_payload(b'"\xc3\xa9"'),
    )


def test_every_option_of_a_start_is_taken() -> None:
    """A start with all fields says them all."""
    command = command_of(
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
        memo={"who": json_payload(b'"me"')},
        search_attributes={"Region": json_payload(b'"EU"')},
        signal_name="hello",
        signal_args=(json_payload(b"1"),),
    )


@pytest.mark.parametrize(
    ("message", "command"),
    [
        (
            {"type": "signal", "signal": "picked_up", "args": [1], "run_id": None},
            SignalWorkflow(
                workflow_id=WorkflowId("order-1"),
                signal_name="picked_up",
                args=(json_payload(b"1"),),
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
                workflow_id=WorkflowId("order-1"), reason="wrong", details=(json_payload(b"2"),)
            ),
        ),
        ({"type": "describe"}, DescribeWorkflow(workflow_id=WorkflowId("order-1"))),
        ({"type": "result"}, AwaitResult(workflow_id=WorkflowId("order-1"))),
    ],
)
def test_each_kind_becomes_its_command(message: Any, command: Command) -> None:
    """Null means absent."""
    assert command_of(message, REPLY) == command


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

    refused(record_of(raw), VALUE, *said)


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
    refused(record_of({"type": "signal", "signal": "s"}, key), KEY, said)


def test_a_key_that_contradicts_the_message_is_refused() -> None:
    """Which workflow is meant must never be a guess."""
    refused(
        record_of({"type": "signal", "signal": "s", "id": "other"}), KEY, "'other'", "'order-1'"
    )
    own = inbox.encode_command(SignalWorkflow(workflow_id=WorkflowId("other"), signal_name="s"))
    refused(record_of(own), KEY, "'other'", "'order-1'")


@pytest.mark.parametrize("kind", ["query", "describe", "result"])
def test_a_question_needs_somewhere_to_answer(kind: str) -> None:
    """A malformed address counts as none."""
    message = {"type": kind} | ({"query": "state"} if kind == "query" else {})

    refused(record_of(message), HEADER, "sf-reply-to")
    refused(record_of(message, headers=(("sf-reply-to", b"nonsense"),)), HEADER, "nonsense")


# -- envelope -----------------------------------------------------------------------------------------------------


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
    record = record_of(SIGNAL, headers=[(name, text.encode()) for name, text in headers.items()])

    assert inbox.decode_inbox(record).envelope.message_id == message_id


def test_long_message_ids_stay_different() -> None:
    """They are shortened by a hash."""
    ids = {
        inbox.decode_inbox(
            record_of(SIGNAL, headers=[("sf-message-id", b"x" * 2_000 + end)])
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
        inbox.decode_inbox(record_of(SIGNAL, headers=[("sf-reply-to", text)])).envelope.reply_to
        is None
    )


def test_a_request_id_may_hold_slashes() -> None:
    """Only the first two separate."""
    reply_to = inbox.decode_inbox(
        record_of(SIGNAL, headers=[("sf-reply-to", b"t/1/a/b")])
    ).envelope.reply_to

    assert reply_to == ReplyTo("t", 1, "a/b")


def test_the_trace_goes_along() -> None:
    """A traceparent header reaches the envelope."""
    record = record_of(SIGNAL, headers=[("traceparent", b"00-a-b-01")])

    assert inbox.decode_inbox(record).envelope.trace_parent == "00-a-b-01"


def test_a_forwarded_record_keeps_its_name() -> None:
    """Its copies are recognised wherever they arrive."""
    record = record_of(SIGNAL)
    forwarded = arrived(inbox.forward(record, 5), offset=99)

    assert inbox.was_forwarded(forwarded)
    assert not inbox.was_forwarded(record)
    assert forwarded.partition == 5
    assert (
        inbox.decode_inbox(forwarded).envelope.message_id
        == inbox.decode_inbox(record).envelope.message_id
    )

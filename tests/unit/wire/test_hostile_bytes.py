"""Whatever bytes arrive: an answer in time, or `Undecodable`."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streamflow.model.commands import SignalWorkflow
from streamflow.model.ids import WorkflowId
from streamflow.ports import Record
from streamflow.wire import bounds, catalog, codec, framing
from streamflow.wire.encoder import varint
from streamflow.wire.errors import Damaged, Undecodable
from streamflow.wire.header import unpack
from streamflow.wire.inbox import decode_inbox, decode_reply
from streamflow.wire.keys import parse_key
from streamflow.wire.schema import parse
from tests import strategies


def _record(value: bytes | None, key: bytes | None = b"w", headers: Any = ()) -> Record:
    return Record("default.q.inbox", 0, 0, key, value, headers, 0)


def _decodes_or_is_refused(decode: Any, *arguments: Any) -> None:
    with contextlib.suppress(Undecodable):
        decode(*arguments)


heads = st.sampled_from([codec.MARK + mark for mark in codec._fingerprints().values()])
facts = strategies.events | strategies.entities


@given(st.binary(max_size=200) | st.tuples(heads, st.binary(max_size=200)).map(b"".join))
def test_random_bytes_are_refused_or_read(value: bytes) -> None:
    """Nothing but Undecodable ever comes out, with or without the fingerprint of a schema of ours."""
    _decodes_or_is_refused(codec.decode, value)
    _decodes_or_is_refused(decode_inbox, _record(value))
    _decodes_or_is_refused(decode_reply, _record(value, headers=(("sf-request-id", b"1"),)))


@given(facts, st.data())
def test_a_changed_byte_is_refused_or_read(fact: Any, data: st.DataObject) -> None:
    """A value of ours with bytes changed, cut or added is refused, or means something else; it never crashes."""
    envelope = ("wf", "run", 1, 1, 5) if type(fact) in catalog.EVENT_CODES else ()
    value = bytearray(codec.encode(fact, *envelope))
    at = data.draw(st.integers(0, len(value) - 1))
    value[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))

    _decodes_or_is_refused(codec.decode, bytes(value))
    _decodes_or_is_refused(decode_inbox, _record(bytes(value), b"wf"))


@given(st.binary(max_size=100))
@example(b"[" * 100_000)
def test_keys_and_headers_are_refused_or_read(junk: bytes) -> None:
    """The same holds for history keys and the fixed header."""
    _decodes_or_is_refused(parse_key, junk)
    _decodes_or_is_refused(unpack, junk)
    _decodes_or_is_refused(decode_inbox, _record(b'{"type":"signal","signal":"s"}', junk))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
)
field_names = st.sampled_from(
    [
        "type",
        "workflow",
        "signal",
        "query",
        "args",
        "id",
        "run_id",
        "version",
        "retry_policy",
        "memo",
    ]
)


@given(
    st.dictionaries(field_names, json_values | st.sampled_from(["start", "signal", "query"])),
    st.lists(
        st.tuples(
            st.sampled_from(
                ["ce_type", "ce_id", "content-type", "sf-reply-to", "sf-message-id", "id"]
            ),
            st.binary(max_size=20)
            | st.sampled_from([b"application/cloudevents+json", b"io.streamflow.start.v1"]),
        ),
        max_size=4,
    ),
)
def test_json_of_any_shape_is_refused_or_read(document: Any, headers: Any) -> None:
    """Nothing but Undecodable comes out of any JSON object under any headers."""
    value = json.dumps(document).encode()

    _decodes_or_is_refused(decode_inbox, _record(value, headers=tuple(headers)))
    event = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": document}
    structured = (*headers, ("content-type", b"application/cloudevents+json"))
    _decodes_or_is_refused(decode_inbox, _record(json.dumps(event).encode(), headers=structured))


@pytest.mark.parametrize(
    "value",
    [
        b'{"type":"start","workflow":"W","args":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"type":"start","workflow":"W","args":[' + b'{"a":' * 100_000,
        b'{"' + b'\\"' * 400_000,
        b'"' * 900_000,
        b"[" * 1_000_000,
    ],
    ids=["deep arrays", "deep objects", "escapes", "quotes", "brackets"],
)
@pytest.mark.timeout(5)
def test_json_bombs_are_refused_at_once(value: bytes) -> None:
    """Depth and length cost neither the stack nor more than linear time."""
    with pytest.raises(Undecodable):
        decode_inbox(_record(value))


def _counted(count: int) -> bytes:
    """A signal whose arguments claim to be so many."""
    written = codec.encode(SignalWorkflow(workflow_id=WorkflowId("w"), signal_name="s"))
    head, tail = written[:-3], written[-2:]
    return head + varint(count) + b"\x00\x00" * 4 + tail


@pytest.mark.parametrize("count", [1 << 20, 1 << 40, (1 << 62), -(1 << 62), -5])
def test_a_count_that_the_bytes_cannot_hold_is_refused(count: int) -> None:
    """A few bytes never become millions of items."""
    with pytest.raises(Undecodable):
        codec.decode(_counted(count))


def test_more_items_than_the_bound_are_refused_even_if_they_are_there() -> None:
    """A value within the size limit does not become objects of many times its size."""
    written = codec.encode(SignalWorkflow(workflow_id=WorkflowId("w"), signal_name="s"))
    many = bounds.ITEMS_MAX + 1
    value = written[:-3] + varint(many) + b"\x00\x00" * many + b"\x00" + written[-2:]

    with pytest.raises(Undecodable, match="at most 100000 items"):
        codec.decode(value)


def test_an_oversized_inbox_record_is_refused_before_it_is_parsed() -> None:
    """The size limit comes first."""
    with pytest.raises(Undecodable, match="at most 1048576 bytes"):
        decode_inbox(_record(b"{" + b" " * bounds.RECORD_BYTES_MAX))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([{"name": "next", "type": ["null", "Start"]}], "recursion"),
        ([{"name": "x", "type": {"type": "array", "items": "null"}}], "at least one byte"),
        (
            [
                {
                    "name": "x",
                    "type": {
                        "type": "array",
                        "items": {"type": "record", "name": "E", "fields": []},
                    },
                }
            ],
            "at least one byte",
        ),
        ([{"name": "x", "type": "nowhere"}], "does not parse"),
        ([{"name": "x"}], "does not parse"),
        ("fields", "does not parse"),
    ],
)
def test_a_dangerous_schema_of_a_registry_is_refused(fields: Any, said: str) -> None:
    """A schema from elsewhere is an outsider's text."""
    schema = {"type": "record", "name": "Start", "fields": fields}

    with pytest.raises(Damaged, match=said):
        parse(schema)
    with pytest.raises(Undecodable):
        framing.registered_record(b"\0\0\0\0\1\0", lambda _: json.dumps(schema))


def test_a_schema_that_unfolds_without_end_is_refused() -> None:
    """Each level names the one below it twice: thirty levels would be a thousand million fields."""
    inner: Any = "long"
    for level in range(30):
        inner = {
            "type": "record",
            "name": f"R{level}",
            "fields": [
                {"name": "a", "type": inner},
                {"name": "b", "type": f"R{level - 1}" if level else "long"},
            ],
        }
    schema = {"type": "record", "name": "Start", "fields": [{"name": "x", "type": inner}]}

    with pytest.raises(Undecodable, match="small schema"):
        framing.registered_record(b"\0\0\0\0\1\0", lambda _: json.dumps(schema))


def test_names_of_a_foreign_schema_are_never_run() -> None:
    """A field's name stands in no code but as quoted text."""
    evil = "x'] + [__import__('os').abort()] + ['"
    schema = {"type": "record", "name": "Start", "fields": [{"name": evil, "type": "string"}]}

    name, plain = framing.registered_record(b"\0\0\0\0\1\x02v", lambda _: json.dumps(schema))

    assert (name, plain) == ("Start", {evil: "v"})


@settings(max_examples=30)
@given(st.integers(0, 1 << 31), st.binary(max_size=40))
def test_framed_bytes_without_a_registry_are_refused_with_advice(number: int, body: bytes) -> None:
    """The message says what to send instead."""
    with pytest.raises(Undecodable, match="registry"):
        decode_inbox(_record(b"\0" + number.to_bytes(4, "big") + b"x" + body))

"""Facts to bytes and back, and what any Avro library makes of them."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.model import events, failure, tasks
from streamflow.model.answers import Trouble
from streamflow.model.events import Recorded
from streamflow.model.failure import CAUSES_MAX, Failure, FailureKind
from streamflow.model.ids import Op
from streamflow.wire import catalog, codec, encoder, entities
from streamflow.wire.errors import SchemaOutdated, Undecodable
from streamflow.wire.events import decode_event, encode_event, event_code
from streamflow.wire.files import read_data
from tests import strategies


def _written(fact: Any) -> bytes:
    envelope = ("wf", "run", 1, 1, 5) if type(fact) in catalog.EVENT_CODES else ()
    return codec.encode(fact, *envelope)


def _schema(value: bytes) -> Any:
    return json.loads(read_data("schemas", codec.path_of(value) or ""))


@given(strategies.workflow_ids, strategies.run_ids, strategies.recorded())
def test_an_event_comes_back_at_its_place(workflow_id: str, run_id: str, said: Recorded) -> None:
    """Encoding and decoding an event loses nothing."""
    value = encode_event(workflow_id, run_id, said.seq, said.step, said.time_ms, said.event)

    assert decode_event(value) == said


@given(strategies.entities)
def test_everything_else_comes_back_too(fact: Any) -> None:
    """Commands, answers, tasks and small records lose nothing."""
    assert codec.decode(codec.encode(fact)) == fact


@given(strategies.events | strategies.entities)
def test_any_avro_library_reads_and_writes_the_same_bytes(fact: Any) -> None:
    """A value is plain Avro: an independent library reads its body and writes it back to the byte."""
    value = _written(fact)
    schema = fastavro.parse_schema(_schema(value))

    plain = fastavro.schemaless_reader(io.BytesIO(value[10:]), schema, None)
    again = io.BytesIO()
    fastavro.schemaless_writer(again, schema, plain)

    assert again.getvalue() == value[10:]


def test_an_event_says_to_outsiders_where_it_belongs() -> None:
    """The value alone names the workflow, the run, and the place in it."""
    value = encode_event("order-1", "run-1", 7, 3, 1_790_000_000_000, events.TimerFired(op=Op(2)))

    plain = fastavro.schemaless_reader(io.BytesIO(value[10:]), _schema(value), None)

    expected = {"workflow_id": "order-1", "run_id": "run-1", "seq": 7, "step": 3}
    assert plain == {**expected, "time_ms": 1_790_000_000_000, "op": 2}


def test_every_event_has_a_code_of_its_own() -> None:
    """Codes are given once."""
    assert len(set(catalog.EVENT_CODES.values())) == len(catalog.EVENT_CODES)
    assert event_code(events.TimerFired(op=Op(1))) == 4


@pytest.mark.parametrize(
    "number", [0, -1, 63, 64, -64, -65, 8_191, 8_192, (1 << 63) - 1, -(1 << 63)]
)
def test_numbers_at_the_edges_are_kept(number: int) -> None:
    """Every integer of 64 bits has a form."""
    activated = events.Activated(inputs=(), now_ms=0, seed=number)

    assert decode_event(encode_event("w", "r", 1, 1, 0, activated)).event == activated


def test_a_number_of_more_than_64_bits_is_refused() -> None:
    """It is our own fault, and must not be written wrongly."""
    with pytest.raises(ValueError, match="64 bits"):
        encode_event("w", "r", 1, 1, 0, events.Activated(inputs=(), now_ms=0, seed=1 << 63))


def test_the_memory_of_numbers_is_bounded() -> None:
    """However many different numbers are written, only so many are remembered."""
    for number in range(40_000):
        encoder._LONGS[number * 1_000_003]

    assert len(encoder._LONGS) <= 16_384 + 1
    assert encoder._LONGS[5] == b"\n"


def test_text_with_lone_surrogates_is_recorded_escaped() -> None:
    """A file name in an error message may not be Unicode; that must not make the run impossible to record."""
    cancel = events.CancelRequested(reason="bad \udcff name")

    event = decode_event(encode_event("w", "r", 1, 1, 0, cancel)).event

    assert event == events.CancelRequested(reason="bad \\udcff name")


def test_a_long_chain_of_causes_is_cut() -> None:
    """The wire carries at most CAUSES_MAX failures of a chain, from the outermost."""
    whole = Failure(kind=FailureKind.APPLICATION, message="0")
    for depth in range(1, 30):
        whole = Failure(kind=FailureKind.APPLICATION, message=str(depth), cause=whole)

    trouble = entities.decode_trouble(
        codec.encode(Trouble(kind="stuck", message="", failure=whole))
    )

    assert trouble.failure is not None
    kept = encoder.links(trouble.failure)
    assert [link.message for link in kept] == [str(29 - index) for index in range(CAUSES_MAX)]


def test_a_failure_that_must_be_there_is() -> None:
    """An empty chain where a failure is required is damage, not a None in disguise."""
    failed = events.ActivityCanceled(
        op=Op(1), attempt=1, failure=Failure(kind=failure.FailureKind.CANCELED), identity=""
    )
    value = encode_event("w", "r", 1, 1, 0, failed)
    schema = fastavro.parse_schema(_schema(value))
    plain: Any = fastavro.schemaless_reader(io.BytesIO(value[10:]), schema, None)
    plain["failure"] = []
    body = io.BytesIO()
    fastavro.schemaless_writer(body, schema, plain)

    with pytest.raises(Undecodable, match="Expected a failure"):
        decode_event(value[:10] + body.getvalue())


def test_an_older_schema_leaves_new_fields_at_their_defaults() -> None:
    """What was written before a field existed reads as if the field had its default."""
    from streamflow.wire import decoder, schema

    document = json.loads(read_data("schemas", "history/Attempt.avsc"))
    older = dict(
        document, fields=[field for field in document["fields"] if field["name"] != "hint"]
    )
    body = io.BytesIO()
    plain = {"op": 3, "attempt": 2, "dispatched_ms": 9, "heartbeat_details": [], "last_failure": []}
    fastavro.schemaless_writer(body, fastavro.parse_schema(older), plain)

    attempt = decoder.compile_decoder(schema.parse(older), catalog.STRUCTS)(body.getvalue(), 0)

    assert attempt == tasks.Attempt(op=Op(3), attempt=2, dispatched_ms=9)


def test_a_field_that_is_gone_is_read_over() -> None:
    """A field of an old schema that the Struct no longer has is dropped."""
    from streamflow.wire import decoder, schema

    document = json.loads(read_data("schemas", "history/Deleting.avsc"))
    older = dict(document, fields=[*document["fields"], {"name": "gone", "type": "string"}])
    body = io.BytesIO()
    plain = {"last_seq": 3, "last_hash": b"h", "gone": "x"}
    fastavro.schemaless_writer(body, fastavro.parse_schema(older), plain)

    deleting = decoder.compile_decoder(schema.parse(older), catalog.STRUCTS)(body.getvalue(), 0)

    assert deleting == tasks.Deleting(last_seq=3, last_hash=b"h")


def test_a_struct_without_its_schema_is_our_own_fault() -> None:
    """A field added to a Struct is never lost in silence: writing it says `make schemas`."""

    class Deleting(msgspec.Struct, frozen=True, kw_only=True):
        last_seq: int
        last_hash: bytes
        new: str = ""

    with pytest.raises(SchemaOutdated, match="make schemas"):
        codec._check_current(Deleting, codec.schema_at("history/Deleting.avsc"), ())


@given(
    st.sampled_from([tasks.CancelTask, tasks.Attempt, tasks.ActivityTask]).flatmap(strategies.facts)
)
def test_one_entity_is_never_taken_for_another(fact: Any) -> None:
    """Decoding as something else is refused by name."""
    with pytest.raises(Undecodable, match="Expected PositionRecord, found"):
        entities.decode_position(codec.encode(fact))

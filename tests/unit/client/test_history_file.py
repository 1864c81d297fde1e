"""Histories as files: what was written is read again, and what is no history is refused with a reason."""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from types import UnionType
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.client import HistoryFileError, WorkflowHistory
from streamflow.client.history.file import EVENT_TYPES, FORMAT
from streamflow.model.events import Event, Recorded, SignalReceived, WorkflowStarted
from streamflow.model.failure import Failure, FailureKind
from streamflow.model.ids import MessageId, RunId, Seq
from streamflow.model.options import ActivityTimeouts, Parent, RetryPolicy
from streamflow.model.payload import Payload

names = st.text(string.ascii_lowercase, max_size=5)
payloads = st.builds(
    Payload, st.dictionaries(names, st.binary(max_size=8), max_size=3), st.binary()
)
args = st.lists(payloads, max_size=3).map(tuple)
mappings = st.dictionaries(names, payloads, max_size=3)
MAPPINGS: dict[Any, st.SearchStrategy[Any]] = {Mapping[str, Payload]: mappings}
failures: st.SearchStrategy[Failure] = st.recursive(
    st.builds(Failure, kind=st.sampled_from(FailureKind), cause=st.none(), details=args),
    lambda inner: st.builds(Failure, kind=st.sampled_from(FailureKind), cause=inner, details=args),
    max_leaves=4,
)


def strategy_of(cls: type[Any]) -> st.SearchStrategy[Any]:
    """Facts of this class with a value of its type in every field."""
    fields = msgspec.structs.fields(cls)
    return st.builds(cls, **{field.name: _values(field.type) for field in fields})


def _values(hint: Any) -> st.SearchStrategy[Any]:
    for mapping, strategy in MAPPINGS.items():
        if hint == mapping or hint == mapping | None:
            return strategy
    if (
        isinstance(hint, type)
        and issubclass(hint, msgspec.Struct)
        and hint not in (Payload, Failure)
    ):
        # Made from its constructor it would get what stands for a default's factory.
        return strategy_of(hint)
    if isinstance(hint, UnionType):
        return st.one_of(*map(_values, get_args(hint)))
    return st.from_type(hint)


st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(Payload, payloads)
st.register_type_strategy(Failure, failures)
for cls in (RetryPolicy, Parent, ActivityTimeouts):
    st.register_type_strategy(cls, strategy_of(cls))
events: st.SearchStrategy[Event] = st.one_of(*(strategy_of(cls) for cls in EVENT_TYPES.values()))


@st.composite
def histories(draw: st.DrawFn) -> WorkflowHistory:
    found = draw(st.lists(events, max_size=5))
    recorded = tuple(
        Recorded(Seq(seq), draw(st.integers(0, 10)), draw(st.integers(0, 2**50)), event)
        for seq, event in enumerate(found, start=1)
    )
    return WorkflowHistory.of(draw(names), recorded, draw(names))


@given(histories())
def test_a_history_read_from_its_file_is_the_history(history: WorkflowHistory) -> None:
    """Writing and reading loses nothing: no byte of a payload, no cause of a failure."""
    assert WorkflowHistory.from_json(None, history.to_json()) == history


def test_every_event_type_has_a_name_in_the_file() -> None:
    """An event type without a name could not be written."""
    assert set(EVENT_TYPES.values()) == set(get_args(Event))


GOLDEN = """{
  "format": "streamflow-history/1", "workflow_id": "order-1", "run_id": "r", "events": [
    {"seq": 1, "step": 0, "time_ms": 1780000000000, "type": "workflow_started", "event": {
      "workflow_type": "Order", "queue": "orders", "first_run_id": "r",
      "args": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="}]}},
    {"seq": 2, "step": 0, "time_ms": 1780000000001, "type": "signal_received", "event": {
      "name": "go", "message_id": "m", "added_in_a_later_release": {"a": 1}}}]}"""


def test_a_file_of_the_first_format_is_read_for_ever() -> None:
    """Absent fields take their defaults, and unknown ones are passed over."""
    history = WorkflowHistory.from_json(None, GOLDEN)

    started, signalled = (recorded.event for recorded in history.recorded)
    payload = Payload({"encoding": b"json/plain"}, b"1")
    assert started == WorkflowStarted(
        workflow_type="Order", queue="orders", first_run_id=RunId("r"), args=(payload,)
    )
    assert signalled == SignalReceived(name="go", message_id=MessageId("m"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Expected a history in JSON, found.*workflow history ID --file"),
        ("[]", "found 'list'"),
        ('{"format": "other/1"}', "found 'other/1'"),
        (json.dumps({"format": FORMAT}), "Expected workflow_id"),
        (GOLDEN.replace('"seq": 2', '"seq": 3'), "torn"),
        (GOLDEN.replace("signal_received", "moon_landed"), "later release"),
        (GOLDEN.replace('"name": "go"', '"name": 5'), "event 2"),
    ],
)
def test_what_is_no_history_is_refused_with_a_reason(text: str, reason: str) -> None:
    """A refusal says what was expected and where."""
    with pytest.raises(HistoryFileError, match=reason):
        WorkflowHistory.from_json(None, text)


def test_a_payload_is_stored_as_base64() -> None:
    """The file's form of a payload is public: metadata and data in base64."""
    history = WorkflowHistory.from_json(None, GOLDEN).to_json_dict()

    [payload] = history["events"][0]["event"]["args"]
    assert payload == {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="}
    assert msgspec.json.decode(json.dumps(payload), type=Payload).data == b"1"

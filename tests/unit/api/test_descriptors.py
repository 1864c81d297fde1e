"""The protobuf library's own functions take our messages: codec servers are written with its `json_format`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from typing import Any

import pytest

from streamflow import api
from streamflow.api.common.v1 import Payload, Payloads, RetryPolicy, WorkflowExecution
from streamflow.api.descriptors import Descriptors
from streamflow.api.enums.v1 import EventType
from streamflow.api.failure.v1 import ApplicationFailureInfo, Failure
from streamflow.api.history.v1 import HistoryEvent, MarkerRecordedEventAttributes
from streamflow.api.message import Message

json_format: Any = importlib.import_module(
    "google.protobuf.json_format"
)  # typed for its own messages

_FOUND: set[type[Message]] = {
    found
    for module in pkgutil.walk_packages(api.__path__, "streamflow.api.")
    for found in vars(importlib.import_module(module.name)).values()
    if inspect.isclass(found) and issubclass(found, Message) and found is not Message
}
CLASSES = sorted(_FOUND, key=lambda cls: cls.full_name())  # the same order in every process

BODY = """
{"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MTI="}, {}]}
"""


def test_payloads_are_read_from_json() -> None:
    """As a codec server reads what it is sent."""
    payloads = json_format.Parse(BODY, Payloads())

    assert [*payloads.payloads] == [Payload({"encoding": b"json/plain"}, b"12"), Payload()]


def test_payloads_are_written_as_json() -> None:
    """And as it answers."""
    text = json_format.MessageToJson(json_format.Parse(BODY, Payloads()), indent=None)

    assert (
        text == '{"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MTI="}, {}]}'
    )


def test_a_payload_takes_the_place_of_what_it_had() -> None:
    """What JSON does not name stays, what it names is replaced."""
    payload = Payload({"encoding": b"a", "other": b"b"}, b"1")

    json_format.ParseDict({"metadata": {"encoding": "Yw=="}}, payload)

    assert payload == Payload({"encoding": b"c"}, b"1")


def test_members_of_enums_have_their_names_and_long_numbers_are_texts() -> None:
    """As the library writes its own messages."""
    event = HistoryEvent(event_id=5, event_type=EventType.EVENT_TYPE_MARKER_RECORDED)
    event.marker_recorded_event_attributes.CopyFrom(
        MarkerRecordedEventAttributes(marker_name="m", details={"d": Payloads()})
    )

    assert json_format.MessageToDict(event) == {
        "eventId": "5",
        "eventType": "EVENT_TYPE_MARKER_RECORDED",
        "markerRecordedEventAttributes": {"markerName": "m", "details": {"d": {}}},
    }


def test_messages_within_messages_of_their_own_class() -> None:
    """A failure has another as its cause."""
    read = json_format.ParseDict(
        {"message": "a", "cause": {"message": "b", "applicationFailureInfo": {"type": "T"}}},
        Failure(),
    )

    expected = Failure(message="a")
    expected.cause.message = "b"
    expected.cause.application_failure_info.CopyFrom(ApplicationFailureInfo(type="T"))
    assert read == expected


def test_spans_of_time_are_texts() -> None:
    """As the library has its own."""
    policy = json_format.ParseDict({"initialInterval": "1.500s"}, RetryPolicy())

    assert policy.initial_interval.ToMilliseconds() == 1_500
    assert json_format.MessageToDict(policy) == {"initialInterval": "1.500s"}


def test_only_one_of_a_group_may_be_there() -> None:
    """The library knows the groups."""
    with pytest.raises(json_format.ParseError, match="oneof"):
        json_format.ParseDict({"applicationFailureInfo": {}, "canceledFailureInfo": {}}, Failure())


def test_what_is_set_is_listed_by_number() -> None:
    """With its descriptor, and the rest is not."""
    execution = WorkflowExecution(run_id="r", workflow_id="w")

    assert [(known.name, value) for known, value in execution.ListFields()] == [
        ("workflow_id", "w"),
        ("run_id", "r"),
    ]
    assert Payload().ListFields() == []


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.full_name())
def test_every_message_has_a_descriptor(cls: type[Message]) -> None:
    """With its name and its fields' numbers."""
    made = cls.DESCRIPTOR

    assert made.full_name == cls.full_name()
    assert {one.name: one.number for one in made.fields} == {
        name: item.number for name, item in cls._fields.items()
    }


def test_without_the_library_there_is_no_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    """So programs that look for one see none."""
    monkeypatch.setitem(sys.modules, "google.protobuf.descriptor_pool", None)

    with pytest.raises(AttributeError, match=r"streamflow\[protobuf\]"):
        Descriptors().of(Payloads)

"""Messages as JSON, and back."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import pytest

import streamflow.api
import streamflow.api.history.v1
from streamflow.api.common.v1 import Payload, SearchAttributes, WorkflowExecution
from streamflow.api.field_mask import FieldMask
from streamflow.api.message import Message, child, field, many
from streamflow.api.message_fields import choice, long, real, texts
from streamflow.api.message_json import merge_json, to_json
from streamflow.api.message_tables import choices, choices_by_name, table, texts_by_name
from streamflow.api.times import Duration, Timestamp

for module in pkgutil.walk_packages(streamflow.api.__path__, "streamflow.api."):
    importlib.import_module(module.name)  # so that its messages are there
CLASSES = {item.full_name(): item for item in Message.__subclasses__()}
SOME_PAYLOAD = Payload({"encoding": b"json/plain", "raw": b"\x00\xff"}, b"1")


def filled(part: Any, depth: int = 0) -> Any:
    """Something in every field, and in what is within, three deep."""
    if isinstance(part, Payload):
        part.metadata.update(SOME_PAYLOAD.metadata)
        part.data = SOME_PAYLOAD.data
        return part
    for name, item in part._fields.items():
        match item:
            case choice():
                setattr(part, name, item.cls.values()[-1])
            case long() | real():
                setattr(part, name, 3)
            case texts():
                item.get(part).append("a")
            case texts_by_name():
                item.get(part)["key"] = "a"
            case choices():
                item.get(part).append(item.cls(item.cls.values()[-1]))
            case choices_by_name():
                item.get(part)["key"] = item.cls(item.cls.values()[-1])
            case many() | child() | table() if depth == 3:
                pass
            case many():
                filled(item.get(part).add(), depth + 1)
            case table():
                filled(item.get(part)["key"], depth + 1)
            case child():
                filled(item.get(part), depth + 1)
            case field():
                default: Any = item.get(part)
                kind: Any = type(default)
                setattr(part, name, b"\xff" if kind is bytes else kind("1"))
            case _:
                raise AssertionError(f"Expected a known kind of field, found {item!r}")
    return part


@pytest.mark.parametrize("name", CLASSES)
def test_every_message_comes_back_from_its_json(name: str) -> None:
    """Whatever field it has, and whatever is within."""
    message = filled(CLASSES[name]())
    again = CLASSES[name]()

    merge_json(to_json(message), again)

    assert again == message
    assert message.ByteSize() > 0 or not message._fields


def test_a_message_has_its_full_name() -> None:
    """By which a payload names its class."""
    assert WorkflowExecution.full_name() == "temporal.api.common.v1.WorkflowExecution"
    assert Timestamp.full_name() == "google.protobuf.Timestamp"
    event = streamflow.api.history.v1.HistoryEvent
    assert Message.named("temporal.api.history.v1.HistoryEvent") is event
    assert Message.named("temporal.api.common.v1.Nothing") is None


def test_names_are_read_in_either_form() -> None:
    """As it is laid down for readers of such JSON."""
    for value in ({"workflowId": "w"}, {"workflow_id": "w"}):
        message = WorkflowExecution()
        merge_json(value, message)
        assert message.workflow_id == "w"


@pytest.mark.parametrize(
    ("message", "value", "reason"),
    [
        (WorkflowExecution(), [], "Expected an object for a WorkflowExecution"),
        (WorkflowExecution(), {"workflowId": 1}, r"WorkflowExecution\.workflow_id.*found 1"),
        (WorkflowExecution(), {"colour": "red"}, "found 'colour'"),
        (Duration(), "1.5", "duration"),
        (Duration(), 1, "text"),
        (Timestamp(), "2030-01-01T00:00:00", "time zone"),
        (SearchAttributes(), {"indexedFields": {"a": {"data": "?"}}}, "indexed_fields"),
    ],
)
def test_what_is_no_json_of_a_message_is_refused(message: Message, value: Any, reason: str) -> None:
    """With its place, and what was found there."""
    with pytest.raises(ValueError, match=reason):
        merge_json(value, message)


def test_unknown_names_may_be_passed_over() -> None:
    """For JSON that a newer program wrote."""
    message = WorkflowExecution()

    merge_json({"colour": "red", "runId": "r"}, message, ignore_unknown_fields=True)

    assert message == WorkflowExecution(run_id="r")


@pytest.mark.parametrize("text", ["1.500s", "-1.500s", "-3s", "0.000001s", "9.000000001s"])
def test_spans_of_time_come_back_from_their_text(text: str) -> None:
    """To the nanosecond, and with their sign."""
    span = Duration()

    span.FromJsonString(text)

    assert span.seconds == int(text.split(".")[0].rstrip("s"))
    assert abs(span.nanos) == int(f"{text.partition('.')[2].rstrip('s') or 0:0<9}"[:9])
    assert span.nanos <= 0 or not text.startswith("-")


@pytest.mark.parametrize("text", ["2030-01-02T03:04:05Z", "2030-01-02T03:04:05.000000001Z"])
def test_moments_come_back_from_their_text(text: str) -> None:
    """To the nanosecond."""
    moment = Timestamp()

    moment.FromJsonString(text)

    assert moment.ToJsonString() == text


def test_a_mask_of_fields_comes_back_from_its_text() -> None:
    """Paths in camel case, with commas between them."""
    mask = FieldMask(paths=["heartbeat_timeout", "retry_policy.maximum_attempts"])

    text = mask.ToJsonString()
    read = FieldMask()
    read.FromJsonString(text)

    assert text == "heartbeatTimeout,retryPolicy.maximumAttempts"
    assert read == mask

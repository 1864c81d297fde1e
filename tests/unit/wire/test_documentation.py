"""The examples of the public contract do what they say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from streamflow.ports import Record
from streamflow.wire import catalog, inbox, public

DOCS = Path(__file__).resolve().parents[3] / "docs"
EXAMPLES = re.findall(r"```json\n(.*?)```", (DOCS / "inbox.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_json_example_is_taken(example: str) -> None:
    """Word for word."""
    structured = "specversion" in json.loads(example)
    headers = (("content-type", b"application/cloudevents+json"),) if structured else ()

    inbox.decode_inbox(
        Record("default.orders.inbox", 0, 0, b"order-17", example.encode(), headers, 0)
    )


def test_every_message_and_field_is_documented() -> None:
    """The table has a row for each kind, and each field."""
    rows = re.findall(r"^\| `(\w+)` \|(.*)$", (DOCS / "inbox.md").read_text(), re.MULTILINE)
    fields = {kind: set(re.findall(r"`(\w+)`", rest)) for kind, rest in rows}

    for kind, message in public.KINDS.items():
        assert fields[kind] == set(message.__struct_fields__) - {"id", "version"}


def test_every_event_code_is_documented() -> None:
    """Outsiders can tell events apart by the header."""
    text = (DOCS / "topics.md").read_text()

    for event, code in catalog.EVENT_CODES.items():
        assert re.search(rf"\b{event.__name__} {code}\b", text), event

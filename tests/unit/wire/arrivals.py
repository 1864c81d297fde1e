"""Records as an inbox gets them, and what is read of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamflow.model.commands import Command
from streamflow.model.payload import Payload
from streamflow.ports import OutRecord, Record
from streamflow.wire import inbox
from streamflow.wire.errors import Undecodable

REPLY = (("sf-reply-to", b"default.replies/3/req-1"),)
SIGNAL = {"type": "signal", "signal": "s"}


def record_of(value: Any, key: bytes | None = b"order-1", headers: Any = ()) -> Record:
    raw = value if isinstance(value, bytes | None) else json.dumps(value).encode()
    return Record("default.orders.inbox", 3, 17, key, raw, tuple(headers), 0)


def arrived(out: OutRecord, offset: int = 0) -> Record:
    return Record(out.topic, out.partition, offset, out.key, out.value, out.headers, 0)


def json_payload(text: bytes) -> Payload:
    return Payload({"encoding": b"json/plain"}, text)


def command_of(value: Any, headers: Any = ()) -> Command:
    return inbox.decode_inbox(record_of(value, headers=headers)).command


def refused(record: Record, stage: str, *said: str) -> None:
    with pytest.raises(Undecodable) as caught:
        inbox.decode_inbox(record)
    assert caught.value.stage == stage
    for text in said:
        assert text in caught.value.message

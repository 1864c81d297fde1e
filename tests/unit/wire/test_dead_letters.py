"""A dead letter is the record that could not be taken, with what kept it from that."""

from __future__ import annotations

import pytest

from streamflow.ports import Record
from streamflow.wire import inbox
from streamflow.wire.errors import VALUE
from tests.unit.wire.arrivals import record_of


def test_a_dead_letter_is_the_record_untouched_with_connects_headers() -> None:
    """Existing tools find where it came from and why; headers of an earlier dead letter are replaced."""
    record = record_of(b"\xff", headers=[("mine", b"\xfe"), ("__connect.errors.stage", b"OLD")])

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

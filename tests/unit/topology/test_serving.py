"""Who serves a queue, and how far behind they are."""

from __future__ import annotations

from streamflow.topology import read_queues, shares
from tests.unit.processor.asking import add
from tests.unit.processor.programs import Counter
from tests.unit.processor.stage import NS, QUEUE, Stage


def test_each_partition_has_its_member_and_what_is_left_to_read() -> None:
    """A command that was sent is behind until the processor has taken it; nobody runs activities here."""
    stage = Stage([Counter])
    stage.begin("Counter")
    entry = read_queues(stage.log, NS)[QUEUE]
    before = shares(stage.log, NS, entry)

    stage.send(add("one"))
    behind = shares(stage.log, NS, entry)

    assert {share.partition for share in before if share.role == "processor"} == set(
        range(entry.partitions)
    )
    assert all(share.member for share in before if share.role == "processor")
    assert not any(share.member for share in before if share.role == "activities")
    assert sum(share.lag for share in before if share.role == "processor") == 0
    assert sum(share.lag for share in behind if share.role == "processor") == 1

"""Who may read and commit what: members, hand-over and fencing in an embedded log."""

from __future__ import annotations

import pytest

from streamflow.embedded import EmbeddedLog
from streamflow.ports import Committed, Fenced, TopicPartition
from tests.unit.embedded.member import Member, out, topic

IN = TopicPartition("in", 0)


def _settle(*members: Member) -> None:
    for _ in range(3):
        for member in members:
            member.poll()


def test_members_share_the_partitions(log: EmbeddedLog) -> None:
    """Each partition has one owner; a newcomer gets its part after the others gave it up."""
    log.create_topics([topic("many", 6)])
    first = Member(log, "a", "many")
    _settle(first)
    assert len(first.owned) == 6

    second = Member(log, "b", "many")
    _settle(second, first)

    assert len(first.owned) == len(second.owned) == 3
    assert not first.owned & second.owned
    assert first.told == ["assigned", "revoked"]
    assert log.live_members("g") == {"a", "b"}


def test_a_closed_members_partitions_move_at_once(log: EmbeddedLog) -> None:
    """The next poll of another member has them, where the closed one left them."""
    first, second = Member(log, "a"), Member(log, "b")
    _settle(first, second)
    owner, other = (first, second) if first.owned else (second, first)
    for text in ("m0", "m1"):
        log.producer().send(out(text))
    owner.source.commit({IN: Committed(1)})

    owner.source.close()

    assert other.read(1) == ["m1"]


def test_a_namesake_takes_everything_over(log: EmbeddedLog) -> None:
    """A static member that joins again has the partitions at once; its former self is told and refused."""
    former = Member(log, "a")
    _settle(former)
    transactor = log.transactor("t")
    transactor.open()

    newer = Member(log, "a")
    newer.poll()

    assert newer.owned == {IN}
    with pytest.raises(Fenced):
        transactor.commit([out("late")], former.at(1), former.source)
    with pytest.raises(Fenced):
        former.poll()
    assert former.told == ["assigned", "lost"]
    assert log.reader().end_offset(IN) == 0


def test_who_does_not_own_a_partition_cannot_commit_it(log: EmbeddedLog) -> None:
    """Neither in a transaction nor outside; and nothing of the transaction happened."""
    first, second = Member(log, "a"), Member(log, "b")
    _settle(first, second)
    stranger = second if first.owned else first
    transactor = log.transactor("t")
    transactor.open()

    with pytest.raises(Fenced):
        stranger.source.commit({IN: Committed(1)})
    with pytest.raises(Fenced):
        transactor.commit([out("m")], {IN: Committed(1)}, stranger.source)
    assert log.reader().end_offset(IN) == 0


def test_a_transactional_id_has_one_holder(log: EmbeddedLog) -> None:
    """Who opens an id fences whoever had it; an unopened or closed transactor commits nothing either."""
    member = Member(log)
    _settle(member)
    older, newer = log.transactor("t"), log.transactor("t")
    with pytest.raises(Fenced):
        older.commit([out("m")], member.at(1), member.source)
    older.open()
    newer.open()

    with pytest.raises(Fenced):
        older.commit([out("m")], member.at(1), member.source)
    newer.commit([out("m")], member.at(1), member.source)

    newer.close()
    with pytest.raises(Fenced):
        newer.commit([out("m")], member.at(1), member.source)


def test_a_dead_owners_id_can_be_fenced(log: EmbeddedLog) -> None:
    """Fencing takes the id away without keeping it; opening it again works."""
    member = Member(log)
    _settle(member)
    dead = log.transactor("dead")
    dead.open()

    log.transactor("living").fence(dead.ids)

    with pytest.raises(Fenced):
        dead.commit([out("m")], member.at(1), member.source)
    dead.reopen()
    dead.commit([out("m")], member.at(1), member.source)


def test_groups_do_not_know_each_other(log: EmbeddedLog) -> None:
    """Two groups read the same records, each from its own position."""
    log.producer().send(out("m"))

    assert Member(log, "a", group="one").read(1) == ["m"]
    assert Member(log, "a", group="two").read(1) == ["m"]

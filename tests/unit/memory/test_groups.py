"""Consumer groups: who has what, when it moves, and who is refused."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from streamflow.memory.clock import VirtualClock
from streamflow.memory.groups import Assigned, Group, Lost, Member, Revoked, Standing
from streamflow.memory.log import MemoryLog
from streamflow.ports import Committed, Fenced, TopicPartition
from tests.unit.memory.stage import P0, join, new_broker, record, values


def test_a_partition_moves_only_after_its_holder_gave_it_up() -> None:
    """Cooperative: the newcomer has nothing until the revocation is through."""
    broker = new_broker(partitions=2)
    first, told_first = join(MemoryLog(broker, "a"), "a")
    first.poll(1, 0)
    second, told_second = join(MemoryLog(broker, "b"), "b")

    second.poll(1, 0)
    assert told_second.told == []
    first.poll(1, 0)
    second.poll(1, 0)

    one = TopicPartition("inbox", 1)
    assert told_first.told == [("assigned", (P0, one)), ("revoked", (one,))]
    assert told_second.told == [("assigned", (one,))]


def test_a_paused_member_keeps_its_place_for_its_session_and_then_hears_of_its_loss() -> None:
    """Its commit is refused from then on; after a poll it belongs again."""
    clock = VirtualClock()
    broker = new_broker(clock=clock)
    slow_log, quick_log = MemoryLog(broker, "slow"), MemoryLog(broker, "quick")
    slow, told_slow = join(slow_log, "slow")
    slow.poll(1, 0)
    slow_log.pause()
    quick, told_quick = join(quick_log, "quick")

    clock.advance(5_999)
    quick.poll(1, 0)
    assert told_quick.told == []
    assert quick_log.live_members("g") == {"slow", "quick"}
    clock.advance(1)
    quick.poll(1, 0)
    assert told_quick.told == [("assigned", (P0,))]
    assert quick_log.live_members("g") == {"quick"}

    slow_log.resume()
    with pytest.raises(Fenced):
        slow.commit({P0: Committed(1)})
    slow.poll(1, 0)
    assert told_slow.told[1:] == [("lost", (P0,))]
    assert quick_log.live_members("g") == {"slow", "quick"}
    slow.commit({P0: Committed(1)})


def test_a_restarted_static_member_has_its_partitions_at_once() -> None:
    """No session to wait for, and no new generation."""
    broker = new_broker()
    dead = MemoryLog(broker, "a")
    join(dead, "a")[0].poll(1, 0)
    generation = broker.group("g").generation
    dead.crash()

    again, told = join(MemoryLog(broker, "a"), "a")
    again.poll(1, 0)

    assert told.told == [("assigned", (P0,))]
    assert broker.group("g").generation == generation


def test_a_namesake_fences_the_older_one_for_good() -> None:
    """The older hears of its loss, and never comes back under this name."""
    broker = new_broker()
    older, told = join(MemoryLog(broker, "a"), "same")
    older.poll(1, 0)
    newer, _ = join(MemoryLog(broker, "b"), "same")

    with pytest.raises(Fenced):
        older.commit({P0: Committed(1)})
    for _ in range(2):
        with pytest.raises(Fenced, match="another process joined"):
            older.poll(1, 0)

    assert told.told[-1] == ("lost", (P0,))
    newer.commit({P0: Committed(1)})


def test_who_joins_again_while_another_is_silent_waits_for_the_rebalance() -> None:
    """It is assigned nothing by the assignment of before, which it could not commit for."""
    clock = VirtualClock()
    group = Group("g", timers=clock, partitions_of=lambda _: 2, session_ms=6_000)
    silent = group.join("silent", ["t"], lambda: None)
    expired = group.join("back", ["t"], lambda: None)
    for member in (silent, expired):
        assert isinstance(group.news(member), Assigned)
    group.silence(silent)
    group.expire(expired)

    back = group.join("back", ["t"], lambda: None)
    assert group.news(back) is None
    clock.advance(6_000)
    news = group.news(back)

    assert news == Assigned((TopicPartition("t", 0), TopicPartition("t", 1)))
    group.check(back)


def test_leaving_hands_over_at_once_and_a_kept_place_is_kept() -> None:
    """`leave=False` is for a restart: the others get nothing before the session is over."""
    clock = VirtualClock()
    broker = new_broker(partitions=2, clock=clock)
    sources = {name: join(MemoryLog(broker, name), name) for name in "abc"}
    for _ in range(3):
        for source, _told in sources.values():
            source.poll(1, 0)
    group = broker.group("g")
    assert sorted(len(m.held) for m in group._members.values()) == [0, 1, 1]

    sources["a"][0].close()
    sources["c"][0].poll(1, 0)
    assert len(group._members["c"].held) == 1

    sources["b"][0].close(leave=False)
    sources["c"][0].poll(1, 0)
    assert len(group._members["c"].held) == 1
    clock.advance(6_000)
    sources["c"][0].poll(1, 0)
    assert len(group._members["c"].held) == 2


def test_a_revoked_partition_can_still_be_committed_for_in_the_callback() -> None:
    """The last moment to commit is inside `on_revoked`, and the newcomer starts from there."""
    broker = new_broker(partitions=2)
    for value in ("a", "b"):
        broker.append(record(value, partition=1))
    first, listener = join(MemoryLog(broker, "x"), "x")
    assert values(first.poll(1, 0)) == ["a"]
    one = TopicPartition("inbox", 1)
    listener.when_revoked = lambda: first.commit({one: Committed(1, "note")})
    second, _ = join(MemoryLog(broker, "y"), "y")

    first.poll(1, 0)

    assert second.committed([one]) == {one: Committed(1, "note")}
    assert values(second.poll(10, 0)) == ["b"]


def test_records_of_partitions_not_held_are_never_delivered() -> None:
    """After a revocation nothing more comes, whatever was appended."""
    broker = new_broker(partitions=2)
    first, _ = join(MemoryLog(broker, "a"), "a")
    first.poll(1, 0)
    join(MemoryLog(broker, "b"), "b")
    broker.append(record("mine", partition=0))
    broker.append(record("theirs", partition=1))

    assert values(first.poll(10, 0)) == ["mine"]


class Membership(RuleBasedStateMachine):
    """Whatever members do, no partition has two holders, and in the end the assignment is whole and even."""

    @initialize(partitions=st.integers(1, 6))
    def begin(self, partitions: int) -> None:
        self.partitions = partitions
        self.clock = VirtualClock(0)
        self.group = Group("g", timers=self.clock, partitions_of=lambda _: partitions)
        self.members: list[Member] = []

    def some(self, number: int) -> Member | None:
        return self.members[number % len(self.members)] if self.members else None

    @rule(name=st.sampled_from("abcd"))
    def join(self, name: str) -> None:
        self.members.append(self.group.join(name, ["t"], lambda: None))

    @rule(number=st.integers(0, 20))
    def poll(self, number: int) -> None:
        if (member := self.some(number)) is not None and member.standing is not Standing.SILENT:
            self.serve(member)

    @rule(number=st.integers(0, 20))
    def silence(self, number: int) -> None:
        if (member := self.some(number)) is not None:
            self.group.silence(member)

    @rule(number=st.integers(0, 20))
    def hear(self, number: int) -> None:
        if (member := self.some(number)) is not None:
            self.group.hear(member)

    @rule(number=st.integers(0, 20))
    def leave(self, number: int) -> None:
        if (member := self.some(number)) is not None:
            self.group.leave(member)

    @rule(by_ms=st.integers(0, 7_000))
    def wait(self, by_ms: int) -> None:
        self.clock.advance(by_ms)

    @invariant()
    def no_two_members_may_commit_for_one_partition(self) -> None:
        if not hasattr(self, "group"):
            return
        held = [p for m in self.members if m.standing.belongs for p in m.held]
        assert len(held) == len(set(held))

    def teardown(self) -> None:
        if not hasattr(self, "group"):
            return
        self.clock.advance(6_000)
        for _ in range(20):
            for member in self.members:
                self.serve(member)
        live = [m for m in self.members if m.standing.belongs]
        if live:
            loads = [len(m.held) for m in live]
            assert sum(loads) == self.partitions
            assert max(loads) - min(loads) <= 1

    def serve(self, member: Member) -> None:
        while (news := self.group.news(member)) is not None:
            match news:
                case Revoked(partitions=partitions):
                    self.group.release(member, partitions)
                case Assigned() | Lost():
                    pass


TestMembership = Membership.TestCase
TestMembership.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)

"""Members of a group on a real broker: what they are given, when, and what a restart keeps."""

from __future__ import annotations

import threading
import time

import pytest

from streamflow.kafka import KafkaLog
from streamflow.ports import Committed, Fenced, LogError, TopicMissing, TopicPartition
from tests.integration.kafka.conftest import Member, World
from tests.integration.kafka.other_owner import OtherOwner


def test_nothing_is_delivered_before_reading_starts(world: World) -> None:
    """Assigned partitions are silent until their offsets are given; then they begin exactly there."""
    world.send(b"0", b"1", b"2")
    member = world.owner()

    before = [record for _ in range(20) for record in member.source.poll(500, 20)]
    member.source.start_reading({world.into(): 1})
    after = member.take(2)

    assert before == []
    assert [(r.offset, r.value, r.key, r.headers) for r in after] == [
        (1, b"1", b"k", (("h", b"1"),)),
        (2, b"2", b"k", (("h", b"1"),)),
    ]
    assert after[0].timestamp_ms > 1_700_000_000_000


def test_only_started_partitions_are_read(world: World) -> None:
    """Starting one partition starts no other."""
    world.send(b"zero", partition=0)
    world.send(b"one", partition=1)
    member = world.owner()

    member.source.start_reading({world.into(1): 0})
    records = member.take(1) + member.source.poll(500, 200)

    assert [record.value for record in records] == [b"one"]


def test_a_position_can_be_moved_back(world: World) -> None:
    """After an aborted step the same records are delivered again, once and in order."""
    world.send(*[b"%d" % number for number in range(50)])
    member = world.owner()
    member.source.start_reading({world.into(): 0})
    member.take(50)

    member.source.start_reading({world.into(): 10})

    assert [record.offset for record in member.take(40)] == list(range(10, 50))
    assert member.source.poll(500, 200) == []


def test_a_position_moved_while_records_are_on_their_way_drops_those(world: World) -> None:
    """Nothing fetched for the old position is delivered after the move."""
    world.send(*[b"%d" % number for number in range(2_000)])
    member = world.owner()
    member.source.start_reading({world.into(): 0})

    for start in (5, 700, 3, 900, 0):
        assert member.take(1)
        member.source.start_reading({world.into(): start})
        assert member.take(1)[0].offset == start


def test_a_paused_partition_is_silent_and_goes_on_where_it_was(world: World) -> None:
    """Pausing loses and repeats nothing."""
    world.send(b"0", b"1")
    member = world.owner()
    member.source.start_reading({world.into(): 0})
    member.take(2)

    member.source.pause([world.into()])
    world.send(b"2")
    silent = [record for _ in range(10) for record in member.source.poll(500, 20)]
    member.source.resume([world.into()])

    assert silent == []
    assert [record.value for record in member.take(1)] == [b"2"]


def test_an_offset_outside_the_log_is_refused(world: World) -> None:
    """A position is never guessed."""
    world.send(b"0")
    member = world.owner()

    with pytest.raises(LogError, match="offset 99"):
        member.source.start_reading({world.into(): 99})


def test_a_partition_of_others_cannot_be_read_or_committed(world: World) -> None:
    """Only assigned partitions can."""
    member = world.owner()
    foreign = TopicPartition(world.inbox, 7)

    with pytest.raises(Fenced):
        member.source.start_reading({foreign: 0})
    with pytest.raises(Fenced):
        member.source.commit({foreign: Committed(0)})


def test_offsets_commit_outside_transactions(world: World) -> None:
    """As workers do, with their window beside the offset."""
    member = world.owner()

    member.source.commit({world.into(): Committed(5, "window")})

    assert member.source.committed([world.into()]) == {world.into(): Committed(5, "window")}
    assert member.source.committed([world.into()], stable=False) == {
        world.into(): Committed(5, "window")
    }


def test_a_member_that_leaves_hands_over_at_once(world: World) -> None:
    """The listener is told of the revocation, and the other has everything before a session could end."""
    leaver = world.owner("leaver")
    stayer = world.member("stayer")
    threading.Timer(0.5, leaver.source.wake).start()
    deadline = time.monotonic() + 20
    while len(stayer.assigned) < 1:
        assert time.monotonic() < deadline
        leaver.source.poll(10, 20)
        stayer.source.poll(10, 20)
    assert len(leaver.revoked) == 1

    leaver.source.close(leave=True)

    stayer.poll_until(lambda: len(stayer.assigned) == 2)
    assert len(leaver.revoked) == 2
    assert leaver.lost == []
    assert world.log.live_members(world.group) == {world.name("stayer")}


def test_a_restarted_static_member_has_its_partitions_back_at_once(world: World) -> None:
    """Its place is kept: nobody else is given them, and no session has to end."""
    first = world.owner("pod")
    other = world.member("other")
    deadline = time.monotonic() + 20
    while len(other.assigned) < 1:
        assert time.monotonic() < deadline
        first.source.poll(10, 20)
        other.source.poll(10, 20)
    kept = set(first.assigned) - set(first.revoked)
    first.source.close(leave=False)
    first.transactor.close()
    assert world.log.live_members(world.group) == {world.name("pod"), world.name("other")}

    begun = time.monotonic()
    again = Member(world.log, world.inbox, world.name("pod"), group=world.group)
    again.poll_until(lambda: len(again.assigned) == 1)

    assert set(again.assigned) == kept
    assert time.monotonic() - begun < 5.0
    assert other.source.poll(10, 100) == []
    assert other.revoked == []
    again.close()


def test_a_namesake_ends_the_membership(world: World) -> None:
    """The one that was there first is told so by its next poll."""
    first = world.owner("twin")
    second = world.owner("twin")

    with pytest.raises(Fenced, match="same name"):
        first.poll_until(lambda: False)
    assert len(second.assigned) == 2


def test_a_killed_members_partitions_move_after_its_session(world: World) -> None:
    """One that stays away is replaced without anybody's help."""
    with OtherOwner(world, "gone") as gone:
        gone.expect("joined")
        gone.kill()

    heir = world.owner("heir")

    assert sorted(heir.assigned) == [world.into(0), world.into(1)]


def test_waking_ends_a_waiting_poll(world: World) -> None:
    """A poll that waits long returns soon after a wake from another thread."""
    member = world.owner()
    waker = threading.Timer(0.1, member.source.wake)
    waker.start()

    begun = time.monotonic()
    member.source.poll(10, 60_000)

    assert time.monotonic() - begun < 30
    waker.join()


def test_a_listeners_failure_comes_out_of_poll(world: World) -> None:
    """It is not swallowed on its way through the client library."""

    class Broken(Member):
        def on_assigned(self, partitions: object) -> None:
            raise RuntimeError("as planned")

    broken = Broken(world.log, world.inbox, world.name("broken"), group=world.group)

    with pytest.raises(RuntimeError, match="as planned"):
        broken.poll_until(lambda: False)
    broken.close()


def test_an_abandoned_member_does_not_hang_its_process(world: World) -> None:
    """Collected with a rebalance under way, the library's consumer would wait for ever."""
    stayer = world.owner("stayer")
    with OtherOwner(world, "abandoned", partitions=1) as abandoned:
        deadline = time.monotonic() + 20
        while not stayer.revoked:
            assert time.monotonic() < deadline
            stayer.source.poll(10, 20)
        abandoned.expect("joined")
        stayer.source.close()

        abandoned.tell("abandon")

        abandoned.expect("abandoned")


def test_a_missing_topic_is_said_before_joining(log: KafkaLog, world: World) -> None:
    """With the command that creates it."""
    with pytest.raises(TopicMissing, match="topology apply") as missing:
        Member(log, f"{world.inbox}.missing", "x", group=world.group)

    assert missing.value.topics == (f"{world.inbox}.missing",)

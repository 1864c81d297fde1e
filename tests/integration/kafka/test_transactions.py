"""Transactions on a real broker: all or nothing, by the owner alone, and with every failure named."""

from __future__ import annotations

import random
import time

import pytest

from streamflow.kafka import KafkaLog
from streamflow.ports import Committed, Fenced, OutRecord, RecordRefused, TopicSpec
from tests.integration.kafka.conftest import World
from tests.integration.kafka.other_owner import OtherOwner

TRANSACTION_TIMEOUT_S = 10.0


def test_records_and_offsets_become_visible_together(world: World) -> None:
    """A committed transaction shows its records, and the group has its offsets with their metadata."""
    owner = world.owner()

    owner.transactor.commit(
        [world.out(b"1"), world.out(b"2", 1)], world.at(7, "näxt=8"), owner.source
    )

    assert world.produced(0) == [b"1"]
    assert world.produced(1) == [b"2"]
    assert owner.source.committed([world.into(0), world.into(1)]) == {
        world.into(0): Committed(7, "näxt=8"),
        world.into(1): None,
    }


def test_the_ring_goes_round_many_transactions(world: World) -> None:
    """Transactions of the three producers follow each other in order."""
    owner = world.owner()

    for number in range(30):
        owner.transactor.commit([world.out(b"%d" % number)], world.at(number + 1), owner.source)

    assert world.produced() == [b"%d" % number for number in range(30)]
    assert owner.source.committed([world.into()])[world.into()] == Committed(30)


def test_offsets_alone_are_a_transaction(world: World) -> None:
    """A position may move without any record."""
    owner = world.owner()

    owner.transactor.commit([], world.at(3), owner.source)

    assert owner.source.committed([world.into()])[world.into()] == Committed(3)


def test_a_transaction_without_offsets_is_our_own_fault(world: World) -> None:
    """It would fence nothing, so it is an assertion."""
    owner = world.owner()

    with pytest.raises(AssertionError, match="offset of each partition"):
        owner.transactor.commit([world.out(b"1")], {}, owner.source)


def test_a_fan_out_larger_than_one_batch_commits_whole(world: World) -> None:
    """Thousands of records of one transaction arrive in order, with headers and empty keys and values."""
    owner = world.owner()
    records = [
        OutRecord(world.output, 0, None, b"%d" % number, (("n", b"%d" % number),))
        for number in range(5_000)
    ]

    owner.transactor.commit(
        [*records, OutRecord(world.output, 1, b"gone", None)], world.at(1), owner.source
    )

    assert world.produced() == [record.value for record in records]
    assert world.produced(1) == [None]


def test_an_oversized_record_is_refused_by_the_client(world: World) -> None:
    """Nothing of its transaction happens, the record is named, and the transactor works on."""
    owner = world.owner()
    large = world.out(b"x" * (2 << 20))

    with pytest.raises(RecordRefused) as refused:
        owner.transactor.commit([world.out(b"1"), large], world.at(1), owner.source)
    owner.transactor.commit([world.out(b"2")], world.at(2), owner.source)

    assert refused.value.record is large
    assert world.produced() == [b"2"]
    assert owner.source.committed([world.into()])[world.into()] == Committed(2)


def test_a_record_over_the_topics_limit_is_refused_by_the_broker(
    world: World, log: KafkaLog
) -> None:
    """The broker's refusal comes with the acknowledgement, and still before the commit."""
    small = f"{world.output}.small"
    log.create_topics([TopicSpec(name=small, partitions=1, config={"max.message.bytes": "2000"})])
    owner = world.owner()
    incompressible = OutRecord(small, 0, b"k", _noise(10_000))

    with pytest.raises(RecordRefused) as refused:
        owner.transactor.commit([world.out(b"1"), incompressible], world.at(1), owner.source)
    for number in range(4):
        owner.transactor.commit([world.out(b"2")], world.at(2 + number), owner.source)

    assert refused.value.record is incompressible
    assert world.produced() == [b"2"] * 4


def test_a_topic_that_does_not_exist_is_refused_and_not_created(
    world: World, log: KafkaLog
) -> None:
    """A typing error in a destination makes no topic."""
    owner = world.owner()
    typo = OutRecord(f"{world.output}.typo", 0, b"k", b"v")

    with pytest.raises(RecordRefused, match="typo") as refused:
        owner.transactor.commit([world.out(b"1"), typo], world.at(1), owner.source)
    owner.transactor.commit([world.out(b"2")], world.at(2), owner.source)

    assert refused.value.record is typo
    assert log.describe_topics([typo.topic]) == {}
    assert world.produced() == [b"2"]


def test_a_partition_that_does_not_exist_is_refused(world: World) -> None:
    """A topic's partition count is checked before anything begins."""
    owner = world.owner()

    with pytest.raises(RecordRefused, match="partition 99"):
        owner.transactor.commit([world.out(b"1", 99)], world.at(1), owner.source)


def test_records_of_an_aborted_transaction_are_never_read(world: World) -> None:
    """An uncommitted record written before the failure stays invisible for ever."""
    owner = world.owner()
    small = f"{world.output}.small"
    world.log.create_topics(
        [TopicSpec(name=small, partitions=1, config={"max.message.bytes": "500"})]
    )

    for number in range(3):
        with pytest.raises(RecordRefused):
            owner.transactor.commit(
                [world.out(b"no"), OutRecord(small, 0, b"k", _noise(5_000))],
                world.at(number + 1),
                owner.source,
            )
    owner.transactor.commit([world.out(b"yes")], world.at(9), owner.source)

    assert world.produced() == [b"yes"]


def test_taking_an_id_fences_its_holder(world: World) -> None:
    """A second transactor of the same name ends the first one's."""
    owner = world.owner()
    namesake = world.log.transactor(world.name("a"))
    namesake.open()

    with pytest.raises(Fenced):
        owner.transactor.commit([world.out(b"old")], world.at(1), owner.source)
    namesake.commit([world.out(b"new")], world.at(2), owner.source)
    namesake.close()

    assert world.produced() == [b"new"]


def test_a_fenced_transactor_works_again_once_reopened(world: World) -> None:
    """New producers with the same ids; nothing of the old ones is left."""
    owner = world.owner()
    world.log.transactor("someone-else").fence(owner.transactor.ids)

    with pytest.raises(Fenced):
        owner.transactor.commit([world.out(b"1")], world.at(1), owner.source)
    with pytest.raises(AssertionError, match="reopened"):
        owner.transactor.commit([world.out(b"2")], world.at(1), owner.source)
    owner.transactor.reopen()
    owner.transactor.commit([world.out(b"3")], world.at(3), owner.source)

    assert world.produced() == [b"3"]


def test_the_ids_derive_from_the_name(world: World) -> None:
    """They are the same after a restart, so a restart fences its past self."""
    assert world.log.transactor("pod-3").ids == ("pod-3-0", "pod-3-1", "pod-3-2")


def test_an_owner_paused_past_its_session_commits_nothing(world: World) -> None:
    """Its membership is gone, so what it staged is refused; readers see only the newcomer's records."""
    with OtherOwner(world, "sleeper") as sleeper:
        sleeper.expect("joined")
        sleeper.stop()
        newcomer = world.owner("newcomer")
        newcomer.transactor.commit([world.out(b"new")], world.at(1), newcomer.source)

        sleeper.resume()
        sleeper.tell("commit")

        sleeper.expect("Fenced")
    assert newcomer.source.committed([world.into()])[world.into()] == Committed(1)
    assert world.produced() == [b"new"]


def test_a_dead_owners_open_transaction_is_ended_by_taking_its_ids(world: World) -> None:
    """Killed within a transaction, an owner blocks the stable offsets until its ids are taken, and no longer."""
    with OtherOwner(world, "dead") as dead:
        dead.expect("joined")
        dead.tell("open")
        dead.expect("opened")
        dead.kill()
    heir = world.owner("heir")
    decided = heir.source.committed([world.into()], stable=False)

    heir.transactor.fence([world.name("dead-0")])
    before = time.monotonic()
    stable = heir.source.committed([world.into()])
    waited_s = time.monotonic() - before

    assert decided == stable == {world.into(): None}
    assert waited_s < TRANSACTION_TIMEOUT_S / 4
    assert world.produced() == []


def _noise(size: int) -> bytes:
    return random.Random(7).randbytes(size)

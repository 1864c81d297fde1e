"""Commits whose network breaks: what is said of them is true, and known within a bound, wherever the cut falls."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator

import pytest

from streamflow.kafka import KafkaLog
from streamflow.kafka.members import WAIT_S as MEMBERS_WAIT_S
from streamflow.ports import Aborted, Committed, LogError, OutcomeUnknown, Unavailable
from streamflow.testing.kafka import KafkaBroker
from tests.integration.kafka.conftest import Member, World
from tests.integration.kafka.proxy import END_TXN, Fate, Proxy

pytestmark = pytest.mark.own_broker

BOUND_S = 25.0
"""Of a commit and what settles it: the transaction's own limit is 10 s, and so is that of taking the ids again."""


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """In front of a broker that sends its clients back through it."""
    with Proxy() as proxy, KafkaBroker(proxied_at=proxy.address) as broker:
        proxy.upstream = broker.behind_proxy
        yield proxy


@pytest.fixture
def far(proxy: Proxy) -> Iterator[World]:
    """A world that has only this network."""
    proxy.fate_of = lambda _: Fate.PASSES
    log = KafkaLog.connect(proxy.address)
    world = World(log)
    yield world
    proxy.fate_of = lambda _: Fate.PASSES
    world.close()
    log.close()


def on_end_of_transaction(fate: Fate, *, number: int = 1, times: int = 1) -> Callable[[int], Fate]:
    """Strikes at so many requests to end a transaction, from this one on."""
    counts = itertools.count(1)

    def fate_of(api_key: int) -> Fate:
        if api_key != END_TXN:
            return Fate.PASSES
        return fate if number <= next(counts) < number + times else Fate.PASSES

    return fate_of


def commit(world: World, owner: Member, number: int) -> LogError | None:
    """One record and the position behind it; what was said of it."""
    try:
        owner.transactor.commit([world.out(b"%d" % number)], world.at(number), owner.source)
    except LogError as error:
        return error
    return None


def happened(world: World, owner: Member, number: int) -> bool:
    """Whether it was committed, as record and as position, which must agree."""
    recorded = b"%d" % number in world.produced()
    position = owner.source.committed([world.into()])[world.into()]
    assert recorded == (position == Committed(number)), (recorded, position)
    return recorded


@pytest.mark.parametrize("fate", [Fate.IS_LOST, Fate.LOSES_ITS_ANSWER])
def test_a_commit_cut_off_at_its_end_is_told_as_it_is(proxy: Proxy, far: World, fate: Fate) -> None:
    """Unknown is always true; known must be right. Either way record and position agree, and the next commit goes."""
    owner = far.owner()
    assert commit(far, owner, 1) is None
    proxy.fate_of, cuts = on_end_of_transaction(fate), proxy.cuts
    began = time.monotonic()

    said = commit(far, owner, 2)
    if said is not None and not isinstance(said, Aborted):
        owner.transactor.reopen()
    took_s = time.monotonic() - began
    did = happened(far, owner, 2)

    assert proxy.cuts == cuts + 1
    assert took_s < BOUND_S
    match said:
        case None:
            assert did
        case Aborted():
            assert not did
        case OutcomeUnknown():
            pass
        case other:
            raise AssertionError(other)
    if fate is Fate.LOSES_ITS_ANSWER:
        assert did, "the broker had ended it"
    assert commit(far, owner, 3) is None
    assert happened(far, owner, 3)


@pytest.mark.parametrize("fate", [Fate.IS_LOST, Fate.LOSES_ITS_ANSWER])
def test_a_cut_is_never_taken_for_a_success_by_any_producer_of_the_ring(
    proxy: Proxy, far: World, fate: Fate
) -> None:
    """Each of the three in turn meets it; afterwards everything is there once, in order."""
    owner = far.owner()
    done: list[int] = []
    number = 0
    for place in range(3):
        proxy.fate_of = on_end_of_transaction(fate, number=place + 1)
        for _ in range(3):
            number += 1
            said = commit(far, owner, number)
            if said is not None and not isinstance(said, Aborted):
                owner.transactor.reopen()
            if happened(far, owner, number):
                done.append(number)

    assert far.produced() == [b"%d" % each for each in done]


def test_a_network_that_is_away_for_seconds_keeps_no_commit_in_doubt_for_ever(
    proxy: Proxy, far: World
) -> None:
    """Down in the middle of a commit: the doubt is settled when it is back, within the bound."""
    owner = far.owner()
    assert commit(far, owner, 1) is None
    strike = on_end_of_transaction(Fate.LOSES_ITS_ANSWER)

    def fate_of(api_key: int) -> Fate:
        fate = strike(api_key)
        if fate is not Fate.PASSES:
            proxy.go_down(3)
        return fate

    proxy.fate_of = fate_of
    began = time.monotonic()

    said = commit(far, owner, 2)
    if said is not None and not isinstance(said, Aborted):
        _settle(owner)
    took_s = time.monotonic() - began
    did = happened(far, owner, 2)

    assert took_s < BOUND_S
    assert said is not None or did
    assert not (isinstance(said, Aborted) and did)
    assert commit(far, owner, 3) is None


def test_members_that_are_asked_for_in_an_outage_end_no_process(proxy: Proxy, far: World) -> None:
    """The library would end it by an assertion when the network is back: a question of it that timed out is then met again."""
    owner = far.owner()
    proxy.go_down(MEMBERS_WAIT_S + 3)

    with pytest.raises(Unavailable, match="Try again"):
        far.log.live_members(far.group)
    deadline = time.monotonic() + BOUND_S
    while (found := _members(far)) is None:
        assert time.monotonic() < deadline, "no answer although the network is back"
        owner.source.poll(500, 50)

    assert found <= {far.name("a")}


def _members(far: World) -> frozenset[str] | None:
    try:
        return far.log.live_members(far.group)
    except Unavailable:
        return None


def _settle(owner: Member) -> None:
    """As a processor does it: again, until the ids are taken."""
    deadline = time.monotonic() + BOUND_S
    while True:
        try:
            owner.transactor.reopen()
            return
        except LogError:
            assert time.monotonic() < deadline, "the ids could not be taken"
            time.sleep(0.1)

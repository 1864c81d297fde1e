"""Smaller parts: who waits for results, the payload gate, what is let in, and what one run's part of a batch becomes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.converter import DataConverter, PayloadCodec
from streamflow.model.commands import ReplyTo, SignalWorkflow
from streamflow.model.events import ActivityScheduled, Event, WorkflowStarted
from streamflow.model.failure import Failure
from streamflow.model.ids import WorkflowId
from streamflow.model.payload import Payload
from streamflow.processor.payloads.codec import CodecFailed, PayloadGate
from streamflow.processor.payloads.recoding import recode
from streamflow.processor.state.waiters import Waiters
from streamflow.wire.header import NO_HASH, entry_hash
from streamflow.wire.keys import EntityKind
from tests import strategies
from tests.unit.coroutine.world import World
from tests.unit.processor.programs import Charge, Counter, Sleeper
from tests.unit.processor.stage import Stage, header_of, payload

W = WorkflowId("w")
INSTANCE = World(Counter).fresh()


def reply(request: str) -> ReplyTo:
    return ReplyTo("replies", 0, request)


# -- waiters ------------------------------------------------------------------------------------------------------------


@given(
    asked=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9).map(str))),
    room=st.integers(1, 5),
)
def test_there_is_room_for_so_many_waiters_and_the_newest_stay(
    asked: list[tuple[str, str]], room: int
) -> None:
    """A request asked again replaces itself, and keeps its place."""
    waiters = Waiters(waiters_max=room)
    expected: dict[str, str] = {}
    for run_id, request in asked:
        waiters.add(run_id, reply(request))
        if expected.get(request) != run_id:
            expected.pop(request, None)
            expected[request] = run_id
        while len(expected) > room:
            del expected[next(iter(expected))]

    assert len(waiters) == len(expected)
    assert [(run, to.request_id) for run, to in waiters.everyone()] == [
        (run, request) for request, run in expected.items()
    ]


def test_who_was_answered_waits_no_more() -> None:
    waiters = Waiters(waiters_max=10)
    waiters.add("run", reply("1"))
    waiters.add("other", reply("2"))

    waiters.forget("run")
    waiters.forget("never heard of")

    assert waiters.of("run") == []
    assert waiters.of("other") == [reply("2")]


# -- the payload gate ---------------------------------------------------------------------------------------------------


class Mirror(PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload({**p.metadata, "mirrored": b"1"}, p.data[::-1]) for p in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload({k: v for k, v in p.metadata.items() if k != "mirrored"}, p.data[::-1])
            for p in payloads
        ]


class Broken(PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        raise ConnectionError("no keys")

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        raise ConnectionError("no keys")


def flip(payloads: list[Payload]) -> list[Payload]:
    return [Payload(p.metadata, p.data[::-1]) for p in payloads]


def carried(value: object) -> list[Payload]:
    """Every payload of the user's in a fact, however deep."""
    match value:
        case Payload():
            return [value]
        case tuple():
            return [p for item in value for p in carried(item)]
        case dict():
            return [p for item in value.values() for p in carried(item)]
        case msgspec.Struct():
            return [
                p
                for name in value.__struct_fields__
                if name != "search_attributes"
                for p in carried(getattr(value, name))
            ]
        case _:
            return []


@given(event=strategies.events)
def test_every_payload_of_an_event_is_recoded_and_nothing_else(event: Event) -> None:
    """Twice gives the event back; what the engine reads itself is left alone."""
    once = recode(event, flip)

    assert carried(once) == flip(carried(event))
    assert recode(once, flip) == event


@given(event=strategies.events)
def test_an_event_of_which_nothing_is_changed_stays_the_same_object(event: Event) -> None:
    assert recode(event, lambda payloads: payloads) is event


@given(failure=strategies.failures)
def test_failures_are_recoded_down_to_their_last_cause(failure: Failure) -> None:
    assert carried(recode(failure, flip)) == flip(carried(failure))


@given(event=strategies.facts(WorkflowStarted) | strategies.facts(ActivityScheduled))
def test_without_a_codec_nothing_is_touched(event: Event) -> None:
    gate = PayloadGate(DataConverter.default)

    assert gate.open
    assert gate.payloads_in(INSTANCE, tuple(carried(event))) == tuple(carried(event))


def test_the_gate_encodes_what_leaves_and_decodes_what_enters() -> None:
    gate = PayloadGate(dataclasses.replace(DataConverter.default, payload_codec=Mirror()))
    try:
        out = gate.payload_out(INSTANCE, payload("secret"))
        assert out.data == payload("secret").data[::-1]
        assert gate.payloads_in(INSTANCE, (out,)) == (payload("secret"),)
    finally:
        gate.close()


def test_a_codec_that_raises_is_known_as_such() -> None:
    gate = PayloadGate(dataclasses.replace(DataConverter.default, payload_codec=Broken()))
    try:
        with pytest.raises(CodecFailed, match="no keys"):
            gate.payload_out(INSTANCE, payload("secret"))
    finally:
        gate.close()


# -- one run's part of a batch ------------------------------------------------------------------------------------------


def test_events_are_numbered_without_gaps_and_chained_over_raw_bytes() -> None:
    """Anyone can check a run's history from the topic alone."""
    stage = Stage([Counter])
    stage.begin("Counter")
    for _ in range(3):
        stage.ask(SignalWorkflow(workflow_id=W, signal_name="add", args=(payload("x"),)))
    events = [record for key, record in stage.entries() if key.kind is EntityKind.EVENT]

    previous = NO_HASH
    for number, record in enumerate(events, 1):
        header = header_of(record)
        assert (header.seq, header.previous_hash) == (number, previous)
        assert record.value is not None
        previous = entry_hash(dict(record.headers)["sf"], record.value)


def test_a_runs_next_due_time_stands_in_each_of_its_entries() -> None:
    """So a restore indexes timers without decoding one event."""
    stage = Stage([Sleeper])
    stage.begin("Sleeper", args=(payload(90),))

    due = {
        header_of(record).due_ms for key, record in stage.entries() if key.kind is EntityKind.EVENT
    }

    assert due == {stage.clock.now_ms() + 90_000}
    assert stage.partition().earliest_due_ms == stage.clock.now_ms() + 90_000


def test_when_one_run_was_due_the_next_is_still_known() -> None:
    """Nothing but the clock brings the later one up."""
    stage = Stage([Sleeper])
    stage.begin("Sleeper", "early", args=(payload(10),))
    stage.begin("Sleeper", "late", args=(payload(90),))

    stage.pass_time(10_000)
    assert stage.kinds("early")[-1] == "WorkflowCompleted"
    stage.pass_time(80_000)

    assert stage.kinds("late")[-1] == "WorkflowCompleted"


def test_what_stands_beside_events_comes_before_them_in_one_step() -> None:
    """Whoever reads up to an event has the attempts that belong to it."""
    stage = Stage([Charge])
    stage.begin("Charge", args=(payload({"queue": "nowhere"}),))

    kinds = [key.kind for key, _ in stage.entries()]

    assert kinds.index(EntityKind.ATTEMPT) < kinds.index(EntityKind.EVENT)
    assert kinds[-1] is EntityKind.POSITION


def test_a_timers_time_that_no_clock_reaches_does_not_stop_anything() -> None:
    """A sleep beyond all integers is the code's mistake, not the partition's."""
    stage = Stage([Sleeper, Counter])

    stage.begin("Sleeper", args=(payload(10**13),))
    stage.begin("Counter", "other")

    assert stage.kinds("other") != []


# -- what is let in -----------------------------------------------------------------------------------------------------


def test_a_clock_that_is_far_behind_the_logs_fires_no_timers() -> None:
    """And leaves readiness, until it has caught up as far as anyone can tell."""
    stage = Stage([Sleeper, Counter])
    stage.begin("Sleeper", args=(payload(5),))
    stage.settle()
    ahead = stage.clock.now_ms()
    stage.clock._now_ms = ahead + 100_000
    stage.send(SignalWorkflow(workflow_id=W, signal_name="x"))  # stamped by a log that is ahead
    stage.clock._now_ms = ahead

    stage.pass_time(20_000)
    assert (stage.processor.ready, "TimerFired" in stage.kinds()) == (False, False)
    stage.pass_time(90_000)

    assert (stage.processor.ready, "TimerFired" in stage.kinds()) == (True, True)


def test_a_checkpoint_says_that_the_store_has_followed_its_log() -> None:
    stage = Stage([Counter])
    stage.begin("Counter")
    stage.pass_time(1_000)
    end = stage.broker.partition(stage.partition().history).end

    assert stage.partition().meta.history_offset == end


def test_timers_fire_in_the_order_of_their_times() -> None:
    """Also those that came due while nobody was there."""
    stage = Stage([Sleeper])
    for seconds in (30, 10, 20):
        stage.begin("Sleeper", f"s{seconds}", args=(payload(seconds),))
    stage.log.crash()
    stage.stores.crash()
    stage.clock.advance(60_000)
    stage.start()
    stage.settle()

    fired = [
        key.workflow_id
        for key, record in stage.entries()
        if key.kind is EntityKind.EVENT and key.number == 4
    ]

    assert fired == ["s10", "s20", "s30"]


def test_a_lost_partition_is_dropped_without_a_word() -> None:
    """Whoever has it now may have committed: nothing of ours goes after that, not even a farewell."""
    stage = Stage([Sleeper])
    stage.begin("Sleeper", args=(payload(90),))
    calls: list[str] = []
    stage.broker.trace = lambda _process, call: calls.append(call)

    stage.processor._owned.on_lost([stage.partition().inbox])

    assert not stage.processor.partitions
    assert calls == []

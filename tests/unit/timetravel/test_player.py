"""Any step of a history is made again, in any order, as the code stood there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamflow import workflow
from streamflow.converter import DataConverter, PayloadCodec
from streamflow.coroutine.instance import alive_count
from streamflow.model.payload import Payload
from streamflow.timetravel import CodeAtHand, Limits, Log, NoCode, Player, Unfinished, View
from streamflow.timetravel.values import Part
from tests.unit.coroutine.world import World, act


@workflow.defn(name="Order")
class Order:
    """Counts its notes, and charges in between."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.paid = False

    @workflow.run
    async def run(self, item: str) -> str:
        total = {"items": 1}
        receipt: str = await act("charge", item)
        self.paid = True
        total["items"] += 1
        await workflow.wait_condition(lambda: len(self.notes) >= 3)
        return receipt

    @workflow.signal
    async def note(self, text: str) -> None:
        self.notes.append(text)
        await workflow.sleep(60)


def recorded() -> World:
    world = World(Order, "pizza")
    world.step()
    world.signal("note", "a").step()
    world.complete(1, "paid").step()
    world.signal("note", "b").step()
    world.fire(2).step()
    world.signal("note", "c").step()
    assert world.result == "paid"
    return world


@pytest.fixture(scope="module")
def world() -> World:
    return recorded()


def code_of(*classes: type, **options: Any) -> CodeAtHand:
    return CodeAtHand.of_worker(classes, namespace="default", **options)


def player_of(world: World, *classes: type, **limits: Any) -> Player:
    log = Log("order-1", "run-1", world.history)
    return Player(log, code_of(*(classes or (Order,))), limits=Limits(**limits))


@pytest.fixture
def player(world: World) -> Iterator[Player]:
    with closing(player_of(world)) as made:
        yield made


def texts(parts: tuple[Part, ...]) -> dict[str, str]:
    return {part.name: part.value.text for part in parts}


def changes(parts: tuple[Part, ...]) -> dict[str, str]:
    return {part.name: part.change for part in parts if part.change}


def test_a_step_shows_fields_variables_and_the_line_that_waits(player: Player) -> None:
    """As they were after that step, however far the run went on."""
    view = player.view(3)

    assert view.trouble is None
    assert view.state is not None
    assert texts(view.state.fields) == {"notes": "['a']", "paid": "True"}
    main, handler = view.state.tasks
    assert (main.kind, handler.kind) == ("run", "signal")
    frame = main.frames[0]
    assert frame.function == "Order.run"
    assert texts(frame.variables) == {
        "self": "the workflow",
        "item": "'pizza'",
        "total": "{'items': 2}",
        "receipt": "'paid'",
    }
    assert [line.text.strip() for line in frame.source.lines if line.waits] == [
        "await workflow.wait_condition(lambda: len(self.notes) >= 3)"
    ]
    assert "the condition of line" in main.waits_for
    assert handler.waits_for == "timer 2 of 60000 ms"


def test_what_the_step_changed_is_marked(player: Player) -> None:
    """Against the step before: fields, variables, and tasks that are new or wait elsewhere now."""
    state = player.view(3).state
    assert state is not None

    assert changes(state.fields) == {"paid": "changed"}
    assert changes(state.tasks[0].frames[0].variables) == {"total": "inside", "receipt": "new"}
    assert [task.has_moved for task in state.tasks] == [True, False]
    before = player.view(2).state
    assert before is not None
    assert [task.is_new for task in before.tasks] == [False, True]
    fired = player.view(5).state
    assert fired is not None
    assert fired.ended_tasks == ("signal note",)


def test_the_last_step_has_the_fields_and_says_that_the_code_ended(player: Player) -> None:
    state = player.view(6).state

    assert state is not None
    assert state.has_ended
    assert texts(state.fields)["notes"] == "['a', 'b', 'c']"


def walked(world: World) -> list[View]:
    with closing(player_of(world)) as player:
        return [player.view(number) for number in range(1, player.steps + 1)]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=8), st.integers(1, 4), st.integers(2, 6))
def test_steps_are_the_same_in_whatever_order_they_are_asked_for(
    asked: list[int], players: int, states: int
) -> None:
    """However few coroutines and states are kept."""
    world = recorded()
    expected = walked(world)
    before = alive_count()
    with closing(player_of(world, players_kept=players, states_kept=states, window=1)) as player:
        for number in asked:
            assert player.view(number) == expected[number - 1]
            assert alive_count() - before <= players

    assert alive_count() == before


def test_going_back_replays_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The states of the steps just before are kept."""
    with closing(player_of(world)) as player:
        last = player.view(6)
        monkeypatch.setattr(player, "_step", None)

        for number in (5, 4, 3, 2, 1):
            assert player.view(number).number == number
        assert player.view(6) == last


@workflow.defn(name="Order")
class Changed(Order):
    """Charges by another activity once it was noted something: it leaves the history in step 3."""

    @workflow.run
    async def run(self, item: str) -> str:
        receipt = await act("charge", item)
        other = "gift"
        await act("wrap", other)
        return str(receipt)


def test_changed_code_is_shown_up_to_where_it_leaves_the_history(world: World) -> None:
    """There with both sides and where the code went instead; later steps name that one."""
    with closing(player_of(world, Changed)) as player:
        fits, leaves, later = player.view(2), player.view(3), player.view(6)

    assert fits.trouble is None
    trouble = leaves.trouble
    assert trouble is not None
    assert (trouble.step, trouble.kind, trouble.at) == (3, "nondeterminism", 0)
    assert trouble.expected == ()
    assert [one.partition(" at ")[0] for one in trouble.found] == [
        "ScheduleActivity 'wrap' (operation 3)"
    ]
    assert leaves.state is not None
    assert texts(leaves.state.tasks[0].frames[-1].variables)["other"] == "'gift'"
    assert changes(leaves.state.tasks[0].frames[-1].variables) == {"receipt": "new", "other": "new"}
    assert (later.trouble, later.state) == (trouble, None)


def test_it_is_the_same_when_a_later_step_is_asked_for_first(world: World) -> None:
    with closing(player_of(world, Changed)) as one, closing(player_of(world, Changed)) as other:
        other.view(6)

        assert other.view(3) == one.view(3)
        assert other.view(2) == one.view(2)


class Unspeakable(Exception):
    """Cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError


@workflow.defn(name="Order")
class Raises(Order):
    @workflow.run
    async def run(self, item: str) -> str:
        await act("charge", item)
        price = 3
        raise KeyError(f"no price {price}")


@workflow.defn(name="Order")
class Spins(Order):
    @workflow.run
    async def run(self, item: str) -> str:
        await act("charge", item)
        while True:
            pass


def test_code_that_raises_shows_what_and_its_variables_there(world: World) -> None:
    """With the frames that the exception went through."""
    with closing(player_of(world, Raises)) as player:
        view = player.view(3)

    assert view.trouble is not None
    assert (view.trouble.kind, view.trouble.message) == ("raised", "KeyError: 'no price 3'")
    frame = view.trouble.raised_at[0]
    assert (frame.function, texts(frame.variables)["price"]) == ("Raises.run", "3")
    assert any("raise KeyError" in line.text for line in frame.source.lines if line.waits)


def test_a_step_that_never_ends_is_ended(world: World) -> None:
    """The steps before it are there all the same."""
    with closing(player_of(world, Spins, seconds=0.1, step_seconds=0.2)) as player:
        view = player.view(3)

        assert view.trouble is not None
        assert (view.trouble.kind, view.trouble.step) == ("limit", 3)
        assert "didn't yield" in view.trouble.message
        assert player.view(2).trouble is None


def test_a_replay_that_takes_too_long_goes_on_when_asked_again(world: World) -> None:
    """What was reached is not lost."""
    with closing(player_of(world, seconds=0)) as player:
        reached: list[int] = []
        for _ in range(10):
            try:
                view = player.view(6)
                break
            except Unfinished as error:
                reached.append(error.reached)
        else:
            raise AssertionError(reached)

    assert reached == [1, 2, 3, 4, 5]
    assert view.state is not None


def test_code_that_is_not_at_hand_says_what_is(world: World) -> None:
    @workflow.defn
    class Other:
        @workflow.run
        async def run(self) -> None: ...

    with pytest.raises(NoCode, match="'Order' in this process, found Other"):
        player_of(world, Other)


def test_a_log_that_is_read_on_goes_on(world: World) -> None:
    """Steps that were made stay; what was read twice is no matter."""
    log = Log("order-1", "run-1", world.history[:6])
    with closing(Player(log, code_of(Order))) as player:
        first = player.view(2)
        log.extend(world.history[3:])

        assert player.view(2) == first
        assert player.view(6).state == walked(world)[5].state


def test_what_waits_for_the_code_comes_after_the_last_step() -> None:
    """Inputs that no step consumed."""
    world = World(Order, "pizza")
    world.step()
    world.signal("note", "late")
    log = Log("order-1", "run-1", world.history)

    assert [type(one.event).__name__ for one in log.events_after(1)] == ["SignalReceived"]


def test_what_waits_is_attempted_and_nothing_comes_of_it() -> None:
    """The step that the history does not have: what the code asks for, and where it would stand."""
    world = World(Order, "pizza")
    world.step()
    world.signal("note", "late")
    with closing(player_of(world)) as player:
        tried = player.attempt()
        again = player.attempt()
        recorded = player.view(1)

    assert tried.number == 2
    assert tried.trouble is None
    assert [one.partition(" at ")[0] for one in tried.asked] == ["StartTimer (operation 2)"]
    assert tried.state is not None
    assert changes(tried.state.fields) == {"notes": "changed"}
    assert again == tried
    assert recorded.state is not None
    assert texts(recorded.state.fields)["notes"] == "[]"


def test_the_attempt_of_a_stuck_run_shows_why() -> None:
    """Also in its very first step, of which a history has nothing."""

    @workflow.defn(name="Order")
    class Stuck:
        @workflow.run
        async def run(self, item: str) -> None:
            colours = {"red": 1}
            colours[item]

    world = World(Order, "pizza")
    with closing(player_of(world, Stuck)) as player:
        tried = player.attempt()

    assert tried.trouble is not None
    assert (tried.number, tried.trouble.step, tried.trouble.message) == (1, 1, "KeyError: 'pizza'")
    assert texts(tried.trouble.raised_at[0].variables)["colours"] == "{'red': 1}"


def test_nothing_waits_for_a_run_that_has_ended(world: World) -> None:
    assert Log("order-1", "run-1", world.history).waiting() == ()


class Reversing(PayloadCodec):
    """Stands for an encryption."""

    async def encode(self, payloads: Any) -> list[Payload]:
        return [Payload({**one.metadata, "reversed": b"1"}, one.data[::-1]) for one in payloads]

    async def decode(self, payloads: Any) -> list[Payload]:
        return [
            Payload({"encoding": one.metadata["encoding"]}, one.data[::-1])
            if "reversed" in one.metadata
            else one
            for one in payloads
        ]


def test_payloads_are_decoded_by_the_codec_of_the_app() -> None:
    """What variables hold is what the code had in hand, not what the log has."""
    codec = Reversing()
    world = World(Order, "plain")
    world.step()
    first = world.history[0]
    args = tuple(asyncio.run(codec.encode(first.event.args)))  # type: ignore[union-attr]
    world.history[0] = msgspec.structs.replace(
        first, event=msgspec.structs.replace(first.event, args=args)
    )
    code = code_of(Order, data_converter=DataConverter(payload_codec=codec))
    with closing(Player(Log("order-1", "run-1", world.history), code)) as player:
        state = player.view(1).state

    assert state is not None
    assert texts(state.tasks[0].frames[-1].variables)["item"] == "'plain'"


# -- what tasks wait for -------------------------------------------------------------------------------------------


@workflow.defn(name="Waits")
class Waits:
    """Each of its tasks waits for something else."""

    @workflow.run
    async def run(self) -> None:
        gathering = asyncio.create_task(self.gather(), name="gathering")
        iterating = asyncio.create_task(self.iterate(), name="iterating")
        child = await workflow.start_child_workflow("Child", id="child")
        await child
        await gathering
        await iterating

    async def gather(self) -> None:
        await asyncio.gather(act("one"), act("two"))

    async def iterate(self) -> None:
        async for number in self.numbers():
            assert number

    async def numbers(self) -> AsyncIterator[int]:
        inside = 41
        await workflow.sleep(timedelta(hours=1))
        yield inside + 1


def test_each_task_says_what_it_waits_for() -> None:
    """Through gathers, tasks, and async generators, whose frames are there as well."""
    world = World(Waits)
    world.step()
    with closing(player_of(world, Waits)) as player:
        state = player.view(1).state
    assert state is not None

    waits = {task.name: task.waits_for for task in state.tasks}
    assert waits["Task-1"].startswith("child workflow 'Child'")
    assert waits["gathering"] == "2 of 2 that were gathered"
    assert waits["iterating"].startswith("timer ")
    iterating = next(task for task in state.tasks if task.name == "iterating")
    assert [frame.function for frame in iterating.frames] == ["Waits.numbers", "Waits.iterate"]
    assert texts(iterating.frames[0].variables)["inside"] == "41"
    assert any("activity 'one'" in text for text in waits.values())

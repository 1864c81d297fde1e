"""Each small program runs as it stands, and gives what its text promises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from examples import hello, patterns
from examples.hello import (
    activities,
    changing_code,
    children,
    completion_elsewhere,
    continuing,
    failures,
    heartbeats,
    local_activities,
    messages,
    retries,
)
from examples.patterns import (
    context_propagation,
    custom_converter,
    event_stream,
    human_in_the_loop,
    nightly_report,
    polling,
    replay_in_ci,
    resource_pool,
    safe_handlers,
    saga_booking,
    shopping_cart,
    sleeping_for_days,
    sliding_window,
    updatable_timer,
)
from streamflow.client import Client
from tests.examples.stage import Stage

pytestmark = pytest.mark.asyncio

Program = Callable[[Client], Awaitable[object]]

PROMISES: dict[Program, object] = {
    activities.main: ["Hello, Ada!", "Hello at last, Ada!", "Farewell, Ada."],
    changing_code.main: ["letter to Ada", "mail to Bob"],
    children.main: ["chapter 1", "chapter 2", "chapter 3"],
    completion_elsewhere.main: "You may.",
    continuing.main: "25 in the run after True",
    failures.main: [
        "WorkflowFailureError",
        "ActivityError",
        "ApplicationError",
        "CardDeclined: The card was declined {'card': '1234'}",
    ],
    heartbeats.main: ["10 parts", "CancelledError"],
    local_activities.main: 2000,
    messages.main: ["0 -> 3", 3, "ValueError: Expected a floor from 0 to 5, found 17", 3],
    retries.main: ["done at attempt 3", "given up: Refused: This will never work"],
    context_propagation.main: ["Ada", "Ada"],
    custom_converter.main: custom_converter.Money(1375, "EUR"),
    event_stream.main: [
        "0 baking",
        "1 progress 1",
        "2 progress 2",
        "3 progress 3",
        "4 status ready",
    ],
    nightly_report.main: ["Holidays", 1],
    replay_in_ci.main: [None, "NondeterminismError"],
    saga_booking.main: [
        ["to-rome/car", "to-rome/hotel", "to-rome/flight"],
        "NoSuchDestination: Nobody flies there",
        ["to-rome/car", "to-rome/flight", "to-rome/hotel"],
    ],
    sliding_window.main: 17,
}


@pytest.mark.parametrize(
    "program", PROMISES, ids=lambda program: program.__module__.removeprefix("examples.")
)
async def test_a_program_keeps_its_promise(stage: Stage, program: Program) -> None:
    """Run as a whole, workers and all, it returns this."""
    assert await program(stage.client) == PROMISES[program]


async def test_reminders_end_when_told_to(stage: Stage) -> None:
    """Told at once, it had sent one."""
    assert await sleeping_for_days.main(stage.client) == 1


async def test_polls_go_on_until_the_report_is_ready(stage: Stage) -> None:
    """The fourth question found it ready; the next poller asks once."""
    assert await polling.main(stage.client, timedelta(milliseconds=10)) == [4, 5]


async def test_handlers_take_turns(stage: Stage) -> None:
    """Three jobs have six nodes between them, none twice; two came back."""
    cluster = await safe_handlers.main(stage.client)

    taken = [node for nodes in cluster.jobs.values() for node in nodes]
    assert sorted(cluster.jobs) == ["job-0", "job-2"]
    assert sorted(taken + cluster.free) == [f"node-{n}" for n in range(6)]


async def test_a_timer_ends_when_it_was_moved_to(stage: Stage) -> None:
    """Moved to an earlier time, it does not sleep until the first one."""
    now = await stage.environment.get_current_time()
    hour, short = timedelta(hours=1), timedelta(milliseconds=50)

    assert not await updatable_timer.main(stage.client, now, hour, short)


async def test_a_pool_lends_each_resource_to_one_at_a_time(stage: Stage) -> None:
    """Five borrowers had one of two resources each."""
    had = await resource_pool.main(stage.client)

    assert len(had) == 5
    assert set(had) == {"red", "blue"}


async def test_an_expense_goes_up_until_somebody_answers(stage: Stage) -> None:
    """The team lead let it lie; the director approved."""
    answer = await human_in_the_loop.main(stage.client)

    assert answer == human_in_the_loop.Answer("director", approved=True)


async def test_the_first_item_makes_the_cart(stage: Stage) -> None:
    """Three additions, each with a start, filled one cart."""
    assert await shopping_cart.main(stage.client) == "3 items for ada@example.com"


async def test_every_program_is_tested() -> None:
    """A program that nobody runs is not an example."""
    folders = [hello, patterns]
    programs = {
        f"{folder.__name__}.{path.stem}"
        for folder in folders
        for path in Path(folder.__file__ or "").parent.glob("[a-z]*.py")
    }
    tested = {program.__module__ for program in PROMISES} | {
        module.__name__
        for module in (
            human_in_the_loop,
            polling,
            resource_pool,
            safe_handlers,
            shopping_cart,
            sleeping_for_days,
            updatable_timer,
        )
    }

    assert programs == tested

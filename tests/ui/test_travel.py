"""Time travel over HTTP: each step with its events, its lines and its values; and what is said where there are none."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest

from streamflow import workflow
from streamflow.client.history import file as history_file
from streamflow.gateway import Gateway
from streamflow.model.events import Activated, History
from streamflow.timetravel import CodeAtHand, Travels
from streamflow.ui import replay_routes, ui_routes
from tests.ui.shop import Parcel, app
from tests.ui.stage import Stage
from tests.ui.test_run import text_of

pytestmark = pytest.mark.asyncio


async def step(stage: Stage, id: str, number: int | str = "") -> str:
    answer = await stage.get("workflow", id=id, view="travel", step=str(number))
    assert answer.status_code == 200
    return html.unescape(re.sub(r"\s+", " ", answer.text))


async def test_each_step_shows_its_events_its_line_and_its_values(stage: Stage) -> None:
    """What came in, what the code asked for, where it waits then, and what it holds."""
    await stage.waiting("w")

    first, second = await step(stage, "w", 1), await step(stage, "w", 2)

    assert "Step 1 of 2" in first
    assert "workflow_started" in first
    assert "activity_scheduled</span> pack" in first
    assert "waits for activity 'pack' (1)" in first
    assert "Parcel(to='Ada', grams=100)" in first
    assert "packed 100 g for Ada" not in first.partition('id="travel-step"')[2]
    assert "activity_completed</span> pack" in second
    assert "timer_started</span> until handed over" in second
    assert 'waits"><span class="number" aria-hidden="true">59' in second
    assert re.search(
        r"data-change=\"new\".{0,80}packed</span> <code>'packed 100 g for Ada'", second
    )


async def test_the_latest_step_is_shown_and_followed_unless_one_is_chosen(stage: Stage) -> None:
    """An address without a step means the latest, one with a step that one."""
    await stage.waiting("w")

    assert "data-follow" in await step(stage, "w")
    assert "Step 2 of 2" in await step(stage, "w")
    assert "data-follow" not in await step(stage, "w", 2)
    assert "Step 2 of 2" in await step(stage, "w", 99)


async def test_a_step_that_is_no_number_is_refused(stage: Stage) -> None:
    await stage.waiting("w")

    answer = await stage.get("workflow", id="w", view="travel", step="-1")

    assert answer.status_code == 400
    assert "Expected step to be a number" in answer.text


async def test_a_stuck_run_shows_the_step_that_it_is_stuck_in(stage: Stage) -> None:
    """Which no history has: it is attempted, with the exception and the variables there."""
    await stage.stuck("s", "no such colour")

    said = await step(stage, "s")

    assert "Step 1 of 1" in said
    assert "Not recorded." in said
    assert "Today's code raises an exception here" in said
    assert "KeyError: 'no such colour'" in said
    assert "text</span> <code>'no such colour'" in said
    assert 'waits"' in said
    assert "raise KeyError(text)" in said


@asynccontextmanager
async def served(stage: Stage, **options: object) -> AsyncIterator[httpx.AsyncClient]:
    """The same workflows behind other pages."""
    client = stage.client
    routes = ui_routes({client.namespace: client}, **options)  # type: ignore[arg-type]  # as the caller has it
    async with (
        Gateway({client.namespace: client.transport}, extra_routes=routes) as gateway,
        httpx.AsyncClient(base_url=gateway.url, timeout=30) as http,
    ):
        yield http


TRAVEL = "/ui/default/workflow?id=w&view=travel"


async def test_pages_without_code_say_what_to_do(stage: Stage) -> None:
    """A gateway has no workflow code."""
    await stage.waiting("w")
    async with served(stage) as http:
        said = html.unescape((await http.get(TRAVEL)).text)

    assert "streamflow replay FILE MODULE:APP --web" in said
    assert "Expected workflow code behind these pages, found none" in said


async def test_who_may_not_see_what_code_holds_does_not(stage: Stage) -> None:
    """The hook of whoever gives out roles."""
    await stage.waiting("w")
    travels = Travels([app.code()])
    async with served(stage, travels=travels, may_travel=lambda _visit: False) as http:
        said = (await http.get(TRAVEL)).text
    await travels.close()

    assert "Expected a role that may see what the code holds" in said
    assert "handed_over" not in said


@workflow.defn(name="Other")
class Other:
    @workflow.run
    async def run(self, parcel: Parcel) -> str:
        return "changed"


@workflow.defn(name="Ship")
class Changed:
    """Another Ship than the one that ran."""

    def __init__(self) -> None:
        self.colour = "red"

    @workflow.run
    async def run(self, parcel: Parcel) -> str:
        await workflow.sleep(1)
        return "changed"

    @workflow.signal
    def hand_over(self) -> None: ...


async def test_code_of_other_types_alone_shows_the_events_and_says_so(stage: Stage) -> None:
    """The history is there; what the code held is not."""
    await stage.waiting("w")
    travels = Travels([CodeAtHand.of_worker([Other], namespace="default")])
    async with served(stage, travels=travels) as http:
        said = html.unescape((await http.get(TRAVEL)).text)
    await travels.close()

    assert "Expected the code of workflow type 'Ship' in this process, found Other" in said
    assert "timer_started" in said


async def test_changed_code_shows_both_sides(stage: Stage) -> None:
    """Where it leaves the history: what that says, what today's code asks for, and where it went instead."""
    await stage.waiting("w")
    travels = Travels([CodeAtHand.of_worker([Changed], namespace="default")])
    async with served(stage, travels=travels) as http:
        first = html.unescape((await http.get(f"{TRAVEL}&step=1")).text)
        second = html.unescape((await http.get(f"{TRAVEL}&step=2")).text)
    await travels.close()

    assert "Today's code does not do what the history says" in first
    sides = re.sub(r"\s+", " ", first.partition('class="pair sides"')[2].partition("</div>")[0])
    assert 'data-change="changed"><span class="type">activity_scheduled</span> pack' in sides
    assert "StartTimer (operation 1) at test_travel.py:" in sides
    assert "'red'" in first
    assert 'step=1">step 1</a>: from there on there is only the history' in second
    assert "activity_completed" in second


async def test_a_downloaded_history_is_stepped_through_without_an_engine(stage: Stage) -> None:
    """The file and the code are enough."""
    handle = await stage.completed("w")
    downloaded = (await stage.get("log", id="w")).text
    history = history_file.from_json(downloaded)
    code = app.code()
    travels = Travels([code])
    async with (
        Gateway({}, extra_routes=replay_routes(history, code, travels)) as gateway,
        httpx.AsyncClient(base_url=gateway.url) as http,
    ):
        last, second = (await http.get("/")).text, (await http.get("/?step=2")).text
        wrong, nothing = await http.get("/?step=x"), await http.get("/nothing")
    await travels.close()

    assert str(handle.result_run_id) in last
    assert "Step 3 of 3" in last
    assert "The code has ended" in last
    assert "Step 2 of 3" in second
    assert "self.handed_over" in second
    assert (wrong.status_code, nothing.status_code) == (400, 404)


async def test_each_step_says_which_version_made_it(stage: Stage) -> None:
    """Of a run that was handed from one version to the next; and that the code looked at is a third one."""
    await stage.completed("w")
    whole = history_file.from_json((await stage.get("log", id="w")).text)
    builds = iter(("blue", "green", "green"))
    events = [
        msgspec.structs.replace(
            one, event=msgspec.structs.replace(one.event, build_id=next(builds))
        )
        if isinstance(one.event, Activated)
        else one
        for one in whole.events
    ]
    history = History(workflow_id=whole.workflow_id, run_id=whole.run_id, events=tuple(events))

    async def seen(step: int, build: str = "") -> str:
        options = {"build_id": build} if build else {}
        code = CodeAtHand.of_worker(app.workflows, namespace="default", options=options)
        travels = Travels([code])
        async with (
            Gateway({}, extra_routes=replay_routes(history, code, travels)) as gateway,
            httpx.AsyncClient(base_url=gateway.url) as http,
        ):
            page = (await http.get(f"/?step={step}")).text
        await travels.close()
        said = re.search(r'<p class="note versions">(.*?)</p>', page, re.DOTALL)
        assert said is not None, page
        return text_of(said[1])

    first, last = await seen(1, "blue"), await seen(3, "red")
    assert first == "This step was made by version blue of the code."
    assert last.startswith("This step was made by version green of the code.")
    assert "What is shown of it here is run by another, version red ." in last
    assert "Up to here: blue ( step 1 ), green ( steps 2 to 3 )" in last
    assert "run by another, which has no version." in await seen(2)


async def test_without_versions_no_step_speaks_of_one(stage: Stage) -> None:
    await stage.waiting("w")

    assert "note versions" not in await step(stage, "w", 1)


async def test_a_history_without_a_step_is_attempted(stage: Stage) -> None:
    """Of one that was downloaded before its code ran, there is what the code would do."""
    await stage.waiting("w")
    whole = history_file.from_json((await stage.get("log", id="w")).text)
    begun = History(workflow_id=whole.workflow_id, run_id=whole.run_id, events=whole.events[:1])
    code = app.code()
    travels = Travels([code])
    async with (
        Gateway({}, extra_routes=replay_routes(begun, code, travels)) as gateway,
        httpx.AsyncClient(base_url=gateway.url) as http,
    ):
        page = html.unescape((await http.get("/")).text)
    await travels.close()

    assert "Not recorded." in page
    assert "ScheduleActivity 'pack' (operation 1) at shop.py:" in page

"""The page of a run over HTTP: what it is doing and why, in each of its views."""

from __future__ import annotations

import asyncio
import html
import re

import httpx
import pytest

from streamflow.client import WorkflowHistory
from streamflow.ui.history import LATEST_MAX
from streamflow.ui.tabs import LINES_MAX
from streamflow.worker import Replayer
from tests.ui.shop import QUEUE, Echo, Family, Parcel, app
from tests.ui.stage import Stage, until

pytestmark = pytest.mark.asyncio


def text_of(page: str) -> str:
    """What a person reads: the words of the page without its tags, with single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


async def test_the_head_says_what_it_waits_for(stage: Stage) -> None:
    """Status, type, arguments, current step and start are at the top; there is no result yet."""
    await stage.waiting("w")

    page = await stage.get("workflow", id="w")

    said = text_of(page.text)
    assert page.status_code == 200
    assert "w Running" in said
    assert "Waits for until handed over (" in said
    assert '"to": "Ada"' in said
    assert "It has not ended." in said
    assert "hx-trigger" in page.text


async def test_a_run_that_completed_has_its_result_and_stays_as_it_is(stage: Stage) -> None:
    """A closed run's page asks for nothing more, and offers nothing that only open runs take."""
    await stage.completed("w")

    page = (await stage.get("workflow", id="w")).text

    assert "packed 100 g for Ada" in text_of(page)
    assert "hx-trigger" not in page
    assert "do=terminate" not in page
    assert "do=reset" in page


async def test_a_failed_run_says_why_down_to_the_root(stage: Stage) -> None:
    """The whole chain of causes is there."""
    await stage.failed("w", "out of boxes")

    said = text_of((await stage.get("workflow", id="w")).text)

    assert "Failure refuse" in said
    assert "Caused by" in said
    assert "out of boxes" in said


async def test_a_stuck_run_says_what_its_code_raised_and_what_to_do(stage: Stage) -> None:
    """Message, advice, and the stack where it was raised."""
    await stage.stuck("w", "no such colour")

    said = text_of((await stage.get("workflow", id="w")).text)

    assert "w Stuck" in said
    assert "KeyError: 'no such colour'" in said
    assert "Fix the code and deploy" in said
    assert "raise KeyError(text)" in said


async def test_a_retried_activity_is_at_the_top_with_its_error(stage: Stage) -> None:
    """And under Pending with everything that is known of it."""
    await stage.retrying("w")

    head = text_of((await stage.get("workflow", id="w")).text)
    pending = text_of((await stage.get("workflow", id="w", view="pending")).text)

    assert "w Retrying" in head
    assert "weigh ScaleBroken: The scale is broken Attempt 2 in 59 m" in head
    assert "Pending 1" in pending
    assert "Backing off" in pending
    assert "on the scale" in pending
    assert re.search(r"Next attempt in 59 m \d+ s", pending)
    assert re.search(
        r"Attempts that failed [^.]*\. Attempt Failed, UTC With Worker 1 [-\d]+ [:\d]+ ScaleBroken: The scale is broken \S",
        pending,
    )


async def test_the_history_has_one_row_for_each_step(stage: Stage) -> None:
    """However many events a step took; with arguments, result, place in the code and how it ended."""
    handle = await stage.waiting("w")
    await handle.signal("note", "fragile")
    await handle.execute_update("rename", "Bo")
    await handle.signal("hand_over")
    await handle.result()

    page = (await stage.get("workflow", id="w")).text

    steps = [text_of(found) for found in re.findall(r"<summary>(.*?)</summary>", page, re.DOTALL)]
    kinds = [step.split()[0] for step in steps]
    assert kinds == ["start", "activity", "timer", "signal", "update", "signal", "end"]
    assert "pack into a box Completed" in steps[1]
    assert "until handed over Canceled" in steps[2]
    assert '"now to Bo"' in text_of(page)
    assert "shop" in page


async def test_steps_are_found_by_what_they_say(stage: Stage) -> None:
    """A name, a value or an error; and those with a failure alone."""
    handle = await stage.waiting("w")
    await handle.signal("note", "fragile")
    await stage.failed("broken", "out of boxes")

    def steps(page: str) -> list[str]:
        return [
            text_of(found) for found in re.findall(r"<summary>(.*?)</summary>", page, re.DOTALL)
        ]

    by_value = steps((await stage.get("workflow", id="w", find="FRAGILE")).text)
    by_kind = steps((await stage.get("workflow", id="w", find="timer")).text)
    nothing = await stage.get("workflow", id="w", find="<nothing>")
    failed = steps((await stage.get("workflow", id="broken", only="failed")).text)

    assert [step.split()[:2] for step in by_value] == [["signal", "note"]]
    assert [step.split()[0] for step in by_kind] == ["timer"]
    assert "None of the 4 steps is found." in text_of(nothing.text)
    assert [step.split()[0] for step in failed if "Stack" not in step] == ["activity", "end"]


async def test_a_long_history_opens_at_its_end(stage: Stage) -> None:
    """The latest steps of the latest events, with where to find the others; any page of its events is at hand."""
    handle = await stage.waiting("w")
    for _ in range(3):
        await asyncio.gather(*(handle.signal("note", f"note {n}") for n in range(1_000)))
    await handle.signal("note", "the last one")
    length = (await handle.describe()).history_length

    page = (await stage.get("workflow", id="w")).text
    final = (await stage.get("workflow", id="w", view="events", after=str(length - 2))).text

    steps = re.findall(r'<details id="step-(\d+)"', page)
    assert len(steps) == LINES_MAX
    assert "the last one" in page
    assert "The latest 200 of" in text_of(page)
    assert f"{length - LATEST_MAX:,}".replace(",", " ") + " events before these" in text_of(page)
    assert re.findall(r'<tr id="event-(\d+)"', final) == [str(length - 1), str(length)]


async def test_children_and_parents_lead_to_each_other(stage: Stage) -> None:
    """The parent's page has its open child, the child's its parent."""
    family = await stage.client.start_workflow(Family.run, Parcel("Kid"), id="f", task_queue=QUEUE)
    await until(
        family.describe, lambda found: any(child.run_id for child in found.pending_children)
    )

    parent = (await stage.get("workflow", id="f")).text
    found = re.search(r'<dt>Open children</dt><dd><a class="id" href="([^"]*)">f/child</a>', parent)
    assert found is not None
    child = (await stage.http.get(html.unescape(found[1]))).text

    back = re.search(r'<dt>Parent</dt><dd><a class="id" href="([^"]*)">f</a>', child)
    assert back is not None
    assert (await stage.http.get(html.unescape(back[1]))).status_code == 200


async def test_the_timeline_is_drawn_to_scale(stage: Stage) -> None:
    """One row for each step, told in words to those who do not see it; a pending timer goes on to now."""
    handle = await stage.waiting("w")
    await handle.signal("note", "fragile")

    page = (await stage.get("workflow", id="w", view="timeline")).text

    told = [
        html.unescape(label) for label in re.findall(r'role="listitem" aria-label="([^"]*)"', page)
    ]
    assert [label.split(":")[0] for label in told] == [
        "start Ship",
        "activity pack",
        "timer until handed over",
        "signal note",
    ]
    assert "due at" in told[2]
    bars = re.findall(r'class="length" x="([\d.]+)"[^>]*width="([\d.]+)"', page)
    (activity, took), (timer, waits) = [(float(x), float(width)) for x, width in bars]
    assert took > 0
    # Told in tenths.
    assert activity + took == pytest.approx(timer, abs=0.1) or activity + took < timer
    assert timer + waits == pytest.approx(976, abs=4)
    assert "style=" not in page


async def test_events_are_shown_page_by_page(stage: Stage) -> None:
    """Every event is on one page, in order."""
    handle = await stage.waiting("w")
    for number in range(60):
        await handle.signal("note", f"note {number}")
    length = (await handle.describe()).history_length
    assert length > 100

    seen: list[int] = []
    address: str | None = stage.address("workflow", id="w", view="events")
    while address is not None:
        page = (await stage.http.get(address)).text
        seen += [int(seq) for seq in re.findall(r'<tr id="event-(\d+)"', page)]
        following = re.search(r'rel="next" href="([^"]*)"', page)
        address = html.unescape(following[1]) if following else None

    assert seen == list(range(1, length + 1))


async def test_a_query_is_asked_by_its_address(stage: Stage) -> None:
    """The code's queries are listed; one with arguments is given them; what the code raises is shown."""
    handle = await stage.waiting("w")
    await handle.signal("note", "fragile")

    every = (await stage.get("workflow", id="w", view="queries", query="remarks")).text
    one = (await stage.get("workflow", id="w", view="queries", query="remark", args="0")).text
    beyond = (await stage.get("workflow", id="w", view="queries", query="remark", args="7")).text
    unreadable = (
        await stage.get("workflow", id="w", view="queries", query="remark", args="x")
    ).text

    assert 'name="query" value="remarks"' in every
    assert "__stack_trace" not in every
    assert '[ "fragile" ]' in text_of(every)
    assert 'role="status">' in one
    assert '"fragile"' in text_of(one)
    assert "list index out of range" in text_of(beyond)
    assert "Expected a JSON value on each line" in text_of(unreadable)


async def test_the_stack_shows_where_the_code_waits(stage: Stage) -> None:
    """The line of the workflow's code, as long as the run is open."""
    handle = await stage.waiting("w")

    waiting = text_of((await stage.get("workflow", id="w", view="stack")).text)
    await handle.terminate()
    over = text_of((await stage.get("workflow", id="w", view="stack")).text)

    assert "await workflow.wait_condition(" in waiting
    assert "The run has ended" in over


async def test_the_log_is_downloaded_and_replayed(stage: Stage) -> None:
    """The file is a history that the code can be run on elsewhere."""
    await stage.completed("w")

    answer = await stage.get("log", id="w")

    assert answer.headers["content-disposition"].startswith("attachment;")
    history = WorkflowHistory.from_json("w", answer.text)
    replayed = await Replayer(workflows=app.workflows).replay_workflow(history)
    assert replayed.replay_failure is None


async def test_long_values_are_cut(stage: Stage) -> None:
    """A page has the beginning of a long value, and says how much is missing."""
    await stage.client.execute_workflow(Echo.run, "x" * 100_000, id="w", task_queue=QUEUE)

    page = (await stage.get("workflow", id="w")).text

    assert len(page) < 40_000
    assert "more characters are in the downloaded log" in page


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"id": "nobody"}, 404),
        ({}, 400),
        ({"id": "w", "view": "nothing"}, 404),
        ({"id": "w", "view": "events", "after": "-1"}, 400),
        ({"id": "w", "run": "no-such-run"}, 404),
    ],
)
async def test_what_is_not_there_is_a_page_that_says_so(
    stage: Stage, parameters: dict[str, str], status: int
) -> None:
    """In words, with a way back."""
    await stage.waiting("w")

    page = await stage.get("workflow", **parameters)

    assert page.status_code == status
    assert "That did not work" in page.text
    assert "All workflows" in page.text


async def test_a_page_that_has_not_changed_is_not_sent_again(stage: Stage) -> None:
    """Whoever names its version gets nothing, until something happens to the run."""
    handle = await stage.waiting("w")

    async def twice() -> tuple[httpx.Response, httpx.Response]:
        first = await stage.get("workflow", id="w")
        address = stage.address("workflow", id="w")
        named = {"if-none-match": first.headers["etag"]}
        return first, await stage.http.get(address, headers=named)

    # Between the two the clock of the page may have ticked.
    first, second = await until(twice, lambda found: found[1].status_code == 304)
    assert second.content == b""
    assert second.headers["etag"] == first.headers["etag"]
    assert f"data-version={first.headers['etag']}" in first.text
    await handle.signal("note", "fragile")
    third = await stage.get("workflow", id="w")
    assert third.headers["etag"] != first.headers["etag"]
    other = await stage.get("workflow", id="w", view="events")
    assert other.headers["etag"] != third.headers["etag"]

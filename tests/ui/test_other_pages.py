"""Schedules, task queues and dead letters over HTTP, on a running engine."""

from __future__ import annotations

import asyncio
import html
import json
import re
from datetime import timedelta

import httpx
import pytest
from playwright.async_api import Page, expect

from streamflow.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
)
from streamflow.client.connecting import log_of
from streamflow.ports import OutRecord, Record
from streamflow.topology import dead_letters_topic, inbox_topic
from streamflow.wire.inbox import dead_letter
from tests.ui.shop import QUEUE, Echo
from tests.ui.stage import Stage, until
from tests.ui.test_run import text_of

pytestmark = pytest.mark.asyncio


async def scheduled(stage: Stage, id: str) -> None:
    action = ScheduleActionStartWorkflow(Echo.run, id, id=f"{id}-run", task_queue=QUEUE)
    spec = ScheduleSpec(
        intervals=[ScheduleIntervalSpec(every=timedelta(hours=2))], cron_expressions=["30 9 * * 1"]
    )
    await stage.client.create_schedule(id, Schedule(action=action, spec=spec))


async def test_schedules_are_listed(stage: Stage) -> None:
    """With what they start, when, and when next; without any, the page says so."""
    empty = await stage.get("schedules")
    await scheduled(stage, "nightly")

    said = text_of((await stage.get("schedules")).text)

    assert "There is no schedule." in empty.text
    assert "Running nightly Echo every 2 h Mon 09:30" in said


async def test_a_schedule_is_paused_goes_on_and_acts_now(stage: Stage) -> None:
    """Each button does what it says, and what was started can be opened."""
    await scheduled(stage, "nightly")

    async def press(do: str) -> str:
        answer = await stage.http.post(stage.address("schedule", id="nightly"), data={"do": do})
        assert answer.status_code == 303, answer.text
        return text_of((await stage.http.get(answer.headers["location"])).text)

    assert "The schedule was paused. Schedules nightly Paused" in await press("pause")
    assert "The schedule goes on. Schedules nightly Running" in await press("unpause")
    assert "The schedule acts now." in await press("trigger")

    async def page() -> str:
        return (await stage.get("schedule", id="nightly")).text

    started = await until(page, lambda text: "nightly-run" in text)
    found = re.search(r'href="([^"]*)">nightly-run[^<]*</a>', started)
    assert found is not None
    assert (await stage.http.get(html.unescape(found[1]))).status_code == 200


async def test_a_schedule_is_deleted(stage: Stage) -> None:
    """It is in no list any more, and its page is not found."""
    await scheduled(stage, "nightly")

    answer = await stage.http.post(stage.address("schedule", id="nightly"), data={"do": "delete"})

    assert answer.headers["location"] == "/ui/default/schedules"

    async def status() -> int:
        return (await stage.get("schedule", id="nightly")).status_code

    await until(status, lambda code: code == 404)


async def test_queues_say_who_serves_them(stage: Stage) -> None:
    """And how many workflows are open there."""
    await stage.waiting("w")

    page = (await stage.get("queues")).text

    row = text_of(page.split("<tbody>")[1].split("</tr>")[0])
    assert row.startswith("Served shop workflows 1 1")
    opened = re.search(r'<td class="end"><a href="([^"]*)">1</a>', page)
    assert opened is not None
    assert ">w</a>" in (await stage.http.get(html.unescape(opened[1]))).text


async def letter(stage: Stage, value: bytes) -> str:
    """The address of the letter that this record of an inbox becomes."""
    log = log_of(stage.client.transport)
    producer = log.producer()
    producer.send(OutRecord(inbox_topic("default", QUEUE), 0, b"<i>w</i>", value))
    producer.flush(5_000)
    producer.close()

    async def page() -> httpx.Response:
        return await stage.get("letters")

    found = await until(page, lambda answer: 'href="/ui/default/letter?' in answer.text)
    address = re.search(r'href="(/ui/default/letter\?[^"]*)"', found.text)
    assert address is not None
    return html.unescape(address[1])


async def test_a_dead_letter_says_why_and_is_put_away(stage: Stage) -> None:
    """Its contents are text; what would fail again is not sent again; put away, it is in the list of those."""
    await stage.waiting("w")
    empty = await stage.get("letters")
    address = await letter(stage, b"<b>no command</b>")

    page = await stage.http.get(address)
    refused = await stage.http.post(address, data={"do": "redrive"})
    away = await stage.http.post(address, data={"do": "discard"})

    assert "There is no such letter." in empty.text
    assert page.status_code == 200
    assert "<b>no command" not in page.text
    assert "<b>no command</b>" in html.unescape(page.text)
    assert refused.status_code == 409
    assert 'role="alert"' in refused.text
    assert away.status_code == 303
    assert "There is no such letter." in (await stage.get("letters")).text
    assert 'href="/ui/default/letter?' in (await stage.get("letters", state="discarded")).text


@pytest.mark.parametrize(
    ("page", "parameters", "status"),
    [
        ("schedule", {"id": "none"}, 404),
        ("schedule", {}, 400),
        ("letter", {"id": "x"}, 400),
        ("letter", {"id": "0/999"}, 404),
        ("letters", {"state": "x"}, 404),
    ],
)
async def test_what_is_not_there_is_a_page_that_says_so(
    stage: Stage, page: str, parameters: dict[str, str], status: int
) -> None:
    """In words."""
    await stage.waiting("w")

    answer = await stage.get(page, **parameters)

    assert answer.status_code == status
    assert "That did not work" in answer.text


@pytest.mark.browser
async def test_a_schedule_and_a_letter_in_a_browser(stage: Stage, page: Page) -> None:
    """From the bar at the top to each, by their buttons and back; what cannot be undone is asked twice."""
    await stage.waiting("w")
    await scheduled(stage, "nightly")
    await letter(stage, b"no command")
    pages = page.get_by_role("navigation", name="Pages")
    await page.goto(stage.address("workflows"))

    await pages.get_by_role("link", name="Schedules").click()
    await page.get_by_role("link", name="nightly").click()
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Paused")
    await page.get_by_text("Delete", exact=True).click()
    await page.get_by_role("button", name="Delete the schedule").click()
    await pages.get_by_role("link", name="Task queues").click()
    await expect(page.get_by_role("row", name="shop")).to_contain_text("Served")
    await pages.get_by_role("link", name="Dead letters").click()
    await page.get_by_role("link", name="0/0").click()
    await page.get_by_role("button", name="Put it away").click()

    await expect(page.get_by_text("discarded", exact=True)).to_be_visible()


@pytest.mark.browser
async def test_a_letter_is_sent_once_more_in_a_browser(stage: Stage, page: Page) -> None:
    """A signal that could not be taken reaches its workflow after all, which goes on; the letter says that it was sent."""
    handle = await stage.waiting("w")
    inbox = inbox_topic("default", QUEUE)
    signal = json.dumps({"type": "signal", "signal": "hand_over", "args": []}).encode()
    producer = log_of(stage.client.transport).producer()
    producer.send(
        dead_letter(
            Record(inbox, 0, 5, b"w", signal, (), 0),
            topic=dead_letters_topic("default"),
            stage="address",
            message="Expected an open workflow",
        )
    )
    producer.flush(5_000)
    producer.close()
    await page.goto(stage.address("letters"))

    await page.get_by_role("link", name="0/0").click()
    await page.get_by_role("button", name="Send it once more").click()

    await expect(page.get_by_text("redriven", exact=True)).to_be_visible()
    await expect(page.get_by_role("button", name="Send it once more")).to_have_count(0)
    assert await handle.result() == "packed 100 g for Ada"
    await page.get_by_role("link", name="w", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Completed")


@pytest.mark.browser
async def test_a_schedule_acts_now_in_a_browser(stage: Stage, page: Page) -> None:
    """And what it started is a click away."""
    await scheduled(stage, "nightly")
    await page.goto(stage.address("schedule", id="nightly"))

    await page.get_by_role("button", name="Act now").click()
    await expect(page.get_by_text("The schedule acts now.")).to_be_visible()
    started = page.get_by_role("link", name="nightly-run")
    async with asyncio.timeout(20):
        while not await started.count():  # the page of a schedule is read again by hand
            await page.reload()
            await asyncio.sleep(0.1)
    await started.first.click()

    await expect(page.get_by_role("heading", level=1)).to_contain_text("nightly-run")

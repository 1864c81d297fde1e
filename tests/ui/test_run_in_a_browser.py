"""The page of a run in a real browser: it follows by itself, its views and buttons work, also by keyboard alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.ui.stage import Stage

pytestmark = [pytest.mark.asyncio, pytest.mark.browser]


async def test_the_page_follows_its_run(stage: Stage, page: Page) -> None:
    """What happens is seen without a reload; what was opened stays open; at the end nothing more is asked."""
    handle = await stage.waiting("w")
    await page.goto(stage.address("workflow", id="w"))
    pack = page.get_by_role("listitem").filter(has_text="pack")
    await pack.get_by_text("pack", exact=False).first.click()
    await expect(pack.get_by_text('"packed 100 g for Ada"')).to_be_visible()

    await handle.signal("note", "fragile")
    await expect(page.get_by_role("listitem").filter(has_text="note")).to_be_visible()
    await expect(pack.get_by_text('"packed 100 g for Ada"')).to_be_visible()
    await handle.signal("hand_over")

    await expect(page.get_by_role("heading", level=1)).to_contain_text("Completed")
    await expect(page.get_by_role("region", name="Result")).to_contain_text("packed 100 g for Ada")
    await expect(page.locator("#live[hx-trigger]")).to_have_count(0)


async def test_a_page_on_which_nothing_happens_is_asked_for_cheaply(
    stage: Stage, page: Page
) -> None:
    """Most of what it asks is answered with nothing; what happens then is seen all the same."""
    handle = await stage.waiting("w")
    await page.goto(stage.address("workflow", id="w"))

    async with page.expect_response(lambda answer: answer.status == 304):
        pass
    await handle.signal("note", "fragile")

    await expect(page.get_by_role("listitem").filter(has_text="note")).to_be_visible()


async def test_every_view_opens(stage: Stage, page: Page) -> None:
    """Each tab leads to its view, and says which one it is."""
    await stage.waiting("w")
    await page.goto(stage.address("workflow", id="w"))
    views = page.get_by_role("navigation", name="Views")

    for name, shown in [
        ("Timeline", page.get_by_role("list", name="Steps over time")),
        ("Events", page.get_by_text("activity_scheduled")),
        ("Pending", page.get_by_role("region", name="Timers")),
        ("Queries", page.get_by_role("heading", name="remarks")),
        ("Stack", page.get_by_text("await workflow.wait_condition(")),
        ("Time travel", page.get_by_role("slider", name="Step")),
        ("JSON", page.get_by_text('"type": "workflow_started"')),
        ("History", page.get_by_text("into a box")),
    ]:
        await views.get_by_role("link", name=name).click()
        await expect(shown).to_be_visible()
        await expect(views.get_by_role("link", name=name)).to_have_attribute("aria-current", "page")


async def test_a_query_is_asked_and_its_answer_follows(stage: Stage, page: Page) -> None:
    """The answer stays current as long as the page is open."""
    handle = await stage.waiting("w")
    await page.goto(stage.address("workflow", id="w", view="queries"))

    await page.locator("form.query", has_text="remarks").get_by_role("button", name="Ask").click()
    answer = page.locator("form.query .answer")
    await expect(answer).to_have_text("[]")
    await handle.signal("note", "fragile")

    await expect(answer).to_contain_text("fragile")


async def test_what_is_typed_stays_while_the_page_follows(stage: Stage, page: Page) -> None:
    """A refresh does not take away what somebody is typing."""
    handle = await stage.waiting("w")
    await page.goto(stage.address("workflow", id="w", view="queries"))
    box = page.locator("form.query", has_text="remarks").get_by_label("Arguments")
    await box.fill("[1, 2")

    await handle.signal("note", "fragile")

    await expect(page.get_by_role("link", name=re.compile("Events 8"))).to_be_visible()
    await expect(box).to_have_value("[1, 2")
    await expect(box).to_be_focused()


async def test_a_signal_by_keyboard_alone(stage: Stage, page: Page) -> None:
    """From the list to a run, to the form, and back with the signal sent: Tab, Enter and typing."""
    handle = await stage.waiting("w")
    await page.goto(stage.address("workflows"))
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("w")
    signal = page.get_by_role("link", name="Signal", exact=True)
    for _ in range(30):
        if await signal.evaluate("link => link === document.activeElement"):
            break
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Name")).to_be_focused()
    await page.keyboard.type("note")
    await page.keyboard.press("Tab")
    await page.keyboard.type('"by hand"')
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("status").first).to_have_text("The signal was sent.")
    assert await handle.query("remarks") == ["by hand"]


async def test_buttons_pause_reset_and_terminate(stage: Stage, page: Page) -> None:
    """Each leads to a form that says what will happen, and from there back to the run."""
    await stage.waiting("w")
    await page.goto(stage.address("workflow", id="w"))

    await page.get_by_role("link", name="Pause").click()
    await page.get_by_label("Reason").fill("holiday")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_role("alert")).to_contain_text("holiday")
    await page.get_by_role("link", name="Go on").click()
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_role("alert")).to_have_count(0)
    await page.get_by_role("listitem").filter(has_text="until handed over").click()
    await page.get_by_role("link", name="To before this step").locator("visible=true").click()
    await page.get_by_role("button", name="Reset").click()
    await expect(page.get_by_text("Reset from")).to_be_visible()
    await page.get_by_role("link", name="Terminate").click()
    await page.get_by_label("Reason").fill("enough")
    await page.get_by_role("button", name="Terminate now").click()

    await expect(page.get_by_role("heading", level=1)).to_contain_text("Terminated")
    await expect(page.get_by_role("region", name="Result")).to_contain_text("enough")


async def test_buttons_update_and_cancel(stage: Stage, page: Page) -> None:
    """An update shows its answer; a cancellation ends the run."""
    await stage.waiting("w")
    await page.goto(stage.address("workflow", id="w"))

    await page.get_by_role("link", name="Update", exact=True).click()
    await page.get_by_label("Name").fill("rename")
    await page.get_by_label("Arguments").fill('"Bo"')
    await page.get_by_role("button", name="Update").click()
    await expect(page.get_by_text("now to Bo").first).to_be_visible()
    await page.goto(stage.address("workflow", id="w"))
    await page.get_by_role("link", name="Cancel", exact=True).click()
    await page.get_by_label("Reason").fill("changed my mind")
    await page.get_by_role("main").get_by_role("button").first.click()

    await expect(page.get_by_text("The workflow was asked to stop.")).to_be_visible()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Canceled")


async def test_buttons_pause_an_activity_and_let_it_go_on(stage: Stage, page: Page) -> None:
    """In the view of what is pending, where the activity says which it is."""
    await stage.retrying("w")
    await page.goto(stage.address("workflow", id="w", view="pending"))
    card = page.get_by_role("region", name="weigh")

    await card.get_by_role("link", name="Pause").click()
    await page.get_by_role("button", name="Pause").click()
    await page.goto(stage.address("workflow", id="w", view="pending"))
    await expect(card.get_by_role("heading", level=2)).to_contain_text("Paused")
    await card.get_by_role("link", name="Go on").click()
    await page.get_by_role("button", name="Go on").click()
    await page.goto(stage.address("workflow", id="w", view="pending"))

    await expect(card.get_by_role("link", name="Pause")).to_be_visible()


async def test_a_workflow_is_started_from_the_list(stage: Stage, page: Page) -> None:
    """With its arguments, and the page of the run is next."""
    await stage.waiting("before")
    await page.goto(stage.address("workflows"))

    await page.get_by_role("link", name="Start a workflow").click()
    await page.get_by_label("Type").fill("Ship")
    await page.get_by_label("Workflow ID", exact=True).fill("mine")
    await page.get_by_label("Arguments").fill('{"to": "Eve"}')
    await page.get_by_role("button", name="Start").click()

    await expect(page.get_by_role("heading", level=1)).to_contain_text("mine")
    await expect(page.get_by_role("region", name="Arguments")).to_contain_text("Eve")


async def test_a_retried_activity_is_retried_now(stage: Stage, page: Page) -> None:
    """From the banner at the top."""
    await stage.retrying("w")
    await page.goto(stage.address("workflow", id="w"))

    await page.get_by_role("link", name="Retry now").click()
    await page.get_by_role("button", name="Retry now").click()

    await expect(page.get_by_text("The activity is tried again now.")).to_be_visible()


async def test_the_log_is_downloaded(stage: Stage, page: Page, tmp_path: Path) -> None:
    """As a file with the run's name."""
    handle = await stage.waiting("w")
    await page.goto(stage.address("workflow", id="w"))

    async with page.expect_download() as starting:
        await page.get_by_role("link", name="Download log").click()
    download = await starting.value

    assert download.suggested_filename == f"{handle.result_run_id}.json"
    await download.save_as(tmp_path / "log.json")
    assert '"streamflow-history/1"' in (tmp_path / "log.json").read_text()
